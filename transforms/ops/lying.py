"""What the camera looks down on: a long thing that lies aslant, or a block that turns a corner to the camera.

Both rest on the floor along their whole lower outline, however steep it is, where a standing product's outline rises
because it overhangs. A block's floor edges are at a right angle: seen from afar and from a pitch of sine s, an edge
turned by a from the picture's plane has the slope s tan(a), the other one s / tan(a). So s is the geometric mean of
both slopes.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

WORKING_SIDE = 224  # of the longer side: shadows are soft
_LONG = 2.7  # length over width from which a thing that leans cannot stand
_LEANS = (15.0, 68.0)  # degrees between its axis and the upright: less stands, more lies level
_FILLED = 0.4  # of its own box: what fills less has legs, arms or a loop
_FROM_ABOVE = 0.7  # sine of the camera's pitch, where a thing lies aslant
_ROUND = 0.7  # height over mean width of what lies
_EDGE = 0.2  # of the width: how long a block's edges are, the quarter beside its corner left out
_STRAIGHT = 0.01  # of the width: how far the outline may lie off them
_STEEP = (0.15, 1.6)  # slopes of a block's edges
_PITCH = (0.36, 0.8)  # sines: a flatter view shows no more than an edge; a steeper one is a plan
_ENDS = 0.04  # of the width: how far inside its ends a block's height is read


class Lying(NamedTuple):
    """What is seen from above.

    Attributes:
        height: how high above the floor it reaches, in rows.
        widest: how high above the floor it is widest, in rows; a block has no overhang, so that is its height.
        foreshortening: rows for one pixel of depth, in (0, 1).
    """

    height: float
    widest: float
    foreshortening: float


def find_lying(matte: Floats) -> Lying | None:
    """What is seen from above of a product matte float32 [h, w] in [0, 1]; None where it stands.

    It is looked at in the small, so that shadows and contact, which are drawn at sizes of their own, agree about it.

    >>> find_lying(np.ones((40, 20), np.float32)) is None
    True
    """
    scale = min(1.0, WORKING_SIDE / max(matte.shape))
    solid = shrunk(matte) > 0.5
    found = _long(solid) or _block(solid)
    return found and Lying(found.height / scale, found.widest / scale, found.foreshortening)


def shrunk(matte: Floats) -> Floats:
    """`matte` at the size at which shadows are worked out, `WORKING_SIDE` pixels a side at most."""
    height, width = matte.shape
    scale = min(1.0, WORKING_SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    return np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA), np.float32)


def _long(solid: Mask) -> Lying | None:
    contours, _ = cv2.findContours(solid.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    points = np.concatenate(contours) if contours else np.zeros((0, 1, 2), np.int32)
    if len(points) < 3:
        return None
    _, sides, angle = cv2.minAreaRect(points)
    length, width = max(sides) + 1, min(sides) + 1
    # OpenCV's angle is that of the first side, from the horizontal
    along = np.radians(angle if sides[0] >= sides[1] else angle + 90)
    leans = float(np.degrees(np.arccos(min(1.0, abs(np.sin(along))))))
    mean = float(solid.sum()) / length
    if length < _LONG * width or mean < _FILLED * width or not _LEANS[0] <= leans <= _LEANS[1]:
        return None
    return Lying(_ROUND * mean, _ROUND * mean / 2, _FROM_ABOVE)


def _block(solid: Mask) -> Lying | None:
    columns = np.flatnonzero(solid.any(axis=0))
    if len(columns) < 8:
        return None
    bottom = solid.shape[0] - 1 - np.argmax(solid[::-1, columns], axis=0).astype(np.float32)
    width, corner = len(columns), int(np.argmax(bottom))
    left = _edge(bottom[corner::-1], width)
    right = _edge(bottom[corner:], width)
    if left is None or right is None:
        return None
    pitch = float(np.sqrt(left * right))
    if not _PITCH[0] <= pitch <= _PITCH[1]:
        return None
    inside = max(1, round(_ENDS * width))
    tall = solid[:, columns].sum(axis=0)
    # so far inside its ends the outline shows its height and, by both slopes, some of its top
    height = max(2.0, float((tall[inside] + tall[-1 - inside]) / 2 - inside * (left + right)))
    return Lying(height, height, pitch)


def _edge(rows: Floats, width: int) -> float | None:
    """The slope of the straight floor edge that leads away from the lowest row of an outline; None where it bends."""
    last = len(rows) - 1 - round(_ENDS * width)
    near = last // 4
    if last - near < _EDGE * width:
        return None
    x = np.arange(near, last + 1)
    off = np.abs(np.interp(x, (near, last), (rows[near], rows[last])) - rows[near : last + 1])
    slope = float((rows[near] - rows[last]) / (last - near))
    return slope if off.max() <= _STRAIGHT * width + 1 and _STEEP[0] <= slope <= _STEEP[1] else None
