"""Nearest patches: the compiled inner loops of PatchMatch, in integers, so that every machine gives the same answer.

A *target* patch (square, side 2 * RADIUS + 1) lies around a pixel of the canvas and holds at least one unknown pixel;
a *source* patch lies wholly inside the kept image, off the product. Offsets map a target's centre to its source's.

Matching is Barnes et al., "PatchMatch" (SIGGRAPH 2009): propagation from two neighbours, then a random search in
halving windows. A source may shift its mean colour towards the target's (Darabi et al., "Image Melding", SIGGRAPH
2012), which carries texture along a falloff of light. Randomness is a counter-based hash of (seed, round, pixel,
try): no state, so no order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from transforms.ops.patches import RADIUS, SHIFT_LIMIT, SIDE

Array = NDArray[Any]
F = TypeVar("F", bound=Callable[..., object])

VALUES = SIDE * SIDE * 3
FAR = 2**62

# Moving a mean costs a share of what it saves.
SHIFT_COST = 0.5


def compiled(function: F) -> F:
    """`function` compiled at its first call, without the interpreter lock, kept on disk between processes."""
    jit: Callable[[Any], Any] = numba.njit(cache=True, nogil=True)
    return jit(function)  # type: ignore[no-any-return]


@compiled
def _hash(a: int, b: int) -> int:
    """SplitMix64's finaliser over two counters (Steele et al., "Fast splittable generators", 2014)."""
    z = np.uint64(a) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(b) * np.uint64(0xD1B54A32D192ED03)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((z ^ (z >> np.uint64(31))) >> np.uint64(2))  # type: ignore[return-value]


@compiled
def mean_shift(delta: int) -> int:
    """How far a channel's mean moves, given the difference of the two patches' sums over SIDE * SIDE pixels."""
    moved = delta / (SIDE * SIDE * (1.0 + SHIFT_COST))
    return int(round(min(max(moved, -SHIFT_LIMIT), SHIFT_LIMIT)))  # noqa: RUF046 (compiled: round gives a float)


@compiled
def _distance(image: Array, sums: Array, ty: int, tx: int, sy: int, sx: int, limit: int) -> int:
    """Squared distance of two patches after the mean shift; FAR as soon as it cannot be below `limit`."""
    saved = 0.0
    for c in range(3):
        delta = sums[ty, tx, c] - sums[sy, sx, c]
        b = mean_shift(delta)
        saved += 2.0 * b * delta - SIDE * SIDE * (1.0 + SHIFT_COST) * b * b
    bound = limit + saved
    total = 0
    for y in range(-RADIUS, RADIUS + 1):
        row = np.int32(0)
        for x in range(-RADIUS, RADIUS + 1):
            for c in range(3):
                d = np.int32(image[ty + y, tx + x, c]) - np.int32(image[sy + y, sx + x, c])
                row += d * d
        total += int(row)
        if total > bound:
            return FAR
    return int(total - saved)


