"""Is a picture put together from several? Gutters of one colour through it, and straight cuts."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.backdrop import to_lab
from transforms.records import Pixels

_SIDE = 640  # pixels, longest side: a thin gutter is still two pixels wide, and noise is averaged
_EVEN = 2.0  # dE; a row or column that varies less is a gutter or an empty margin
_GRID = 4  # parts from which rows and columns are a grid; fewer may be a set of products
_LEAST_PART = 0.25  # of the largest part; smaller ones are crumbs
_REACH = 0.97  # share of a gutter that a panel beside it runs along, as a product does not

_STEP = 10.0  # dE between neighbours that counts as a cut
_UNBROKEN = 0.93  # share of the height along which an upright cut runs
_LEVEL_UNBROKEN = 0.985  # of the width; the line between wall and floor is level too, but a product interrupts it
_LEAST_PANEL = 0.15  # share of the side that a panel takes at least

Real = NDArray[np.float32]


def count_panels(pixels: Pixels) -> int:
    """How many pictures `pixels` (uint8 [H, W, 3], sRGB) seems to be put together from; 1 for a picture of its own.

    Two or three products on one plain ground are one picture; four and more in rows and columns are a grid.
    """
    lab = to_lab(_shrunk(pixels))
    return max(_grid(lab), _strips(lab), _strips(_turned(lab)), _cut_apart(lab))


def _grid(lab: Real) -> int:
    """Occupied cells between the gutters where they cross, 1 where it is no grid."""
    rows, columns = _bands(_varies(_turned(lab))), _bands(_varies(lab))
    if len(rows) < 2 or len(columns) < 2:
        return 1
    step = _change(lab)
    weights = [float(step[top:bottom, left:right].sum()) for top, bottom in rows for left, right in columns]
    cells = sum(weight > _LEAST_PART * max(weights) for weight in weights)
    return cells if cells >= _GRID else 1


def _strips(lab: Real) -> int:
    """Full-height panels side by side with gutters between them, 1 where there are none."""
    bands = [band for band in _bands(_varies(lab)) if band[1] - band[0] >= _LEAST_PANEL * lab.shape[1]]
    panels = 0
    for left, right in bands:
        occupied = np.flatnonzero(lab[:, left:right].std(axis=1).max(axis=1) > _EVEN)
        panels += bool(occupied.size) and int(np.ptp(occupied)) + 1 >= _REACH * lab.shape[0]
    return panels if panels == len(bands) and panels >= 2 else 1


def _cut_apart(lab: Real) -> int:
    upright, level = _cuts(lab, _UNBROKEN), _cuts(_turned(lab), _LEVEL_UNBROKEN)
    return (upright + 1) * (level + 1)


def _cuts(lab: Real, unbroken: float) -> int:
    """Columns of `lab` at which the picture changes abruptly along `unbroken` of its height."""
    run = (np.linalg.norm(np.diff(lab, axis=1), axis=2) > _STEP).mean(axis=0)
    margin = int(_LEAST_PANEL * lab.shape[1])
    found: list[int] = []
    for column in np.argsort(run)[::-1]:
        if run[column] < unbroken:
            break
        if margin <= column < len(run) - margin and all(abs(column - other) > margin for other in found):
            found.append(int(column))
    return len(found)


def _varies(lab: Real) -> NDArray[np.bool_]:
    """Which columns are more than one colour, bool [W]."""
    return np.asarray(np.linalg.norm(lab.std(axis=0), axis=1) > _EVEN)


def _change(lab: Real) -> Real:
    """How much each pixel differs from its neighbours to the right and below, float32 [H, W]."""
    across = np.linalg.norm(np.diff(lab, axis=1, append=lab[:, -1:]), axis=2)
    down = np.linalg.norm(np.diff(lab, axis=0, append=lab[-1:]), axis=2)
    return np.asarray(across + down, dtype=np.float32)


def _bands(occupied: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of True, as (start, end).

    >>> _bands(np.array([False, True, True, False, True]))
    [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], occupied, [False])).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _turned(lab: Real) -> Real:
    return np.ascontiguousarray(lab.transpose(1, 0, 2))


def _shrunk(pixels: Pixels) -> Pixels:
    scale = max(_SIDE / max(pixels.shape[:2]), 1 / min(pixels.shape[:2]))  # a strip stays a pixel wide
    if scale >= 1:
        return pixels
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
