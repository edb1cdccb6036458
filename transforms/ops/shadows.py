"""The soft shadows that a product throws on a floor or on a wall.

The product is known only by its silhouette, so it is rebuilt as a small stack of upright slabs on the floor: each leg
in a slab at its foot, the rest in the slabs within its likely depth, which follows from the width of the part a pixel
lies in. A light is a set of directions; for one direction the shadow of an upright slab on the floor is an affine
image of the slab, so an area light costs some hundred small affine warps, and its penumbra widens with height by
itself (Heckbert and Herf, "Simulating soft shadows with graphics hardware", 1997).

What is seen from above is a stack of level layers instead (`transforms.ops.lying_shadow`).
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.footing import Floats, Footing, Mask, find_footing, parts_of
from transforms.ops.lying import shrunk
from transforms.ops.lying_shadow import seen_past_layers

_BODY_SLABS = 6
_KEY_RAYS = 20
_SKY_RAYS = 28
# A wall is lit by much that the floor's two lights do not stand for. With these shares of them rendered rooms are met
# as well as without a shadow on the wall in the studio's own sets, and better in others (benchmarks/staging.py).
_WALL_KEY, _WALL_SKY = 0.6, 0.3


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


class _Slab(NamedTuple):
    root: float
    matte: NDArray[np.uint8]
    is_leg: bool


def floor_shadow(matte: Floats, key: KeyLight, from_row: float, *, wall: bool = False) -> tuple[Floats, Floats]:
    """How much of the key light and of the sky each floor point sees past the product.

    Args:
        matte: float32 [h, w] in [0, 1].
        key: the main light.
        from_row: the uppermost row of floor worth knowing, as a share of the height.
        wall: whether a wall stands there, on which the shadow goes on.

    Returns:
        (key, sky), float32 [h, w] in [0, 1]; 1 is unoccluded. Every pixel below `from_row` is read as a floor point;
        every one above it as a point of the wall, where there is one, else it is unoccluded.
    """
    height, width = matte.shape
    seen = [_seen_past(part, key, from_row, wall) for part in parts_of(shrunk(matte))]
    key_seen, sky_seen = (np.minimum.reduce(parts) for parts in zip(*seen, strict=True))
    return _enlarged(key_seen, (width, height)), _enlarged(sky_seen, (width, height))


def _seen_past(small: Floats, key: KeyLight, from_row: float, wall: bool) -> tuple[Floats, Floats]:
    """`floor_shadow` of one of the things that stand side by side, at working size: each has a footing of its own."""
    footing = find_footing(small)
    if footing is None:
        return np.ones(small.shape, np.float32), np.ones(small.shape, np.float32)
    main = _disk(_KEY_RAYS) * key.softness + np.array([key.across, key.back])
    top = int(from_row * small.shape[0])
    if footing.lying is not None:
        key_seen, sky_seen = (seen_past_layers(_bytes(small), rays, footing.lying) for rays in (main, _dome(_SKY_RAYS)))
        key_seen[:top] = sky_seen[:top] = 1  # who looks down on it sees no wall near it
        return key_seen, sky_seen
    slabs = _slabs(small, footing)
    key_slabs, sky_slabs = _veiled(slabs, key.softness / _KEY_RAYS**0.5), _veiled(slabs, 1.2 / _SKY_RAYS**0.5)
    key_seen = _visibility(key_slabs, main, footing.foreshortening, top)
    sky_seen = _visibility(sky_slabs, _dome(_SKY_RAYS), footing.foreshortening, top)
    if wall and top > 0:
        key_seen[:top] = 1 - _WALL_KEY * _wall_hidden(key_slabs, main, footing.foreshortening, top)
        sky_seen[:top] = 1 - _WALL_SKY * _wall_hidden(sky_slabs, _dome(_SKY_RAYS), footing.foreshortening, top)
    return key_seen, sky_seen


def _enlarged(image: Floats, size: tuple[int, int]) -> Floats:
    """`image` smoothed and enlarged; where little is blocked the shadow is far from what throws it, and wide."""
    tight, wide = cv2.GaussianBlur(image, (0, 0), 1.1), cv2.GaussianBlur(image, (0, 0), 4.5)
    near = np.clip((1.0 - wide) * 3.0, 0.0, 1.0)
    smooth = wide + (tight - wide) * near
    return np.clip(cv2.resize(smooth, size, interpolation=cv2.INTER_CUBIC), 0.0, 1.0).astype(np.float32)


def _slabs(matte: Floats, footing: Footing) -> list[_Slab]:
    solid, rows = matte > 0.5, np.arange(matte.shape[0], dtype=np.float32)[:, None]
    widths = run_widths(solid)
    legs = [_leg(solid, widths, foot.left, foot.right, foot.row) for foot in footing.feet]
    out = [
        _Slab(foot.row + 0.5, _bytes(np.where(leg, matte, 0)), True)
        for foot, leg in zip(footing.feet, legs, strict=True)
    ]
    body = ~np.logical_or.reduce(legs) if legs else np.ones_like(solid)
    front, depth = footing.front[None, :], footing.depth
    # a table's top or a lampshade reaches beyond the footprint, to the front as well
    beyond = min(max(0.0, (footing.foreshortening * float(widths.max()) - depth) / 2), 0.12 * len(rows))
    thickness = np.minimum(depth + 2 * beyond, footing.foreshortening * widths)
    # what rests on the floor reaches back from the front edge; what is held up hovers over the footprint's middle
    resting = footing.touching[None, :] & (rows > front - 0.25 * depth)
    centre = np.where(resting, front - thickness / 2, front - depth / 2)
    roots = np.linspace(footing.floor_row + beyond, max(1.0, footing.back_row - beyond), _BODY_SLABS)
    reach = np.maximum(thickness / 2, abs(roots[0] - roots[1]) / 2 + 0.01)
    for root in roots:
        belongs = body & (np.abs(centre - root) <= reach) & (rows <= root + 0.5)
        out.append(_Slab(float(root) + 0.5, _bytes(np.where(belongs, matte, 0)), False))
    # what is a single row high may lie between two roots
    return [slab for slab in out if slab.matte.any()] or [_Slab(footing.floor_row + 0.5, _bytes(matte), False)]


def _bytes(matte: Floats) -> NDArray[np.uint8]:
    return np.asarray(matte * 255, np.uint8)


def _veiled(slabs: list[_Slab], spacing: float) -> list[_Slab]:
    """The slabs blurred across by what lies between two rays, more with height, so that no ray shows by itself.

    `spacing` is the rays' distance for a height of 1.
    """
    out = []
    for slab in slabs:
        wanted = (slab.root - np.arange(len(slab.matte), dtype=np.float32)) * spacing
        matte, softer = slab.matte.copy(), slab.matte
        for low, high in itertools.pairwise((0.0, 2.0, 5.0, 11.0, 22.0)):
            rows = np.flatnonzero((wanted > low) & slab.matte.any(axis=1))
            if not rows.size:
                break
            sharper, softer = softer, _blurred_across(slab.matte, high)
            share = np.clip((wanted[rows] - low) / (high - low), 0.0, 1.0)[:, None]
            matte[rows] = sharper[rows] + (softer[rows] - sharper[rows].astype(np.float32)) * share
        out.append(slab._replace(matte=matte))
    return out


def _blurred_across(matte: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Two box passes stand in for a wide Gaussian: variance of a box of n is (n^2 - 1) / 12."""
    side = (2 * round((6 * sigma**2 + 1) ** 0.5 / 2) + 1, 1)
    once = cv2.blur(matte, side, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.blur(once, side, borderType=cv2.BORDER_REPLICATE), np.uint8)


