import cv2
import numpy as np

from benchmarks.own_alpha import Told, row_of, told_of
from transforms.records import ProductImage, SourceFacts

FACTS = SourceFacts("d", 1, "png", "RGB")


def file_of(shadow):
    alpha = np.zeros((300, 240), np.float32)
    cv2.ellipse(alpha, (120, 250), (60, 10), 0, 0, 360, shadow, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 6)
    picture = 255 - 255 * np.repeat(alpha[..., None], 3, axis=2)
    alpha[60:220, 70:170], picture[60:220, 70:170] = 1, (230, 120, 30)
    return ProductImage(np.rint(picture).astype(np.uint8), FACTS, np.rint(alpha * 255).astype(np.uint8))


def test_a_shadow_looks_as_it_was_meant_and_did_not_when_pasted_whole():
    told = told_of(file_of(0.6))
    assert told.shadow and told.apart < 1 and told.whole > 10


def test_a_file_without_alpha_or_without_anything_soft_tells_nothing():
    image = file_of(0.6)
    assert told_of(ProductImage(image.pixels, FACTS)) is None
    assert told_of(file_of(0.0)) is None


def test_a_row_is_the_mean_of_its_files():
    assert (
        row_of("brings a shadow", [Told(True, 4.0, 1.0), Told(True, 6.0, 0.0)])
        == "| brings a shadow | 2 | 5.00 | 0.50 |"
    )
    assert row_of("brings none", []) == "| brings none | 0 | | |"
