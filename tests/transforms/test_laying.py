import numpy as np
import pytest

from transforms.laying import UNKNOWN, Original, keeps_shadow, lay_original, lay_product
from transforms.ops.kept_shadow import Shade
from transforms.records import Box, Cutout, Size, Transform

SOURCE, CANVAS = (60, 40), Size(50, 50)
AT = Transform(0.5, Size(30, 20), 10, 15, "lanczos3")


def cutout(**known):
    mask = np.zeros(SOURCE, bool)
    mask[10:40, 10:30] = True
    return Cutout(np.full((*SOURCE, 3), 90, np.uint8), mask.astype(np.float32), mask, Box(10, 10, 40, 30), **known)


def test_a_product_lies_where_its_transform_says_over_grey():
    laid = lay_product(cutout(), AT, CANVAS)
    assert laid.product[20, 25] == laid.known[20, 25] == 255 and laid.image[20, 25].tolist() == [90, 90, 90]
    assert laid.product[5, 5] == laid.known[5, 5] == 0 and laid.image[5, 5].tolist() == [128, 128, 128]
    assert laid.shrunk(Size(32, 32)).image.shape == (32, 32, 3)


def test_a_shadow_in_the_file_is_laid_with_the_product_and_light_beyond_it():
    left = np.full((*SOURCE, 3), 255, np.uint8)
    left[44:52, 12:28] = 100
    source = np.full((*SOURCE, 3), 255, np.uint8)
    laid = lay_product(cutout(left=left), AT, CANVAS)
    original = lay_original(source, cutout(left=left), AT, laid)
    assert original.drawn and original.strength == pytest.approx(1 - 100 / 255, abs=0.05)
    assert original.shade.left[34, 25].max() < 120 and original.shade.left[2, 2].min() == 255
    assert lay_original(source, cutout(left=left), AT, laid, with_shade=False) == UNKNOWN
    assert lay_original(source, cutout(), AT, laid) == UNKNOWN


@pytest.mark.parametrize(
    ("painter", "prompt", "kept"),
    [
        ("studio", "sage paper", True),
        ("canvas_staging", "sage paper", True),
        ("canvas_background", "sage paper", False),
        ("studio", "oak floor, living room", False),
        ("studio", "sage paper, long shadow", False),
        ("studio", "sage paper, own-shadow", True),
    ],
)
def test_a_shadow_counts_before_drawn_sets_whose_words_name_none(painter, prompt, kept):
    assert keeps_shadow(painter, prompt) == kept
    shade = Shade(np.full((4, 4, 3), 200, np.uint8))
    assert (Original(shade=shade, strength=0.5).before(painter, prompt).shade is shade) == kept
