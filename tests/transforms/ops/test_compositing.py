import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.ops.compositing import compose_over, core_of, core_share
from transforms.ops.oklab import to_linear, to_srgb


def ramp_alpha(height=40, width=60):
    """0 on the left, 1 on the right, five mixed columns between."""
    alpha = np.clip((np.arange(width) - 20) / 6, 0, 1).astype(np.float32)
    return np.repeat(alpha[None, :], height, axis=0)


@given(st.integers(0, 2), st.integers(0, 2**32 - 1))
def test_the_core_is_the_source_bit_for_bit(erosion, seed):
    rng = np.random.default_rng(seed)
    source, background = (rng.integers(0, 256, (40, 60, 3), dtype=np.uint8) for _ in range(2))
    alpha = ramp_alpha()
    core = core_of(alpha >= 0.5, alpha, erosion)
    out = compose_over(source, source, alpha, background, core)
    assert np.array_equal(out[core], source[core])
    assert np.array_equal(out[alpha == 0], background[alpha == 0])
    assert core.any() and not core[alpha < 0.998].any()


def test_the_core_holds_all_that_lies_two_pixels_inside_an_opaque_mask():
    mask = np.zeros((30, 30), bool)
    mask[5:25, 5:25] = True
    core = core_of(mask, mask.astype(np.float32), 2)
    assert core.sum() == 16 * 16 and core[7:23, 7:23].all()


def test_a_product_cut_by_the_border_keeps_its_rim_there():
    mask = np.ones((10, 10), bool)
    assert core_of(mask, mask.astype(np.float32), 2).all()


def test_over_its_own_backdrop_the_source_comes_back():
    rng = np.random.default_rng(4)
    foreground = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    backdrop = np.full_like(foreground, 255)
    alpha = ramp_alpha()
    mixed = foreground * alpha[..., None] + backdrop * (1 - alpha[..., None])
    source = np.rint(mixed).astype(np.uint8)
    out = compose_over(source, foreground, alpha, backdrop, core_of(alpha >= 0.5, alpha, 1))
    assert np.abs(out.astype(int) - source).max() <= 1


def test_mixing_in_linear_light_would_not_bring_the_source_back():
    # why compose_over mixes sRGB values: the matte was estimated in them
    foreground, backdrop, alpha = np.uint8([20]), np.uint8([255]), np.float32(0.5)
    source = 0.5 * 20 + 0.5 * 255
    linear = to_srgb(to_linear(foreground) * alpha + to_linear(backdrop) * (1 - alpha))[0] * 255
    assert abs(linear - source) > 30


def test_no_white_fringe_travels_to_a_dark_backdrop():
    alpha = ramp_alpha()
    foreground = np.full((40, 60, 3), (150, 30, 30), np.uint8)
    white = np.rint(foreground * alpha[..., None] + 255 * (1 - alpha[..., None])).astype(np.uint8)
    dark = np.full_like(foreground, 20)
    out = compose_over(white, foreground, alpha, dark, core_of(alpha >= 0.5, alpha, 1)).astype(int)
    assert out.max(axis=(0, 1)).tolist() == [150, 30, 30]


def test_thin_parts_lower_the_share_of_the_core():
    mask = np.zeros((40, 40), bool)
    mask[:, 10:13] = True
    assert core_share(core_of(mask, mask.astype(np.float32), 1), mask) == pytest.approx(1 / 3)
    assert core_share(core_of(mask, mask.astype(np.float32), 2), mask) == 0
    assert core_share(np.zeros((2, 2), bool), np.zeros((2, 2), bool)) == 1.0
