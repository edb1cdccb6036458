"""Where a product meets the floor, read from its silhouette."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.lying import Lying, find_lying

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

FORESHORTENING = 0.24  # sine of the camera's pitch, about 14 degrees: common for catalog shots
_HOVERS = 0.08  # what ends this share of the picture's product above the floor does not stand on it
_STEEPEST = 0.6  # a lower edge that rises faster than this is an overhang, not the footprint's edge
_STEEPEST_EDGE = 1.3  # unless it is the one long edge of a box that recedes from the camera
_UPRIGHT = 3.0  # an outline that rises faster is the end of what lies there
_HIGHEST_FOOT = 0.42  # a far foot stands at most this share of the product's width above the nearest


class Foot(NamedTuple):
    """A leg's tip: its first and last column, and its lowest row."""

    left: int
    right: int
    row: float


@dataclass(frozen=True)
class Footing:
    """Where a product meets the floor, in pixels of the matte it was measured on.

    Attributes:
        bottom: float32 [w]; the lowest product row of each column, -1 where the column is empty.
        front: float32 [w]; the footprint's front edge, level outside of it.
        touching: bool [w]; columns whose bottom rests on the floor.
        feet: the tips of narrow legs; empty for a product with one broad base.
        depth: rows that the footprint reaches back from its front edge.
        foreshortening: rows for one pixel of depth, in (0, 1).
        lying: of what is seen from above and rests on its whole lower outline; None for what stands.
    """

    bottom: Floats
    front: Floats
    touching: Mask
    feet: tuple[Foot, ...]
    depth: float
    foreshortening: float
    lying: Lying | None = None

    @property
    def floor_row(self) -> float:
        """The lowest row of contact."""
        return float(self.front.max())

    @property
    def back_row(self) -> float:
        """The row of the footprint's far edge."""
        if self.lying is not None:
            return self.floor_row - self.depth
        ends = float(self.front.min()) - 0.3 * self.depth
        return min([self.floor_row - self.depth, ends, *(foot.row for foot in self.feet)])


