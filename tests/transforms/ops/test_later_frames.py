"""Frames are the picture's own pixels along the flow; what it does not show is painted, without a step in tone."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from transforms.ops.camera_flow import PanZoom, flow_by
from transforms.ops.later_frames import frames_between, last_frame, seen_before
from transforms.ops.motion import drawn, enlarged, flow_of
from transforms.records import Size

SMALL, LARGE = Size(104, 152), Size(416, 608)


def fine(size=LARGE):
    noise = np.random.Generator(np.random.Philox(3)).normal(0, 1, (size.height // 4, size.width // 4, 3))
    large = cv2.resize(noise.astype(np.float32), size[::-1], interpolation=cv2.INTER_NEAREST)
    return np.clip(128 + 15 * large, 0, 255).astype(np.uint8)


def test_the_last_frame_is_the_pictures_own_pixels_at_its_own_size():
    flow = flow_by(PanZoom(0, 0, -0.04), SMALL)  # nearer: all of it was seen
    last = last_frame(fine(), np.zeros((*SMALL, 3), np.uint8), flow)
    assert np.array_equal(last, drawn(fine(), enlarged(flow, LARGE))) and last.shape == (*LARGE, 3)


def test_what_was_outside_is_painted_in_the_tone_of_its_neighbourhood():
    flow = flow_by(PanZoom(6, 0, 0), SMALL)  # looks up to the right: a strip of 24 pixels was not seen
    painted = np.full((*SMALL, 3), 200, np.uint8)
    last, seen = last_frame(fine(), painted, flow), seen_before(enlarged(flow, LARGE))
    assert seen[:, -22:].max() < 0.01 and seen[:, :-40].min() > 0.999
    assert np.array_equal(last[:, :-40], np.roll(fine(), -24, axis=1)[:, :-40])
    strip = last[100:300, -18:].astype(int)
    assert np.abs(np.diff(strip, axis=1)).mean() < 1, "smooth, as painted"
    assert abs(strip.mean() - 128) < 10, "and not as light as painted"


def test_torn_places_are_painted():
    columns = np.indices(LARGE, np.float32)[1]
    flow = np.stack([-np.clip(columns - 300, 0, 20), 0 * columns], -1)
    seen = seen_before(flow)
    assert seen[:, 304:316].max() < 0.01 and seen[:, :290].min() > 0.999 and seen[:, 330:].min() > 0.999


def test_frames_go_evenly_from_the_picture_to_the_last_one():
    picture, flow = fine(), flow_by(PanZoom(-8, 2, 0.02), SMALL)
    last = last_frame(picture, cv2.resize(picture, SMALL[::-1]), flow)
    frames = list(frames_between(picture, last, flow, 5))
    assert len(frames) == 5 and np.array_equal(frames[0], picture) and np.array_equal(frames[-1], last)
    inner = (slice(80, -80), slice(80, -80))
    whole = enlarged(flow, LARGE)[inner]
    for number, frame in enumerate(frames):
        assert np.abs(flow_of(frame, picture)[inner] - number / 4 * whole).mean() < 0.6
    steps = [np.abs(one.astype(int) - other).mean() for one, other in pairwise(frames)]
    assert max(steps) < 1.3 * min(steps)


def test_frames_between_are_as_sharp_as_the_picture():
    picture, flow = fine(), flow_by(PanZoom(-8, 0, 0), SMALL)
    middle = list(frames_between(picture, last_frame(picture, np.zeros((*SMALL, 3), np.uint8), flow), flow, 3))[1]
    assert np.array_equal(middle[:, 80:-80], np.roll(picture, 16, axis=1)[:, 80:-80])


def test_a_still_picture_stays_still():
    picture, still = fine(), np.zeros((*SMALL, 2), np.float32)
    assert all(np.array_equal(frame, picture) for frame in frames_between(picture, picture, still, 4))


def test_pictures_of_two_sizes_and_single_frames_are_refused():
    still = np.zeros((*SMALL, 2), np.float32)
    for last, count in ((fine(SMALL), 5), (fine(), 1)):
        with pytest.raises(ValueError, match="frames between pictures"):
            list(frames_between(fine(), last, still, count))
