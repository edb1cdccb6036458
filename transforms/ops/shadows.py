"""Where a product stands, and the soft shadows that it throws.

The product is known only by its silhouette, so it is rebuilt as a small stack of upright slabs on the floor: every
pixel belongs to the slabs within its likely depth, which follows from the width of the part it lies in. A light is a
set of directions; for one direction, the shadow of an upright slab on the floor is an affine image of the slab, so an
area light costs a few hundred small affine warps, and its penumbra widens with height by itself (Heckbert and Herf,
"Simulating soft shadows with graphics hardware", 1997).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FORESHORTENING = 0.24  # sine of the camera's pitch, about 14 degrees: common for catalog shots
_STEEPEST = 0.55  # a lower edge that rises faster than this is an overhang, not the footprint's edge
_SLABS = 7
_KEY_RAYS = 24
_SKY_RAYS = 40
_WORKING_SIDE = 288


@dataclass(frozen=True)
class Footing:
    """Where a product meets the floor, in pixels of the matte it was measured on.

    Attributes:
        bottom: float32 [w]; the lowest product row of each column, -1 where the column is empty.
        front: float32 [w]; the footprint's front edge, level outside of it.
        touching: bool [w]; columns whose bottom rests on the floor.
        left, right: the footprint's outermost columns.
        depth: rows that the footprint reaches back from its front edge.
    """

    bottom: Floats
    front: Floats
    touching: NDArray[np.bool_]
    left: int
    right: int
    depth: float

    @property
    def floor_row(self) -> float:
        """The lowest row of contact."""
        return float(self.front.max())


class KeyLight(NamedTuple):
    """The main light, by the shadow of an upright stick of length 1.

    Attributes:
        across: where the shadow's tip falls, positive to the right.
        back: how far the tip falls behind the stick.
        softness: radius of the light, in the same unit.
    """

    across: float
    back: float
    softness: float


def find_footing(matte: Floats) -> Footing | None:
    """The footing of a product matte float32 [h, w] in [0, 1]; None where nothing is opaque.

    >>> matte = np.zeros((8, 8), np.float32); matte[2:6, 1:5] = 1
    >>> footing = find_footing(matte); footing.floor_row, footing.left, footing.right
    (5.0, 1, 4)
    """
    solid = matte > 0.5
    columns = np.flatnonzero(solid.any(axis=0))
    if not columns.size:
        return None
    height = solid.shape[0]
    bottom = np.where(solid.any(axis=0), height - 1 - np.argmax(solid[::-1], axis=0), -1).astype(np.float32)
    left, right, knots = _front_edge(columns, bottom)
    front = np.interp(np.arange(len(bottom)), knots[:, 0], knots[:, 1]).astype(np.float32)
    depth = float(np.clip(FORESHORTENING * (right - left + 1), 2.0, 0.2 * height))
    return Footing(bottom, front, _touching(bottom, front, depth, left, right), left, right, depth)


def _front_edge(columns: NDArray[np.intp], bottom: Floats) -> tuple[int, int, Floats]:
    """The convex lower edge around the lowest point, as far as it rises no faster than a floor line can."""
    hull: list[tuple[float, float]] = []
    for x in columns:
        point = (float(x), float(bottom[x]))
        while len(hull) > 1 and _turns_up(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    lowest = max(range(len(hull)), key=lambda i: hull[i][1])
    first = last = lowest
    while first > 0 and _slope(hull[first - 1], hull[first]) <= _STEEPEST:
        first -= 1
    while last < len(hull) - 1 and _slope(hull[last], hull[last + 1]) <= _STEEPEST:
        last += 1
    kept = np.array(hull[first : last + 1], np.float32)
    return int(kept[0, 0]), int(kept[-1, 0]), kept


def _turns_up(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) >= 0


def _slope(a: tuple[float, float], b: tuple[float, float]) -> float:
    return abs(b[1] - a[1]) / (b[0] - a[0])


def _touching(bottom: Floats, front: Floats, depth: float, left: int, right: int) -> NDArray[np.bool_]:
    """Columns that rest on the floor: on the front edge, or the tip of a leg that stands further back."""
    x = np.arange(len(bottom))
    inside = (x >= left) & (x <= right) & (bottom >= 0)
    reach = max(1, round(0.03 * (right - left + 1)))
    highest = cv2.dilate(bottom[None, :], np.ones((1, 2 * reach + 1), np.uint8))[0]
    tip = (bottom >= highest - 0.5) & (bottom >= front - 1.2 * depth)
    on_edge = bottom >= front - max(1.5, 0.12 * depth)
    return np.asarray(inside & (tip | on_edge))


def floor_shadow(matte: Floats, footing: Footing, key: KeyLight) -> tuple[Floats, Floats]:
    """How much of the key light and of the sky each floor point sees past the product.

    Args:
        matte: float32 [h, w] in [0, 1].
        footing: of `matte`.
        key: the main light.

    Returns:
        (key, sky), float32 [h, w] in [0, 1]; 1 is unoccluded. Every pixel is read as a floor point.
    """
    height, width = matte.shape
    scale = min(1.0, _WORKING_SIDE / max(height, width))
    slabs = _slabs(matte, footing, scale)
    key_seen = _visibility(slabs, _disk(_KEY_RAYS) * key.softness + np.array([key.across, key.back]))
    sky_seen = _visibility(slabs, _dome(_SKY_RAYS))
    return _enlarged(key_seen, (width, height)), _enlarged(sky_seen, (width, height))


def _enlarged(image: Floats, size: tuple[int, int]) -> Floats:
    smooth = cv2.GaussianBlur(image, (0, 0), 1.4)
    return np.clip(cv2.resize(smooth, size, interpolation=cv2.INTER_CUBIC), 0.0, 1.0).astype(np.float32)


class _Slab(NamedTuple):
    root: float
    matte: NDArray[np.uint8]


def _slabs(matte: Floats, footing: Footing, scale: float) -> list[_Slab]:
    height, width = matte.shape
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(matte, size, interpolation=cv2.INTER_AREA)
    sx, sy = size[0] / width, size[1] / height
    front = cv2.resize(footing.front[None, :], (size[0], 1), interpolation=cv2.INTER_LINEAR)[0] * sy
    depth = max(1.0, footing.depth * sy)
    feet = cv2.resize(
        np.where(footing.touching, footing.bottom, -1.0).astype(np.float32)[None, :],
        (size[0], 1),
        interpolation=cv2.INTER_NEAREST,
    )[0]
    rows = np.arange(size[1], dtype=np.float32)[:, None]
    thickness = np.minimum(depth, FORESHORTENING * _run_widths(small > 0.5) * sy / sx)
    is_foot = (feet[None, :] >= 0) & (rows > feet[None, :] * sy - 0.6 * depth)
    centre = np.where(is_foot, feet[None, :] * sy - thickness / 2, front[None, :] - depth / 2)
    top = float(front[(front > 0)].min() - depth) if front.size else 0.0
    roots = np.linspace(float(front.max()), max(1.0, top), _SLABS)
    reach = np.maximum(thickness / 2, abs(roots[0] - roots[1]) / 2 + 0.01)
    out = []
    for root in roots:
        belongs = (np.abs(centre - root) <= reach) & (rows <= root + 0.5)
        out.append(_Slab(float(root), np.where(belongs, small * 255, 0).astype(np.uint8)))
    return out


def _run_widths(solid: NDArray[np.bool_]) -> Floats:
    """For each pixel the length of the horizontal run of `solid` it lies in, 0 outside."""
    height, width = solid.shape
    padded = np.zeros((height, width + 2), np.int8)
    padded[:, 1:-1] = solid
    edges = np.diff(padded, axis=1)
    starts, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    out = np.zeros(height * width + 1, np.float32)
    lengths = (ends[:, 1] - starts[:, 1]).astype(np.float32)
    first = starts[:, 0] * width + starts[:, 1]
    last = ends[:, 0] * width + ends[:, 1]
    np.add.at(out, first, lengths)
    np.add.at(out, last, -lengths)
    return np.cumsum(out)[:-1].reshape(height, width).astype(np.float32)


def _visibility(slabs: list[_Slab], rays: NDArray[np.float64]) -> Floats:
    height, width = slabs[0].matte.shape
    total = np.zeros((height, width), np.float32)
    for across, back in rays:
        rise = back * FORESHORTENING
        rise = rise if abs(rise) > 0.02 else (0.02 if rise >= 0 else -0.02)
        blocked = np.zeros((height, width), np.uint8)
        for root, matte in slabs:
            shear = np.array([[1.0, -across, across * root], [0.0, rise, root * (1.0 - rise)]])
            np.maximum(blocked, cv2.warpAffine(matte, shear, (width, height)), out=blocked)
        total += blocked
    return 1.0 - total / (255.0 * len(rays))


def _disk(count: int) -> NDArray[np.float64]:
    """Evenly spread points of the unit disk (Vogel's sunflower)."""
    i = np.arange(count)
    radius, angle = np.sqrt((i + 0.5) / count), i * np.pi * (3.0 - np.sqrt(5.0))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _dome(count: int) -> NDArray[np.float64]:
    """Cosine-weighted directions of the upper half space as (across, back) of a unit stick's shadow."""
    disk = _disk(count)
    up = np.sqrt(np.maximum(1.0 - (disk**2).sum(axis=1), 0.04))
    return np.asarray(disk / up[:, None])


def contact_shadow(matte: Floats, footing: Footing) -> Floats:
    """The dark line where the base meets the floor, float32 [h, w] in [0, 1]; 0 away from it."""
    height, width = matte.shape
    unit = max(height, width) / 1000
    rows = np.arange(height, dtype=np.float32)[:, None]
    below = rows - footing.bottom[None, :]
    line = (footing.touching[None, :] & (below > -5 * unit) & (below <= max(1.0, 1.5 * unit))).astype(np.float32)
    tight = cv2.GaussianBlur(line, (0, 0), sigmaX=max(0.8, 3.0 * unit), sigmaY=max(0.6, 1.6 * unit))
    wide = cv2.GaussianBlur(line, (0, 0), sigmaX=max(1.2, 11.0 * unit), sigmaY=max(0.9, 5.0 * unit))
    return np.clip(0.62 * tight + 0.75 * wide, 0.0, 1.0).astype(np.float32)


def wall_shadow(matte: Floats, key: KeyLight, gap: float) -> tuple[Floats, Floats]:
    """Like `floor_shadow`, on a surface parallel to the picture, `gap` pixels behind the product."""
    height, width = matte.shape
    scale = min(1.0, _WORKING_SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = (cv2.resize(matte, size, interpolation=cv2.INTER_AREA) * 255).astype(np.uint8)
    main = _disk(_KEY_RAYS) * key.softness + np.array([key.across, 0.85])
    key_seen = _shifted(small, main * gap * scale)
    sky_seen = _shifted(small, _dome(_SKY_RAYS) * gap * scale * 0.8)
    return _enlarged(key_seen, (width, height)), _enlarged(sky_seen, (width, height))


def _shifted(matte: NDArray[np.uint8], offsets: NDArray[np.float64]) -> Floats:
    height, width = matte.shape
    total = np.zeros((height, width), np.float32)
    for across, down in offsets:
        total += cv2.warpAffine(matte, np.array([[1.0, 0.0, across], [0.0, 1.0, down]]), (width, height))
    return 1.0 - total / (255.0 * len(offsets))