def parts_of(matte: Floats) -> list[Floats]:
    """What stands side by side in a matte float32 [h, w], with empty columns between: a matte for each, at full size.

    What hovers beside them, such as a leaf, belongs to its neighbour.

    >>> matte = np.zeros((4, 9), np.float32); matte[1:3, 1:3] = matte[2:3, 6:8] = 1
    >>> [part.sum() for part in parts_of(matte)]
    [4.0, 2.0]
    """
    solid = matte > 0.5
    edges = np.diff(np.pad(solid.any(axis=0), 1).astype(np.int8))
    runs = list(zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True))
    lowest = [int(np.flatnonzero(solid[:, start:end].any(axis=1))[-1]) for start, end in runs]
    rows = np.flatnonzero(solid.any(axis=1))
    floor = max(lowest, default=0) - (_HOVERS * (rows[-1] - rows[0]) if rows.size else 0)
    stands = [at for at, low in enumerate(lowest) if low >= floor]
    borders = [0, *(int(runs[at - 1][1] + runs[at][0]) // 2 for at in stands[1:]), matte.shape[1]]
    if len(borders) == 2:
        return [matte]
    columns = np.arange(matte.shape[1])
    spans = itertools.pairwise(borders)
    return [np.where((columns >= first) & (columns < last), matte, np.float32(0)) for first, last in spans]


def find_footing(matte: Floats) -> Footing | None:
    """The footing of a product matte float32 [h, w] in [0, 1]; None where nothing is opaque.

    >>> matte = np.zeros((8, 8), np.float32); matte[2:6, 1:5] = 1
    >>> find_footing(matte).floor_row
    5.0
    """
    solid = matte > 0.5
    filled = solid.any(axis=0)
    columns = np.flatnonzero(filled)
    if not columns.size:
        return None
    bottom = np.where(filled, solid.shape[0] - 1 - np.argmax(solid[::-1], axis=0), -1).astype(np.float32)
    lying = find_lying(matte)
    if lying is not None:
        return _laid(solid, bottom, lying)
    base = _gentle_edge(columns, bottom)
    feet = _feet(solid, bottom, float(columns[-1] - columns[0] + 1))
    knots = _with_feet(base, feet)
    front = np.interp(np.arange(len(bottom)), knots[:, 0], knots[:, 1]).astype(np.float32)
    span = float(knots[-1, 0] - knots[0, 0] + 1)
    slope = _foreshortening(feet, span)
    depth = float(np.clip(slope * span, 2.0, 0.25 * solid.shape[0]))
    inside = (np.arange(len(bottom)) >= base[0, 0]) & (np.arange(len(bottom)) <= base[-1, 0]) & filled
    touching = inside & (bottom >= front - max(1.5, 0.1 * depth))
    for foot in feet:
        touching[foot.left : foot.right + 1] = True
    return Footing(bottom, front, touching, feet, depth, slope)


def _laid(solid: Mask, bottom: Floats, lying: Lying) -> Footing:
    """The footing of what rests on its whole lower outline, but for upright ends; it reaches back to its top's foot."""
    columns = np.flatnonzero(bottom >= 0)
    front = np.interp(np.arange(len(bottom)), columns, bottom[columns]).astype(np.float32)
    rise = np.abs(np.convolve(np.pad(front, 2, mode="edge"), (-0.25, 0, 0, 0, 0.25), "valid"))
    rows = np.flatnonzero(solid.any(axis=1))
    depth = max(2.0, float(rows[-1] - rows[0]) - lying.height)
    return Footing(bottom, front, (bottom >= 0) & (rise <= _UPRIGHT), (), depth, lying.foreshortening, lying)


def _gentle_edge(columns: NDArray[np.intp], bottom: Floats) -> Floats:
    """The convex lower edge around the lowest point, as far as it rises no faster than a floor line can."""
    hull = _lower_hull([(float(x), float(bottom[x])) for x in columns])
    lowest = max(range(len(hull)), key=lambda i: hull[i][1])
    first, last = _reach(hull, lowest, -1), _reach(hull, lowest, 1)
    width = float(columns[-1] - columns[0] + 1)
    outer_first = _receding(hull, first, -1, bottom, width)
    outer_last = _receding(hull, last, 1, bottom, width)
    # a box turned to the camera has one steep floor edge; steep edges on both sides are a bowl's or a flared pot's
    if (outer_first == first) != (outer_last == last):
        first, last = outer_first, outer_last
    return np.array(hull[first : last + 1], np.float32)


def _reach(hull: list[tuple[float, float]], start: int, step: int) -> int:
    """The last knot that gentle segments reach from `start`."""
    at = start
    while 0 <= at + step < len(hull) and _slope(*sorted((hull[at], hull[at + step]))) <= _STEEPEST:
        at += step
    return at


def _receding(hull: list[tuple[float, float]], start: int, step: int, bottom: Floats, width: float) -> int:
    """The last knot of a steep floor edge that continues from `start`, or `start` where there is none.

    The outline itself must follow the edge, over a tenth of the width at least, and not rise further than a floor can.
    """
    at = start
    while 0 <= at + step < len(hull):
        near, far = sorted((hull[at], hull[at + step]))
        x = np.arange(int(near[0]), int(far[0]) + 1)
        off = np.interp(x, (near[0], far[0]), (near[1], far[1])) - bottom[x]
        high = abs(hull[at + step][1] - hull[start][1])
        if _slope(near, far) > _STEEPEST_EDGE or off.max() > 0.03 * width + 2 or high > _HIGHEST_FOOT * width:
            break
        at += step
    return at if abs(hull[at][0] - hull[start][0]) >= 0.1 * width else start


def _lower_hull(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    hull: list[tuple[float, float]] = []
    for point in points:
        while len(hull) > 1 and _turns_up(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _turns_up(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) >= 0


def _slope(a: tuple[float, float], b: tuple[float, float]) -> float:
    return abs(b[1] - a[1]) / (b[0] - a[0])


def _with_feet(base: Floats, feet: tuple[Foot, ...]) -> Floats:
    points = {(float(x), float(y)) for x, y in base}
    points |= {((foot.left + foot.right) / 2, foot.row) for foot in feet}
    return np.array(_lower_hull(sorted(points)), np.float32)


def _feet(solid: Mask, bottom: Floats, width: float) -> tuple[Foot, ...]:
    """Tips of legs: low points of the outline, narrow, and hardly wider further up (a leaf or a fringe tapers)."""
    rows = np.flatnonzero(solid.any(axis=1))
    height = rows[-1] - rows[0] + 1
    lowest = float(bottom.max())
    reach = min(_HIGHEST_FOOT * width, 0.3 * height)
    feet = []
    for left, right in _plateaus(bottom, max(1, round(0.03 * width)), max(1.0, 0.012 * width)):
        foot = Foot(left, right, float(bottom[left : right + 1].max()))
        if foot.row >= lowest - reach and _is_leg(solid, foot, width, height):
            feet.append(foot)
    # one narrow tip alone is a base (a bottle, a vase on its foot), which the edge already describes
    return tuple(feet) if len(feet) > 1 else ()


def _plateaus(bottom: Floats, reach: int, tolerance: float) -> list[tuple[int, int]]:
    """Runs of columns that lie lowest within `reach` columns around them."""
    highest = cv2.dilate(bottom[None, :], np.ones((1, 2 * reach + 1), np.uint8))[0]
    low = ((bottom >= highest - tolerance) & (bottom >= 0)).astype(np.int8)
    edges = np.diff(np.concatenate([[0], low, [0]]))
    return list(zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1, strict=True))


def _is_leg(solid: Mask, foot: Foot, width: float, height: int) -> bool:
    wide = [_run(solid, (foot.left + foot.right) // 2, round(foot.row - share * height)) for share in (0.015, 0.06)]
    return 0 < wide[0] <= 0.22 * width and 0 < wide[1] <= max(2.2 * wide[0], wide[0] + 4)


def _run(solid: Mask, column: int, row: int) -> int:
    """Length of the run of `solid` nearest to `column` in `row`, 0 where the row is empty nearby."""
    line = np.flatnonzero(np.diff(np.concatenate([[0], solid[max(row, 0)].astype(np.int8), [0]])))
    runs = line.reshape(-1, 2)
    if not len(runs):
        return 0
    gaps = np.maximum(np.maximum(runs[:, 0] - column, column - runs[:, 1] + 1), 0)
    nearest = int(np.argmin(gaps))
    length = int(runs[nearest, 1] - runs[nearest, 0])
    return length if gaps[nearest] <= max(4, length) else 0


def _foreshortening(feet: tuple[Foot, ...], span: float) -> float:
    """From the feet where three or more are seen, else the usual camera."""
    if len(feet) < 3:
        return FORESHORTENING
    rows = [foot.row for foot in feet]
    return float(np.clip((max(rows) - min(rows)) / span, 0.18, 0.42))
