"""Where the camera stands so that a product takes a stated share of the frame: numpy only, no renderer.

The world is right-handed, z up, in metres; the camera looks along its own -z with +y up and +x to the right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SENSOR_MM = 36.0
_ROUNDS = 48

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """From where and how tightly the product is seen.

    Attributes:
        azimuth_deg: 0 sees the front, 90 the product's right-hand side as the viewer has it.
        pitch_deg: how far the camera looks down.
        focal_mm: for a sensor 36 mm wide on its longer side.
        fill: share of the frame that the product spans in the direction where it is tighter; above 1 it is cut.
        offset: where the product's centre lies off the frame's centre, (right, up), as shares of the frame's sides.
        f_stop: None is sharp everywhere.
    """

    azimuth_deg: float = 20.0
    pitch_deg: float = 10.0
    focal_mm: float = 70.0
    fill: float = 0.8
    offset: tuple[float, float] = (0.0, 0.0)
    f_stop: float | None = None


@dataclass(frozen=True)
class CameraPose:
    """A camera that frames the product.

    Attributes:
        location: world position, metres.
        rotation: (3, 3), its columns are the camera's axes in the world.
        shift: lens shift (x, y) in shares of the frame's longer side, as Blender counts it.
        distance: to the product's centre, metres.
    """

    location: Floats
    rotation: Floats
    shift: tuple[float, float]
    distance: float


def axes(azimuth_deg: float, pitch_deg: float) -> Floats:
    """Return the camera's right, up and backward axes as the columns of a (3, 3) rotation.

    >>> (axes(0.0, 0.0).round(6) + 0).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]
    """
    azimuth, pitch = np.radians([azimuth_deg, pitch_deg])
    right = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    backward = np.array([np.sin(azimuth) * np.cos(pitch), -np.cos(azimuth) * np.cos(pitch), np.sin(pitch)])
    return np.stack([right, np.cross(backward, right), backward], axis=1)


def project(points: Floats, rotation: Floats, centre: Floats, distance: float, focal_mm: float) -> Floats:
    """Return where `points` (N, 3) fall on the frame, (N, 2) in shares of its longer side, (0, 0) its centre, y up."""
    seen = (points - centre) @ rotation
    depth = np.maximum(distance - seen[:, 2], 1e-6)
    flat: Floats = seen[:, :2] / depth[:, None] * (focal_mm / SENSOR_MM)
    return flat


def frame(points: Floats, view: View, height: int, width: int) -> CameraPose:
    """Return the pose from which `points` (N, 3; metres) span `view.fill` of a `height` x `width` frame.

    The distance is found by bisection, the centring by lens shift, so that parallel lines keep their direction.
    """
    rotation = axes(view.azimuth_deg, view.pitch_deg)
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    sides = np.array([width, height]) / max(width, height)
    distance = _distance(points, rotation, centre, view, sides)
    flat = project(points, rotation, centre, distance, view.focal_mm)
    middle = (flat.min(axis=0) + flat.max(axis=0)) / 2 - np.array(view.offset) * sides
    location = centre + rotation[:, 2] * distance
    return CameraPose(location, rotation, (float(middle[0]), float(middle[1])), distance)


def _distance(points: Floats, rotation: Floats, centre: Floats, view: View, sides: Floats) -> float:
    """Halve the interval of distances, in which the span shrinks monotonically, until the span is `view.fill`."""
    nearest = float(((points - centre) @ rotation)[:, 2].max())
    size = float(np.ptp(points, axis=0).max())
    near, far = nearest + 1e-3 * size, nearest + 1e3 * size
    for _ in range(_ROUNDS):
        middle = float(np.sqrt((near - nearest) * (far - nearest))) + nearest
        flat = project(points, rotation, centre, middle, view.focal_mm)
        too_near = bool((np.ptp(flat, axis=0) / sides).max() > view.fill)
        near, far = (middle, far) if too_near else (near, middle)
    return far
