"""Frames between two pictures move as the picture does, and begin and end with the pictures themselves."""

import cv2
import numpy as np
import pytest

from transforms.ops.motion import flow_of, follow, frames_between
from transforms.records import Size


def texture(height=96, width=128):
    noise = np.random.Generator(np.random.Philox(3)).normal(0, 1, (height, width, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.clip(128 + 300 * smooth, 0, 255).astype(np.uint8)


def moved(picture, dx):
    return np.roll(picture, dx, axis=1)


def test_a_shift_is_found_and_half_of_it_lies_half_way():
    first = texture()
    later = moved(first, 8)
    inner = (slice(16, -16), slice(24, -24))
    assert np.abs(flow_of(first, later)[inner] - (8, 0)).mean() < 0.5
    frames = list(frames_between(first, later, 5))
    assert len(frames) == 5 and np.array_equal(frames[0], first) and np.array_equal(frames[-1], later)
    half, plain = moved(first, 4)[inner].astype(int), (first[inner].astype(int) + later[inner]) / 2
    assert np.abs(frames[2][inner] - half).mean() < 0.25 * np.abs(plain - half).mean()


def test_a_flow_that_is_looked_for_small_moves_the_large_picture():
    first = cv2.resize(texture(), (512, 384), interpolation=cv2.INTER_CUBIC)
    middle = list(frames_between(first, moved(first, 24), 3, Size(96, 128)))[1]
    inner = (slice(64, -64), slice(96, -96))
    assert np.abs(middle[inner].astype(int) - moved(first, 12)[inner]).mean() < 4


def test_a_later_picture_follows_and_another_one_does_not():
    first, other = texture(), texture()[::-1, ::-1]
    found = follow(first, moved(first, 6))
    assert found.residual < 8 and found.moved == pytest.approx(6 / 128, rel=0.1)
    assert follow(first, first.copy()).moved < 0.001
    noise = np.random.Generator(np.random.Philox(1)).integers(0, 256, first.shape, np.uint8)
    assert follow(first, noise).residual > 30 and follow(first, np.ascontiguousarray(other)).residual > found.residual


def test_detail_is_kept_by_what_moves_and_not_by_what_is_blurred_or_noise():
    noise = np.random.Generator(np.random.Philox(4))
    first = cv2.add(texture(), noise.integers(0, 40, (96, 128, 3), np.uint8))
    blurred = cv2.GaussianBlur(first, (0, 0), 2)
    dusty = cv2.add(blurred, noise.integers(0, 40, first.shape, np.uint8))  # as fine as the first, but other detail
    assert follow(first, first.copy()).kept == pytest.approx(1)
    assert follow(first, moved(first, 6)).kept > 0.8
    assert follow(first, moved(blurred, 6)).kept < 0.4 and follow(first, moved(dusty, 6)).kept < 0.4


def test_a_still_picture_stays_still():
    first = texture()
    assert all(np.abs(frame.astype(int) - first).max() <= 1 for frame in frames_between(first, first.copy(), 6))


def test_pictures_of_two_sizes_and_single_frames_are_refused():
    for later, count in ((texture(96, 112), 5), (texture(), 1)):
        with pytest.raises(ValueError, match="frames between pictures"):
            list(frames_between(texture(), later, count))
