"""A later frame is followed along what a camera does, and parallax is believed only where it explains something."""

import cv2
import numpy as np
import pytest

from transforms.ops.camera_flow import PanZoom, flow_by
from transforms.ops.following import LEAST_EXPLAINED, follow, soft
from transforms.ops.motion import drawn
from transforms.records import Size

SIZE = Size(208, 304)


def scene(seed=3):
    noise = np.random.Generator(np.random.Philox(seed)).normal(0, 1, (26, 38, 3)).astype(np.float32)
    return np.clip(128 + 40 * cv2.resize(noise, SIZE[::-1], interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def bent(picture, deviation=3.0):
    field = np.random.Generator(np.random.Philox(1)).normal(0, deviation, (5, 5, 2)).astype(np.float32)
    return drawn(picture, cv2.resize(field, SIZE[::-1], interpolation=cv2.INTER_CUBIC))


def before_a_wall(picture):
    """A camera goes left: what stands in the middle is nearer and moves more; where each pixel comes from."""
    near = cv2.GaussianBlur(np.pad(np.ones((80, 100), np.float32), ((64, 64), (102, 102))), (0, 0), 16)
    flow = np.stack([-4 - 8 * near, 0 * near], -1).astype(np.float32)
    return drawn(picture, flow), flow


def test_a_pan_and_zoom_is_followed_without_parallax():
    told = flow_by(PanZoom(-6, 1, 0.03), SIZE)
    found = follow(scene(), soft(drawn(scene(), told)))
    assert np.abs(found.flow - told).mean() < 0.3
    assert found.explained < LEAST_EXPLAINED and found.bent == 0 and found.torn == 0
    assert found.moved == pytest.approx(np.median(np.hypot(*np.moveaxis(told, -1, 0))) / 304, rel=0.1)


def test_parallax_is_followed_and_is_no_bending():
    later, told = before_a_wall(scene())
    found = follow(scene(), soft(later))
    off, plain = (np.abs(flow - told)[20:-20, 20:-20].mean() for flow in (found.flow, flow_by(found.camera, SIZE)))
    assert off < 0.5 * plain
    assert found.explained > 0.3 and found.bent < 0.2


def test_a_bent_copy_is_told_whether_it_was_panned_or_not():
    away = drawn(scene(), flow_by(PanZoom(-6, 0, 0.03), SIZE))
    for copy in (scene(), away):
        assert follow(scene(), soft(bent(copy))).bent > 0.35


def test_noise_is_taken_for_no_parallax_and_another_picture_leaves_much():
    noise = np.random.Generator(np.random.Philox(5)).normal(0, 8, (*SIZE, 3))
    told = flow_by(PanZoom(-6, 0, 0), SIZE)
    dusty = np.clip(soft(drawn(scene(), told)) + noise, 0, 255).astype(np.uint8)
    assert follow(scene(), dusty).explained < LEAST_EXPLAINED
    assert follow(scene(), scene(4)).residual > 3 * follow(scene(), dusty).residual
    assert follow(scene(), scene()).moved < 0.001