def _leg(solid: Mask, widths: Floats, left: int, right: int, row: float) -> Mask:
    """The pixels of one leg: connected to its tip through narrow runs."""
    narrow = solid & (widths <= 3.0 * (right - left + 1) + 2)
    _, labels = cv2.connectedComponents(narrow.astype(np.uint8), connectivity=8)
    low = labels[max(0, int(row) - 2) : int(row) + 1, left : right + 1]
    found = low[low > 0]
    return np.asarray(labels == np.bincount(found).argmax()) if found.size else np.zeros_like(solid)


def run_widths(solid: Mask) -> Floats:
    """For each pixel the length of the horizontal run of `solid` [h, w] it lies in, 0 outside.

    >>> run_widths(np.array([[True, True, False, True]])).tolist()
    [[2.0, 2.0, 0.0, 1.0]]
    """
    height, width = solid.shape
    edges = np.diff(np.pad(solid, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    lengths = (ends[:, 1] - starts[:, 1]).astype(np.float32)
    steps = np.zeros((height, width + 1), np.float32)
    steps[starts[:, 0], starts[:, 1]] += lengths
    steps[ends[:, 0], ends[:, 1]] -= lengths
    return np.cumsum(steps, axis=1)[:, :-1].astype(np.float32)


def _visibility(slabs: list[_Slab], rays: NDArray[np.float64], foreshortening: float, top: int) -> Floats:
    height, width = slabs[0].matte.shape
    seen = np.ones((height, width), np.float32)
    total = np.zeros((max(0, height - top), width), np.float32)
    if not total.size:
        return seen
    roots = [slab.root for slab in slabs if not slab.is_leg]
    step = (max(roots) - min(roots)) / (len(roots) - 1) if len(roots) > 1 else 0.0
    between = np.ones((max(1, round(step)), 1), np.uint8)
    for ray, (across, back) in enumerate(rays):
        # each ray sees the slabs moved a little, or their edges would show as stripes
        moved = ((ray * 0.618034) % 1.0 - 0.5) * step
        rise = back * foreshortening
        rise = rise if abs(rise) > 0.02 else (0.02 if rise >= 0 else -0.02)
        legs, body = np.zeros(total.shape, np.uint8), np.zeros(total.shape, np.uint8)
        for root, matte, is_leg in slabs:
            landing = root if is_leg else root + moved
            shear = np.array([[1.0, -across, across * root], [0.0, rise, landing - root * rise - top]])
            blocked = legs if is_leg else body
            np.maximum(blocked, cv2.warpAffine(matte, shear, total.shape[::-1]), out=blocked)
        # the body is solid from each slab back to the next
        total += np.maximum(legs, cv2.dilate(body, between, anchor=(0, 0)))
    seen[top:] -= total / (255.0 * len(rays))
    return seen


def _wall_hidden(slabs: list[_Slab], rays: NDArray[np.float64], foreshortening: float, end: int) -> Floats:
    """The share of the rays that the product keeps from a wall that stands on row `end`: float32 [end, w].

    A ray that has not reached the floor by then meets the wall; the shadow of an upright slab on it is the slab moved.
    """
    width = slabs[0].matte.shape[1]
    total = np.zeros((end, width), np.float32)
    for across, back in rays:
        rise = back * foreshortening
        blocked = np.zeros((end, width), np.uint8)
        for root, matte, _ in slabs:
            fallen = (root - end) / rise if rise > 0 else np.inf  # how far the ray comes down on its way to the wall
            if 0 <= fallen < len(matte):
                moved = np.array([[1.0, 0.0, across * fallen], [0.0, 1.0, fallen - (root - end)]])
                np.maximum(blocked, cv2.warpAffine(matte, moved, (width, end)), out=blocked)
        total += blocked
    return np.asarray(total / (255.0 * len(rays)), np.float32)


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


def wall_shadow(matte: Floats, key: KeyLight, gap: float) -> tuple[Floats, Floats]:
    """Like `floor_shadow`, on a surface parallel to the picture, `gap` pixels behind the product."""
    height, width = matte.shape
    small = _bytes(shrunk(matte))
    gap *= small.shape[0] / height
    main = _disk(_KEY_RAYS) * key.softness + np.array([key.across, 0.85])
    key_seen = _shifted(small, main * gap)
    sky_seen = _shifted(small, _dome(_SKY_RAYS) * gap * 0.8)
    return _enlarged(key_seen, (width, height)), _enlarged(sky_seen, (width, height))


def _shifted(matte: NDArray[np.uint8], offsets: NDArray[np.float64]) -> Floats:
    height, width = matte.shape
    total = np.zeros((height, width), np.float32)
    for across, down in offsets:
        total += cv2.warpAffine(matte, np.array([[1.0, 0.0, across], [0.0, 1.0, down]]), (width, height))
    return np.asarray(1.0 - total / (255.0 * len(offsets)), np.float32)
