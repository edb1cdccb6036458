"""Pans and zooms are found among things that move otherwise, and parallax is told from bending."""

import cv2
import numpy as np
import pytest

from transforms.ops.camera_flow import PanZoom, flow_by, off_parallax, pan_zoom_of
from transforms.records import Size

SIZE = Size(208, 304)
EVERYWHERE = np.ones(SIZE, np.float32)


def smooth_field(deviation, seed=1, channels=2):
    field = np.random.Generator(np.random.Philox(seed)).normal(0, deviation, (5, 5, channels)).astype(np.float32)
    return cv2.resize(field, SIZE[::-1], interpolation=cv2.INTER_CUBIC)


def moving_camera(way, seed=1):
    """The flow that a camera makes which goes `way` (x, y, z) through a scene of random depths."""
    rows, columns = np.indices(SIZE, np.float32)
    x, y = (columns - 151.5) / 152, (rows - 103.5) / 152
    near = 1 + 0.4 * smooth_field(1, seed, 1)
    across, down, along = way
    return np.stack([near * (across + along * x), near * (down + along * y)], -1).astype(np.float32)


def test_a_pan_and_zoom_is_found_though_a_quarter_of_the_picture_moves_otherwise():
    told = PanZoom(5.0, -2.0, 0.03)
    flow = flow_by(told, SIZE)
    assert flow[0, 0] == pytest.approx((5 - 0.03 * 151.5, -2 - 0.03 * 103.5), abs=1e-4)
    flow[:104, :152] += (9, 4)
    assert pan_zoom_of(flow, EVERYWHERE) == pytest.approx(told, abs=0.3)
    trust = EVERYWHERE.copy()
    trust[:104, :152] = 0
    assert pan_zoom_of(flow, trust) == pytest.approx(told, abs=0.01)


@pytest.mark.parametrize("way", [(8, 0, 0), (0, 0, 9), (5, 1, 6), (-6, 3, -2)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_parallax_is_a_cameras_and_bending_is_not(way, seed):
    flow = moving_camera(way, seed)
    rest = flow - flow_by(pan_zoom_of(flow, EVERYWHERE), SIZE)
    size = np.sqrt((rest**2).sum(-1).mean())
    assert size > 0.5 and off_parallax(flow, EVERYWHERE) < 0.1 * size
    field = smooth_field(3, seed)
    bent = flow_by(PanZoom(way[0], way[1], way[2] / 152), SIZE) + field
    assert off_parallax(bent, EVERYWHERE) > 0.3 * np.sqrt((field**2).sum(-1).mean())


def test_a_pan_without_parallax_is_a_cameras():
    assert off_parallax(flow_by(PanZoom(6, 0, 0.02), SIZE), EVERYWHERE) < 0.01
