import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.ops.matting import (
    decided,
    enlarge_alpha,
    estimate_foreground,
    guided_filter,
    is_informative,
    reach_of,
    refine_alpha,
    saturate,
    smoothed_along,
    trimap_of,
)


def scene(size=200, front=(180, 60, 40), back=(240, 245, 250), seed=2):
    """(picture, true alpha): an antialiased disc over a flat backdrop."""
    y, x = np.mgrid[:size, :size]
    radius = np.hypot(y - size / 2, x - size / 2.2)
    alpha = np.clip(size / 3.3 - radius + 0.5, 0, 1).astype(np.float32)
    image = alpha[..., None] * np.float64(front) + (1 - alpha[..., None]) * np.float64(back)
    noise = np.random.Generator(np.random.Philox(seed)).normal(0, 1.0, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8), alpha


def coarse_of(alpha, blur=5.0, shift=3):
    moved = np.roll(alpha, shift, axis=1)
    return cv2.GaussianBlur(moved, (0, 0), blur)


def refined(image, alpha, **keywords):
    return refine_alpha(image.astype(np.float32) / np.float32(255), coarse_of(alpha, **keywords), 8)


def test_refinement_finds_the_true_edge_of_a_blurred_and_shifted_mask():
    image, alpha = scene()
    before = np.abs(coarse_of(alpha) - alpha).mean()
    after = np.abs(refined(image, alpha) - alpha).mean()
    assert after < 0.12 * before
    assert after < 0.003


def test_a_grey_picture_gives_no_numerical_holes():
    image, alpha = scene(front=(90, 90, 90), back=(245, 245, 245))
    result = refined(image, alpha)
    assert result[alpha == 1].min() > 0.9
    assert result[alpha == 0].max() < 0.1


def test_alpha_is_zero_and_one_away_from_the_edge_and_within_bounds_on_it():
    image, alpha = scene()
    result = refined(image, alpha)
    assert result.dtype == np.float32
    assert result.min() == 0 and result.max() == 1
    assert (result == 1)[80:120, 70:110].all() and (result == 0)[:20].all()


def test_refinement_is_flip_equivariant():
    image, alpha = scene()
    coarse = coarse_of(alpha)
    guide = image.astype(np.float32) / np.float32(255)
    straight = refine_alpha(guide, coarse, 6)
    flipped = refine_alpha(np.ascontiguousarray(guide[:, ::-1]), np.ascontiguousarray(coarse[:, ::-1]), 6)[:, ::-1]
    assert np.abs(straight - flipped).max() < 0.05
    assert np.abs(straight - flipped).mean() < 1e-3


def test_nothing_stays_nothing():
    guide = np.zeros((40, 40, 3), np.float32)
    assert not refine_alpha(guide, np.zeros((40, 40), np.float32), 4).any()


def test_the_foreground_is_the_source_bit_for_bit_where_alpha_is_one():
    image, alpha = scene()
    foreground = estimate_foreground(image, alpha)
    assert np.array_equal(foreground[alpha == 1], image[alpha == 1])


def test_no_white_fringe_travels_along():
    image, alpha = scene(front=(30, 40, 120), back=(255, 255, 255))
    foreground = estimate_foreground(image, alpha).astype(int)
    edge = (alpha > 0.05) & (alpha < 0.95)
    assert np.abs(image[edge].astype(int) - (30, 40, 120)).mean() > 60
    assert np.abs(foreground[edge] - (30, 40, 120)).mean() < 8


def test_the_product_colour_is_carried_past_the_edge_for_resampling():
    image, alpha = scene(front=(30, 40, 120), back=(255, 255, 255))
    near = cv2.dilate(alpha, np.ones((7, 7))) > 0
    assert np.abs(estimate_foreground(image, alpha)[near & (alpha == 0)].astype(int) - (30, 40, 120)).mean() < 12


def test_an_opaque_picture_is_its_own_foreground():
    image, _ = scene()
    assert np.array_equal(estimate_foreground(image, np.ones(image.shape[:2], np.float32)), image)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(12, 60), st.integers(12, 60))
def test_foreground_estimation_never_touches_the_opaque(seed, height, width):
    rng = np.random.Generator(np.random.Philox(seed))
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    alpha = np.clip(rng.random((height, width), dtype=np.float32) * 1.6 - 0.3, 0, 1)
    foreground = estimate_foreground(image, alpha, radii=(9, 2))
    assert np.array_equal(foreground[alpha == 1], image[alpha == 1])
    assert foreground.dtype == np.uint8


