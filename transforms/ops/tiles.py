"""A box seen in four overlapping parts: where they lie, and their answers blended into one plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from transforms.records import Box

Real = NDArray[np.float32]

_SHARE = 0.62  # of the box's sides, so that a fourth of them is seen twice
_FLOOR = 0.02  # least weight of an answer, at its part's rim: what lies there is cut


def tiles_of(box: Box) -> tuple[Box, ...]:
    """Four parts of `box`, one in each corner, that overlap in the middle."""
    tall, wide = (max(1, round(_SHARE * length)) for length in box.size)
    tops, lefts = (box.top, box.bottom - tall), (box.left, box.right - wide)
    return tuple(Box(top, left, top + tall, left + wide) for top in tops for left in lefts)


def blend_tiles(plane: Real, boxes: Sequence[Box], answers: Sequence[Real]) -> Real:
    """`plane` (float32 [H, W]) with `answers` (float32, each as large as its box) in its place.

    Where several answer, each weighs by the square of how far its own rim is.
    """
    total, weights = np.zeros_like(plane), np.zeros_like(plane)
    for box, answer in zip(boxes, answers, strict=True):
        part = (slice(box.top, box.bottom), slice(box.left, box.right))
        weight = np.minimum(_ramp(box.size.height)[:, None], _ramp(box.size.width)[None]) ** 2 + np.float32(_FLOOR)
        total[part] += weight * answer
        weights[part] += weight
    return cast(Real, np.where(weights > 0, total / np.maximum(weights, np.float32(_FLOOR)), plane))


def _ramp(length: int) -> Real:
    """From the rim to the middle, 0 to 1 and back, float32 [length]."""
    at = np.arange(length, dtype=np.float32)
    return cast(Real, (np.minimum(at, at[::-1]) + 1) / np.float32(max(1.0, length / 2)))
