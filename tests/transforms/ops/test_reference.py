"""The independent recomputation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from transforms.ops.reference import Placing, differing_pixels, recompute

SIDES = st.integers(1, 70)


def noise(height: int, width: int, seed: int = 0, *, hard: bool = False) -> np.ndarray:
    pixels = np.random.Generator(np.random.Philox(key=seed)).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.where(pixels > 127, 255, 0).astype(np.uint8) if hard else pixels


@settings(max_examples=120, deadline=None)
@given(SIDES, SIDES, SIDES, SIDES, st.booleans(), st.integers(0, 99))
def test_it_equals_pillow_bit_for_bit(height, width, new_height, new_width, hard, seed):
    source = noise(height, width, seed, hard=hard)
    kernel = "identity" if (height, width) == (new_height, new_width) else "lanczos3"
    expected = np.asarray(Image.fromarray(source).resize((new_width, new_height), Image.Resampling.LANCZOS))
    placing = Placing(kernel, new_height, new_width, 7, -5)
    found = recompute(source, placing, (7, -5, 7 + new_height, new_width - 5))
    assert np.array_equal(found.pixels, expected)


def test_a_window_is_that_part_of_the_whole():
    source, placing = noise(60, 50), Placing("lanczos3", 31, 43, 3, 4)
    whole = recompute(source, placing, (3, 4, 34, 47)).pixels
    assert np.array_equal(recompute(source, placing, (10, 20, 15, 33)).pixels, whole[7:12, 16:29])


def test_one_level_in_one_channel_is_found():
    source, placing = noise(40, 40), Placing("lanczos3", 20, 20, 5, 5)
    scene, core = np.zeros((30, 30, 3), np.uint8), np.zeros((30, 30), bool)
    core[8:20, 9:21] = True
    scene[5:25, 5:25] = recompute(source, placing, (5, 5, 25, 25)).pixels
    assert differing_pixels(scene, core, source, placing) == 0
    scene[10, 10, 1] ^= 1
    assert differing_pixels(scene, core, source, placing) == 1


def test_a_shift_of_one_pixel_is_found():
    source = noise(40, 40)
    scene, core = np.zeros((30, 30, 3), np.uint8), np.zeros((30, 30), bool)
    core[8:20, 9:21] = True
    scene[5:25, 5:25] = recompute(source, Placing("lanczos3", 20, 20, 5, 5), (5, 5, 25, 25)).pixels
    assert differing_pixels(scene, core, source, Placing("lanczos3", 20, 20, 5, 6)) > 100


def test_core_pixels_beyond_the_source_differ():
    source = noise(10, 10)
    scene, core = np.zeros((30, 30, 3), np.uint8), np.zeros((30, 30), bool)
    core[0, 0] = core[29, 29] = True
    assert differing_pixels(scene, core, source, Placing("identity", 10, 10, 0, 0)) == 1 + int(source[0, 0].any())
    assert differing_pixels(scene, core, source, Placing("identity", 10, 10, 12, 12)) == 2


def test_an_empty_core_has_nothing_to_differ():
    assert differing_pixels(noise(9, 9), np.zeros((9, 9), bool), noise(5, 5), Placing("identity", 5, 5, 0, 0)) == 0


@pytest.mark.parametrize(
    "placing", [Placing("bicubic", 20, 20, 0, 0), Placing("identity", 20, 20, 0, 0), Placing("lanczos3", 10, 10, 0, 0)]
)
def test_a_kernel_that_contradicts_the_sizes_is_refused(placing):
    with pytest.raises(ValueError, match="kernel"):
        recompute(noise(10, 10), placing, (0, 0, 5, 5))


def test_a_window_beyond_the_source_is_refused():
    with pytest.raises(ValueError, match="window"):
        recompute(noise(10, 10), Placing("identity", 10, 10, 0, 0), (0, 0, 11, 5))
