"""What part of a picture is known: bands around it are painted, or all but a product, or everything."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Rng = np.random.Generator

_NOTHING, _BANDS = 0.2, 0.5  # shares of masks that know nothing, and that know all but bands
_LEAST_BAND, _MOST_BAND = 0.1, 0.5


def draw_known(rng: Rng, side: int) -> Plane:
    """1 where a picture is known, else 0, float32 [side, side]: a frame, a shape, or nothing at all."""
    kind = rng.random()
    if kind < _NOTHING:
        return np.zeros((side, side), np.float32)
    return draw_frame(rng, side, side) if kind < _NOTHING + _BANDS else _shape(rng, side)


def draw_frame(rng: Rng, height: int, width: int) -> Plane:
    """1 inside a frame, 0 in bands beside it: above and below, left and right, or on one side; [height, width]."""
    known = np.ones((height, width), np.float32)
    upright, share = rng.random() < 0.5, rng.uniform(_LEAST_BAND, _MOST_BAND)
    length = height if upright else width
    before = rng.choice([0.0, 1.0, rng.random()])
    first = round(length * share * before)
    last = length - round(length * share * (1 - before))
    view = known if upright else known.T
    view[:first], view[last:] = 0, 0
    return known


def _shape(rng: Rng, side: int) -> Plane:
    """Some round-cornered shape, as a product is known amid what is painted."""
    angles = np.linspace(0, 2 * np.pi, 9)[:-1]
    away = rng.uniform(0.15, 0.5, 8) * side
    centre = rng.uniform(0.25, 0.75, 2) * side
    points = np.stack([centre[0] + away * np.cos(angles), centre[1] + away * np.sin(angles)], 1)
    plane = np.zeros((side, side), np.uint8)
    cv2.fillPoly(plane, [points.astype(np.int32)], (1.0,))
    return plane.astype(np.float32)