@compiled
def search(
    image: Array,
    sums: Array,
    targets: Array,
    valid: Array,
    field: Array,
    costs: Array,
    rounds: int,
    reach: int,
    seed: int,
) -> None:
    """Improve `field` in place.

    Args:
        image: int16 [h, w, 3]; the padded canvas with its current guess in the unknown part.
        sums: int32 [h, w, 3]; each patch's sum by channel.
        targets: int32 [n, 2]; target centres in scan order.
        valid: bool [h, w]; source centres.
        field: int32 [h, w, 2]; source centres (absolute), in and out.
        costs: int64 [h, w]; -1 off the targets; out.
        rounds: scans, alternating in direction.
        reach: pixels around the best match that the first random try may lie away.
        seed: of the random search.
    """
    width = valid.shape[1]
    count = len(targets)
    for i in range(count):
        ty, tx = targets[i]
        costs[ty, tx] = _distance(image, sums, ty, tx, field[ty, tx, 0], field[ty, tx, 1], FAR)
    for turn in range(rounds):
        step = 1 if turn % 2 == 0 else -1
        for k in range(count):
            i = k if step == 1 else count - 1 - k
            ty, tx = targets[i]
            best, by, bx = costs[ty, tx], field[ty, tx, 0], field[ty, tx, 1]
            for axis in range(2):
                ny, nx = ty - step * (axis == 0), tx - step * (axis == 1)
                sy, sx = field[ny, nx, 0] + ty - ny, field[ny, nx, 1] + tx - nx
                if costs[ny, nx] >= 0 and (sy != by or sx != bx) and _inside(valid, sy, sx):
                    cost = _distance(image, sums, ty, tx, sy, sx, best)
                    if cost < best:
                        best, by, bx = cost, sy, sx
            span, trial = reach, 0
            while span >= 1 and best > 4 * VALUES:
                drawn = _hash(seed + turn * 1000003 + trial * 7919, ty * width + tx)
                sy = by - span + drawn % (2 * span + 1)
                sx = bx - span + (drawn >> 24) % (2 * span + 1)
                if _inside(valid, sy, sx):
                    cost = _distance(image, sums, ty, tx, sy, sx, best)
                    if cost < best:
                        best, by, bx = cost, sy, sx
                span //= 2
                trial += 1
            costs[ty, tx], field[ty, tx, 0], field[ty, tx, 1] = best, by, bx


@compiled
def _inside(valid: Array, y: int, x: int) -> bool:
    return bool(0 <= y < valid.shape[0] and 0 <= x < valid.shape[1] and valid[y, x])


@compiled
def vote(
    image: Array, sums: Array, targets: Array, field: Array, weight: Array, reach: int, total: Array, mass: Array
) -> None:
    """Add every target patch's opinion of the pixels around its centre.

    Args:
        weight: float32 [h, w]; how much a target's opinion counts.
        reach: pixels around a centre that it may speak for, RADIUS at most; small is sharp.
        total: float32 [h, w, 3], mass: float32 [h, w]; out, the weighted sum and the sum of weights.
    """
    for i in range(len(targets)):
        ty, tx = targets[i]
        sy, sx = field[ty, tx]
        w = weight[ty, tx]
        for y in range(-reach, reach + 1):
            for x in range(-reach, reach + 1):
                mass[ty + y, tx + x] += w
        for c in range(3):
            b = mean_shift(sums[ty, tx, c] - sums[sy, sx, c])
            for y in range(-reach, reach + 1):
                for x in range(-reach, reach + 1):
                    total[ty + y, tx + x, c] += w * (image[sy + y, sx + x, c] + b)


@compiled
def gather(image: Array, guide: Array, known: Array, valid: Array, steps: Array, total: Array, mass: Array) -> None:
    """Copy full-resolution texture along small offsets, each pixel blended over its neighbours' offsets.

    Args:
        image: uint8 [H, W, 3]; the kept image on the placement.
        guide: int16 [h, w, 2]; small offsets.
        known: bool [H, W]; pixels that are kept: not touched.
        valid: bool [H, W]; pixels that may be copied.
        steps: float64 [n, 3]; (dy, dx, weight) where neighbouring offsets are read, in small pixels.
        total: float32 [H, W, 3], mass: float32 [H, W]; out.
    """
    height, width = known.shape
    low_h, low_w = guide.shape[:2]
    fy, fx = height / low_h, width / low_w
    for y in range(height):
        for x in range(width):
            if known[y, x]:
                continue
            gy, gx = (y + 0.5) / fy, (x + 0.5) / fx
            for s in range(len(steps)):
                qy = min(max(int(gy + steps[s, 0]), 0), low_h - 1)
                qx = min(max(int(gx + steps[s, 1]), 0), low_w - 1)
                dy, dx = guide[qy, qx]
                if dy == 0 and dx == 0:
                    continue
                sy, sx = y + int(np.floor(dy * fy + 0.5)), x + int(np.floor(dx * fx + 0.5))
                if 0 <= sy < height and 0 <= sx < width and valid[sy, sx]:
                    mass[y, x] += steps[s, 2]
                    for c in range(3):
                        total[y, x, c] += steps[s, 2] * image[sy, sx, c]
