import cv2
import numpy as np
import pytest

from transforms.ops.sharpness import blur
from transforms.records import Pixels


def drawing(side: int = 400) -> Pixels:
    pixels = np.full((side, side, 3), 240, np.uint8)
    for radius in range(20, 180, 20):
        cv2.circle(pixels, (200, 200), radius, (90, 40, radius), 5, cv2.LINE_AA)
    return pixels


def test_a_sharp_picture_measures_little() -> None:
    assert blur(drawing()) < 0.4


def test_blur_grows_with_the_radius() -> None:
    measured = [blur(np.asarray(cv2.GaussianBlur(drawing(), (0, 0), sigma), dtype=np.uint8)) for sigma in (1, 2, 4, 8)]
    assert measured == sorted(measured)
    assert measured[-1] > 0.8


def test_an_enlarged_thumbnail_counts_as_blurred() -> None:
    small = cv2.resize(drawing(), (50, 50), interpolation=cv2.INTER_AREA)
    assert blur(np.asarray(cv2.resize(small, (800, 800), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)) > 0.75


def test_a_smooth_backdrop_does_not_make_a_sharp_product_blurred() -> None:
    sweep = np.linspace(255, 190, 1000)[:, None, None]
    pixels = np.broadcast_to(sweep, (1000, 1000, 3)).astype(np.uint8).copy()
    cv2.rectangle(pixels, (400, 400), (600, 700), (20, 60, 110), -1)
    assert blur(pixels) < 0.4


@pytest.mark.parametrize("shape", [(1, 1, 3), (40, 3, 3), (500, 500, 3)])
def test_a_picture_without_edges_is_not_called_blurred(shape: tuple[int, int, int]) -> None:
    assert blur(np.full(shape, 128, np.uint8)) == 0.0
