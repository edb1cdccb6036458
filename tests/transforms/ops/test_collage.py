import cv2
import numpy as np
import pytest

from transforms.ops.collage import count_panels
from transforms.records import Pixels


def photo(seed: int, side: int = 200) -> Pixels:
    """A picture of soft blobs: no straight line in it."""
    generator = np.random.Generator(np.random.Philox(seed))
    coarse = generator.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def on_white(box: tuple[int, int, int, int], side: int = 300) -> Pixels:
    pixels = np.full((side, side, 3), 255, np.uint8)
    cv2.ellipse(pixels, (box[0], box[1]), (box[2], box[3]), 0, 0, 360, (60, 90, 160), -1)
    return pixels


@pytest.mark.parametrize("seed", range(5))
def test_a_photograph_is_one_picture(seed: int) -> None:
    assert count_panels(photo(seed)) == 1


def test_a_product_on_white_is_one_picture() -> None:
    assert count_panels(on_white((150, 150, 60, 110))) == 1


def test_a_pair_on_white_is_a_set_and_no_collage() -> None:
    assert count_panels(np.minimum(on_white((80, 150, 50, 100)), on_white((220, 150, 50, 100)))) == 1


def test_photographs_side_by_side_with_a_gutter_are_counted() -> None:
    gutter = np.full((200, 6, 3), 255, np.uint8)
    assert count_panels(np.hstack([photo(0), gutter, photo(1), gutter, photo(2)])) == 3


def test_four_photographs_in_a_framed_grid_are_counted() -> None:
    sheet = np.full((424, 424, 3), 255, np.uint8)
    for number in range(4):
        top, left = 8 + number // 2 * 208, 8 + number % 2 * 208
        sheet[top : top + 200, left : left + 200] = photo(number)
    assert count_panels(sheet) == 4


def test_six_products_in_rows_on_white_are_a_grid() -> None:
    tile = on_white((150, 150, 80, 90))
    assert count_panels(np.vstack([np.hstack([tile] * 3)] * 2)) == 6


def test_photographs_that_meet_at_an_abrupt_cut_are_counted() -> None:
    dark, light = photo(3) // 3, 255 - photo(4) // 3
    assert count_panels(np.hstack([dark, light])) == 2
    assert count_panels(np.vstack([dark, light])) == 2


def test_a_horizon_that_the_product_interrupts_is_no_cut() -> None:
    pixels = np.full((300, 300, 3), (225, 220, 210), np.uint8)
    pixels[180:] = (120, 90, 60)
    cv2.ellipse(pixels, (150, 190), (30, 60), 0, 0, 360, (30, 60, 120), -1)
    assert count_panels(pixels) == 1


def test_a_large_collage_is_shrunk_first_and_still_seen() -> None:
    gutter = np.full((1600, 40, 3), 255, np.uint8)
    assert count_panels(np.hstack([photo(0, 1600), gutter, photo(1, 1600)])) == 2


@pytest.mark.parametrize("size", [(3, 5000), (5000, 3), (1, 1)])
def test_a_strip_is_one_picture(size: tuple[int, int]) -> None:
    assert count_panels(np.full((*size, 3), 90, np.uint8)) == 1