def test_the_guided_filter_keeps_a_constant_and_follows_its_guides_edge():
    guide = np.zeros((60, 60, 3), np.float32)
    guide[:, 30:] = (0.8, 0.5, 0.3)
    assert guided_filter(guide, np.full((60, 60), 0.4, np.float32), 6, 1e-4) == pytest.approx(0.4, abs=1e-4)
    soft = cv2.GaussianBlur((guide[..., 0] > 0).astype(np.float32), (0, 0), 3)
    sharp = guided_filter(guide, soft, 8, 1e-4)
    assert sharp[:, 31].mean() - sharp[:, 28].mean() > 1.6 * (soft[:, 31].mean() - soft[:, 28].mean())


def test_the_guided_filter_with_one_channel_equals_the_colour_one_on_a_grey_guide():
    rng = np.random.Generator(np.random.Philox(5))
    lead = cv2.GaussianBlur(rng.random((40, 50), dtype=np.float32), (0, 0), 2)
    source = rng.random((40, 50), dtype=np.float32)
    grey = np.repeat(lead[..., None], 3, axis=2)
    # three equal channels share one slope: the same solution at a third of the regularisation
    assert guided_filter(grey, source, 4, 3e-3) == pytest.approx(smoothed_along(lead, source, 4, 1e-3), abs=1e-3)


def test_the_trimap_leaves_a_band_of_the_wanted_width():
    coarse = np.zeros((60, 60), np.float32)
    coarse[:, 30:] = 1
    product, outside = trimap_of(coarse, 5)
    unknown = ~product & ~outside
    assert unknown[30].sum() == 10
    assert unknown[30, 25:35].all()


def test_saturation_rounds_the_last_percents():
    assert saturate(np.array([[0.0, 0.04, 0.5, 0.96, 1.0]], np.float32)).tolist() == [[0, 0, 0.5, 1, 1]]


def test_the_reach_of_nothing_is_empty_and_of_a_corner_stays_inside():
    mask = np.zeros((10, 10), np.bool_)
    assert mask[reach_of(mask, 3)].size == 0
    mask[0, 0] = True
    assert mask[reach_of(mask, 3)].shape == (4, 4)


def small_of(alpha, side=100):
    return cv2.resize(alpha, (side, side), interpolation=cv2.INTER_AREA)


def test_a_matte_is_enlarged_along_the_edges_of_its_picture():
    image, alpha = scene(size=600)
    large = enlarge_alpha(image, small_of(alpha))
    blurred = cv2.resize(small_of(alpha), (600, 600), interpolation=cv2.INTER_LINEAR)
    assert large.shape == alpha.shape and large.dtype == np.float32
    assert np.abs(large - alpha).mean() < 0.4 * np.abs(blurred - alpha).mean()
    assert (large[small_region(alpha, 12)] == 1).all() and (large[small_region(1 - alpha, 12)] == 0).all()


def small_region(alpha, pixels):
    return cv2.erode((alpha == 1).astype(np.uint8), np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)) > 0


def test_a_matte_as_large_as_its_picture_or_larger_is_only_resampled():
    image, alpha = scene(size=100)
    assert np.array_equal(enlarge_alpha(image, alpha), saturate(alpha))
    assert np.abs(enlarge_alpha(image, cv2.resize(alpha, (150, 150))) - alpha).mean() < 0.01


def test_doubt_away_from_the_edge_is_decided_and_the_edge_is_not():
    alpha = np.zeros((40, 40), np.float32)
    alpha[10:30, 10:30] = 0.8
    alpha[9, 10:30] = 0.4
    alpha[2, 2] = 0.3
    result = decided(alpha, 2)
    assert (result[14:26, 14:26] == 1).all() and result[2, 2] == 0
    assert result[10, 20] == np.float32(0.8) and result[9, 20] == np.float32(0.4)


def test_an_alpha_that_cuts_nothing_out_is_not_informative():
    assert not is_informative(np.full((20, 20), 255, np.uint8))
    assert not is_informative(np.zeros((20, 20), np.uint8))
    assert is_informative(np.eye(20, dtype=np.uint8) * 255)
