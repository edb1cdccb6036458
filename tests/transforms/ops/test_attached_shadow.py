import numpy as np
import pytest

from transforms.ops.attached_shadow import without_attached_shadow
from transforms.ops.bleached import bleached_backdrop
from transforms.ops.masks import gather_evidence

SHIRT, SHADE = (232, 160, 30), (222, 222, 222)
LEFT = (slice(262, 276), slice(200, 240))  # what was kept of the shade under the hem


def garment(shade=SHADE, color=SHIRT):
    """(picture, probability): a garment before white with a drawn shade under its hem, a sixth of which was kept."""
    pixels = np.full((400, 400, 3), 255, np.uint8)
    pixels[264:278, 90:250] = shade
    pixels[80:264, 100:240] = color
    probability = np.zeros((400, 400), np.float32)
    probability[80:264, 100:240] = 1
    probability[LEFT] = 0.9
    return pixels, probability


def alone(pixels, probability, sure):
    coarse = np.where(probability == 1, np.float32(0.98), np.float32(sure) * (probability > 0))
    evidence = gather_evidence(pixels, coarse, bleached_backdrop(pixels))
    return without_attached_shadow(pixels, probability, coarse.astype(np.float32), evidence)


def test_the_rest_of_a_shade_that_was_given_up_goes_with_its_rim():
    pixels, probability = garment()
    answer = alone(pixels, probability, 0.4)
    assert answer.dtype == np.float32
    assert not answer[267:, :].any()
    assert (answer[80:262, 100:240] == 1).all()


def test_what_the_networks_are_sure_of_stays():
    pixels, probability = garment()
    assert (alone(pixels, probability, 0.8) == probability).all()


@pytest.mark.parametrize("shade", [(222, 205, 190), (110, 110, 110)], ids=["tinted", "too dark"])
def test_what_is_no_shade_stays(shade):
    pixels, probability = garment(shade)
    assert (alone(pixels, probability, 0.4) == probability).all()


def test_a_shade_that_is_product_for_the_most_part_stays():
    pixels, probability = garment()
    probability[264:276, 120:240] = 0.9
    assert (alone(pixels, probability, 0.4) == probability).all()


def test_a_grey_garment_keeps_its_hem():
    pixels, probability = garment(color=(150, 150, 150))
    answer = alone(pixels, probability, 0.4)
    assert (answer[80:262, 100:240] == 1).all()
    assert not answer[267:, :].any()
