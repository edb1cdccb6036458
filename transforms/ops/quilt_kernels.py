"""The compiled inner loops of quilting: joins, changes of shift, the best path, the cheapest cut.

Levels are compared as integers, so that sums do not depend on the order in which a machine adds them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.ops.nearest_patches import compiled

Array = NDArray[Any]


@compiled
def mismatch(edge: Array, source: Array, top: int, left: int, right: int, dx: int) -> float:
    """Mean squared difference of two windows above a join, after the mean shift; planes of integers, which add fast."""
    rows = edge.shape[1]
    n = rows * (right - left)
    cost: Any = 0.0
    for c in range(3):
        squares = np.int32(0)
        total = np.int32(0)
        for y in range(rows):
            for x in range(left, right):
                d = np.int32(edge[c, y, x]) - np.int32(source[c, top + y, x + dx])
                squares += d * d
                total += d
        m: Any = total / n
        b: Any = min(max(m / 1.5, -16.0), 16.0)
        cost += squares / n - 2.0 * b * m + 1.5 * b * b
    return float(cost / 3.0)


@compiled
def join_costs(
    edge: Array,
    source: Array,
    blocked: Array,
    rows: Array,
    moves: Array,
    window: int,
    centres: Array,
    scale: int,
    out: Array,
) -> None:
    """Mismatch for every (centre column, source row, sideways move) into `out`; NEVER where it cannot be.

    edge: int16 [3, overlap, w], source: int16 [3, h, w], window: all reduced by `scale`; the rest in full pixels.
    """
    width = edge.shape[2]
    for i in range(len(centres)):
        left, right = max(centres[i] // scale - window, 0), min(centres[i] // scale + window + 1, width)
        for r in range(len(rows)):
            top = rows[r] // scale - edge.shape[1]
            for s in range(len(moves)):
                dx, column = moves[s] // scale, centres[i] + moves[s]
                first, last = max(left, -dx), min(right, width - dx)
                stopped = column < 0 or column >= blocked.shape[1] or blocked[rows[r], column]
                if stopped or top < 0 or last - first < window // 2:
                    out[i, r, s] = 1e12
                else:
                    out[i, r, s] = mismatch(edge, source, top, first, last, dx)


@compiled
def change_costs(
    source: Array, tops: Array, moves: Array, depth: int, usable: Array, stride: int, constant: float, out: Array
) -> None:
    """What a change from label a to b before column x shows: squared difference of the two sources on both sides."""
    width, count = usable.shape
    lines = (depth + stride - 1) // stride
    seen = np.empty((count, 2 * lines * 3), np.int32)
    for x in range(1, width):
        for k in range(count):
            at = 0
            for side in range(2):
                column = min(max(x - 1 + side + moves[k], 0), width - 1)
                for y in range(0, depth, stride):
                    for c in range(3):
                        seen[k, at] = source[c, tops[k] + y, column]
                        at += 1
        for a in range(count):
            for b in range(a + 1, count):
                total = np.int32(0)
                for v in range(seen.shape[1]):
                    d = seen[a, v] - seen[b, v]
                    total += d * d
                out[x, a, b] = out[x, b, a] = constant + depth * total / seen.shape[1]


@compiled
def viterbi(unary: Array, change: Array, back: Array, best: Array) -> None:
    width, count = unary.shape
    for k in range(count):
        best[0, k] = unary[0, k]
    for x in range(1, width):
        for b in range(count):
            low, arg = best[x - 1, b], b
            for a in range(count):
                if a != b and best[x - 1, a] + change[x, a, b] < low:
                    low, arg = best[x - 1, a] + change[x, a, b], a
            best[x, b] = low + unary[x, b]
            back[x, b] = arg


@compiled
def cheapest_cut(gap: Array, cut: Array) -> None:
    """The row at every column where the two textures differ least, moving at most two rows a column."""
    rows, width = gap.shape
    best = np.zeros((width, rows))
    for x in range(width):
        for y in range(rows):
            low = 0.0
            if x > 0:
                low = best[x - 1, y]
                for other in range(max(y - 2, 0), min(y + 3, rows)):
                    low = min(low, best[x - 1, other])
            best[x, y] = low + gap[y, x]
    y = int(np.argmin(best[width - 1]))
    cut[width - 1] = y
    for x in range(width - 2, -1, -1):
        low, arg = best[x, y], y
        for other in range(max(y - 2, 0), min(y + 3, rows)):
            if best[x, other] < low:
                low, arg = best[x, other], other
        y = arg
        cut[x] = y
