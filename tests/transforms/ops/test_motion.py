"""Flow is found, believed where it can be, and told where it folds; detail is kept by what moves alone."""

import cv2
import numpy as np
import pytest

from transforms.ops.motion import detail_kept, drawn, enlarged, flow_of, spread, torn_by, trusted_flow
from transforms.records import Size

INNER = (slice(16, -16), slice(24, -24))


def texture(height=96, width=128):
    noise = np.random.Generator(np.random.Philox(3)).normal(0, 1, (height, width, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.clip(128 + 300 * smooth, 0, 255).astype(np.uint8)


def moved(picture, dx):
    return np.roll(picture, dx, axis=1)


def test_a_shift_is_found_and_drawn_back():
    first, later = texture(), moved(texture(), 8)
    flow = flow_of(first, later)
    assert np.abs(flow[INNER] - (8, 0)).mean() < 0.5
    assert np.abs(drawn(later, flow)[INNER].astype(int) - first[INNER]).mean() < 2


def test_flow_is_trusted_in_texture_and_not_in_flat_places_or_beyond_the_picture():
    first = texture()
    first[:, :64] = 128
    flow, trust = trusted_flow(first, moved(first, 8))
    assert trust[16:-16, 76:112].mean() > 0.6 and trust[16:-16, 8:48].mean() < 0.05
    assert not trust[:, -4:].any() and trust.min() >= 0 and trust.max() <= 1
    assert flow.shape == (96, 128, 2)


def test_an_enlarged_flow_moves_the_enlarged_picture_alike():
    flow = np.full((96, 128, 2), (4.0, -2.0), np.float32)
    large = enlarged(flow, Size(192, 512))
    assert large.shape == (192, 512, 2) and np.allclose(large, (16.0, -4.0))


def test_spread_is_that_of_the_places_and_folds_are_torn():
    rows, columns = np.indices((32, 48), np.float32)
    grown = np.stack([0.1 * columns, 0.2 * rows], -1)
    assert spread(grown) == pytest.approx(1.1 * 1.2, rel=1e-4) and not torn_by(grown).any()
    folded = np.stack([-1.5 * np.clip(columns, 16, 32), 0 * rows], -1)
    assert torn_by(folded)[:, 18:30].all() and not torn_by(folded)[:, :14].any()


def test_detail_is_kept_by_what_moves_and_not_by_what_is_blurred_or_noise():
    noise = np.random.Generator(np.random.Philox(4))
    first = cv2.add(texture(), noise.integers(0, 40, (96, 128, 3), np.uint8))
    blurred = cv2.GaussianBlur(first, (0, 0), 2)
    dusty = cv2.add(blurred, noise.integers(0, 40, first.shape, np.uint8))  # as fine as the first, but other detail
    assert detail_kept(first, first.copy()) == pytest.approx(1)
    assert detail_kept(first, moved(first, 6)) > 0.8
    assert detail_kept(first, moved(blurred, 6)) < 0.4 and detail_kept(first, moved(dusty, 6)) < 0.4
