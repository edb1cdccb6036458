"""Drawn things: slabs, legs, rods, shades and hoops put together and shaded: cutouts without end or price.

What they teach is where a thing ends: outlines, thin parts, gaps, pale on pale.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.backdrops import Real, Rng
from models.data.cutouts import Layers

Plane = NDArray[np.uint8]

_SIDE = 240
_SUPER = 2  # drawn at twice the size, for soft edges


def draw_thing(rng: Rng) -> Layers:
    """A thing of two to eight parts, 240 x 240, each part overlapping one before it; often symmetrical."""
    side = _SIDE * _SUPER
    color, coverage = np.zeros((side, side, 3), np.float32), np.zeros((side, side), np.uint8)
    palette = [_color(rng) for _ in range(rng.integers(1, 4))]
    mirrored = rng.random() < 0.6
    anchor = np.full(2, side / 2)
    for number in range(rng.integers(2, 9)):
        part, anchor = _part(rng, side, anchor, first=number == 0)
        if mirrored:
            part = np.maximum(part, part[:, ::-1])
        box = cv2.boundingRect(part)
        if box[2] and box[3]:
            window = (slice(box[1], box[1] + box[3]), slice(box[0], box[0] + box[2]))
            mask = part[window] > 0
            color[window][mask] = _shaded(rng, palette[rng.integers(len(palette))], part[window])[mask]
            np.maximum(coverage[window], part[window], out=coverage[window])
    small = cv2.resize(coverage.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    paint = cv2.resize(color * coverage[..., None], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    straight = np.clip(paint / np.maximum(small, 1e-3)[..., None], 0, 1)
    return Layers(np.rint(straight * 255).astype(np.uint8), np.rint(small * 255).astype(np.uint8), None)


def _color(rng: Rng) -> NDArray[np.float64]:
    if rng.random() < 0.4:
        return rng.uniform(0.8, 1.0) * (1 - 0.06 * rng.random(3))
    return rng.uniform(0.05, 0.95) * (1 - rng.uniform(0, 0.8) * rng.random(3))


def _part(rng: Rng, side: int, anchor: NDArray[np.float64], *, first: bool) -> tuple[Plane, NDArray[np.float64]]:
    """(a filled shape through `anchor`, [side, side] of 0 and 1, and where the next one joins on), (x, y)."""
    part = np.zeros((side, side), np.uint8)
    kind = rng.integers(0, 3 if first else 6)
    reach = side * (rng.uniform(0.15, 0.4) if first else rng.uniform(0.05, 0.35))
    if kind < 3:  # a slab, a disc, a blob
        half = reach * np.exp(rng.uniform(-1.2, 1.2, 2) / 2)
        turn = rng.choice([0.0, rng.uniform(-30, 30)], p=[0.7, 0.3])
        _fill(rng, part, kind, anchor, half, float(turn))
        return part, anchor + rng.uniform(-0.9, 0.9, 2) * half
    thick = max(2, round(side * rng.choice([rng.uniform(0.004, 0.012), rng.uniform(0.012, 0.05)])))
    if kind == 5:
        centre, radii = anchor + rng.uniform(-0.5, 0.5, 2) * reach, np.maximum(4, reach * rng.uniform(0.3, 1.0, 2))
        spot, axes = (tuple(int(value) for value in pair) for pair in (centre, radii))
        cv2.ellipse(part, spot, axes, 0, 0, float(rng.choice([180, 360])), (1,), thick)
        return part, anchor
    towards = (0.0, 1.0) if kind == 3 else rng.uniform(-1, 1, 2)  # a leg, or a rod anywhere
    end = anchor + (np.asarray(towards) + rng.normal(0, 0.1, 2)) * reach * 1.4
    cv2.line(part, _whole(anchor), _whole(end), (1,), thick)
    return part, end if rng.random() < 0.5 else anchor


def _fill(
    rng: Rng, part: Plane, kind: int, centre: NDArray[np.float64], half: NDArray[np.float64], turn: float
) -> None:
    if kind == 1:
        cv2.ellipse(part, _whole(centre), _whole(half), turn, 0, 360, (1,), -1)
        return
    if kind == 0:
        taper = rng.uniform(0.4, 1.0)
        corners = np.array([[-taper, -1], [taper, -1], [1, 1], [-1, 1]]) * half
    else:
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        radii = 1 + 0.35 * np.sin(angles * rng.integers(1, 5) + rng.uniform(0, 6)) * rng.random()
        corners = np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None] * half
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    placed = corners @ np.array([[cos, sin], [-sin, cos]]) + centre
    cv2.fillPoly(part, [np.rint(placed).astype(np.int32)], (1,))


def _whole(pair: NDArray[np.float64]) -> tuple[int, int]:
    return int(np.clip(pair[0], -10_000, 10_000)), int(np.clip(pair[1], -10_000, 10_000))


def _shaded(rng: Rng, base: NDArray[np.float64], part: Plane) -> Real:
    """`base` with a slope of light over the part [h, w] and some grain, [h, w, 3]."""
    slope = cv2.resize(rng.uniform(0.7, 1.1, (2, 2)).astype(np.float32), part.shape[::-1])
    if rng.random() < 0.3:
        cells = int(rng.integers(4, 60))
        slope = slope * (0.85 + 0.3 * cv2.resize(rng.random((cells, cells), np.float32), part.shape[::-1]))
    return cast(Real, np.clip(slope[..., None] * base, 0, 1).astype(np.float32))
