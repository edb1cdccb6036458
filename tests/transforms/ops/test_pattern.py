import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.ops.pattern import find_pattern
from transforms.records import Pixels


def product(side: int = 240) -> Pixels:
    pixels = np.full((side, side, 3), 245, np.uint8)
    cv2.ellipse(pixels, (120, 130), (50, 80), 20, 0, 360, (150, 60, 40), -1)
    cv2.rectangle(pixels, (105, 40), (130, 80), (40, 60, 90), -1)
    return pixels


def test_a_product_is_no_pattern() -> None:
    same, repeats = find_pattern(product())
    assert same < 0.5
    assert repeats < 0.7


def test_fine_cloth_looks_the_same_everywhere() -> None:
    generator = np.random.Generator(np.random.Philox(3))
    assert find_pattern(generator.integers(0, 256, (256, 256, 3), dtype=np.uint8)).sameness > 0.93


def test_a_tiling_repeats_itself() -> None:
    tile = cv2.resize(product(), (80, 80), interpolation=cv2.INTER_AREA)
    assert find_pattern(np.tile(tile, (3, 3, 1))).repetition > 0.95


def test_stripes_repeat_themselves_in_one_direction() -> None:
    columns = np.where(np.arange(256) // 24 % 2, 230, 40).astype(np.uint8)
    pixels = np.broadcast_to(columns[None, :, None], (256, 256, 3)).copy()
    assert find_pattern(pixels).repetition > 0.95


def test_a_pair_of_earrings_is_no_pattern() -> None:
    pair = np.hstack([product(), product()])
    assert find_pattern(pair).repetition < 0.7
    assert find_pattern(np.ascontiguousarray(pair.transpose(1, 0, 2))).repetition < 0.7


def test_a_flat_picture_has_no_pattern() -> None:
    assert find_pattern(np.full((100, 60, 3), 200, np.uint8)) == (0.0, 0.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_both_measures_are_shares_for_any_picture(height: int, width: int, seed: int) -> None:
    generator = np.random.Generator(np.random.Philox(seed))
    measures = find_pattern(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))
    assert all(0.0 <= value <= 1.0 + 1e-6 for value in measures)
