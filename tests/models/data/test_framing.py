from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.data.framing import View, axes, frame, project

BOX = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.3, 0.3) for z in (0.0, 1.2)])


def seen(view: View, height: int, width: int) -> np.ndarray:
    """Where the box's corners fall, (8, 2) in shares of the frame's own sides, (0, 0) its centre."""
    pose = frame(BOX, view, height, width)
    centre = (BOX.min(axis=0) + BOX.max(axis=0)) / 2
    flat = project(BOX, pose.rotation, centre, pose.distance, view.focal_mm) - np.array(pose.shift)
    return flat / (np.array([width, height]) / max(width, height))


@given(st.floats(-180, 180), st.floats(-20, 60), st.floats(24, 120), st.floats(0.3, 1.3))
def test_the_product_spans_the_stated_share_and_sits_in_the_middle(
    azimuth: float, pitch: float, focal: float, fill: float
) -> None:
    corners = seen(View(azimuth, pitch, focal, fill), 900, 1200)
    assert np.ptp(corners, axis=0).max() == pytest.approx(fill, rel=1e-3)
    assert (corners.min(axis=0) + corners.max(axis=0)) / 2 == pytest.approx([0.0, 0.0], abs=1e-6)


def test_an_offset_moves_the_product_right_and_up() -> None:
    corners = seen(View(offset=(0.1, -0.2)), 1000, 1000)
    assert (corners.min(axis=0) + corners.max(axis=0)) / 2 == pytest.approx([0.1, -0.2], abs=1e-6)


def test_the_camera_stands_in_front_and_above() -> None:
    pose = frame(BOX, View(azimuth_deg=0.0, pitch_deg=15.0), 800, 800)
    assert pose.location[1] < -1.0
    assert pose.location[2] > 0.6
    assert np.linalg.norm(pose.location - [0.0, 0.0, 0.6]) == pytest.approx(pose.distance)


@given(st.floats(-180, 180), st.floats(-80, 80))
def test_the_cameras_axes_are_a_rotation(azimuth: float, pitch: float) -> None:
    rotation = axes(azimuth, pitch)
    assert rotation.T @ rotation == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
