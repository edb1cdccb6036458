"""Strips of the kept image laid outward along a seam: the quilt that PatchMatch refines.

A band is grown strip by strip. For every column of a strip, Viterbi chooses the shift that its texture is copied
along: the source above must look like what the strip joins (Efros and Freeman, "Image quilting", SIGGRAPH 2001), the
source must have the colours that the edge promises (so that floors go on as floors, and no object comes twice), may
not touch the product, costs more when it was used before, and a change of shift between two columns costs what it
shows (shift maps: Pritch et al., ICCV 2009; He and Sun, ECCV 2012). A shift that goes on in the next strip costs
nothing, so large coherent pieces form by themselves, and regular patterns stay regular.

Everything here extends an image downward; callers flip and transpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.quilt_kernels import change_costs, cheapest_cut, join_costs, viterbi

Floats = NDArray[np.float32]
NEVER = np.float32(1e12)
# Colours further than this from the promised ones belong to another thing.
FOREIGN = 28.0


class NoSource(ValueError):
    """Nothing but the product is left to copy from."""


@dataclass(frozen=True)
class QuiltSettings:
    """What a strip's shifts are weighed by; costs are squared levels a value (of 255).

    Attributes:
        depth: rows of a strip, as a share of the image's shorter side.
        overlap: rows above the join that must look alike.
        window: columns around a column that are compared with it.
        promise: weight of the low-frequency colours that the edge promises.
        lateral: cost of moving sideways by the whole width.
        inward: cost of a source that lies the whole height away from the edge.
        reuse: cost of a source that was copied once before.
        change: constant cost of a change of shift between two columns, in rows of one level.
        near: rows from the edge, as a share of the height, that should hold something to copy,
        free: in this share of the columns; strips get thinner until they do.
        labels: shifts kept for the choice, for each column of a coarse grid.
        grid: columns of that grid.
    """

    depth: float = 0.09
    overlap: int = 12
    window: int = 24
    promise: float = 0.6
    lateral: float = 250.0
    inward: float = 60.0
    reuse: float = 25.0
    change: float = 400.0
    near: float = 0.12
    free: float = 0.7
    labels: int = 3
    grid: int = 20


SETTINGS = QuiltSettings()


def _planes(image: Floats, scale: int) -> NDArray[np.int16]:
    """int16 [3, h, w], every `scale`-th pixel; levels rounded."""
    return np.ascontiguousarray(np.rint(image[::scale, ::scale]).astype(np.int16).transpose(2, 0, 1))


class Grown(NamedTuple):
    """New rows, float32 [n, w, 3], and the image's pixel that each was copied from, int32 [n, w, 2]."""

    pixels: Floats
    sources: NDArray[np.int32]


class _Shifts(NamedTuple):
    """Labels: the source row of a strip's first row, and the sideways shift."""

    tops: NDArray[np.int64]
    moves: NDArray[np.int64]


class _Strip(NamedTuple):
    """What the choice of a strip's shifts looks at."""

    image: Floats
    low: Floats
    blocked: NDArray[np.bool_]
    used: Floats
    edge: Floats
    wanted: Floats
    thick: int


def grow(
    image: Floats,
    bad: NDArray[np.bool_],
    count: int,
    promise: Floats,
    seed: int,
    settings: QuiltSettings = SETTINGS,
) -> Grown:
    """`count` rows below `image`.

    Args:
        image: float32 [h, w, 3]; bad: bool [h, w], pixels that may not be copied.
        promise: float32 [count, w, 3]; the low-frequency colours that the new rows should have.
        seed: of the small variation among near-equal shifts.
    """
    height, width = bad.shape
    depth, overlap = _depth(bad, settings)
    low = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.25 * depth, borderType=cv2.BORDER_REFLECT), np.float32)
    used = np.zeros(bad.shape, np.float32)
    whole, origin = image, np.empty((0, width, 2), np.int32)
    drawn = np.random.Generator(np.random.Philox(key=seed))
    while len(whole) - height < count:
        done = len(whole) - height
        thick = min(depth, count - done)
        strip = _Strip(
            image,
            low,
            _blocked(bad, thick, overlap),
            used,
            np.ascontiguousarray(whole[-overlap:]),
            promise[done : done + thick].mean(axis=0),
            thick,
        )
        laid = _lay_strip(strip, drawn, settings)
        np.add.at(used, (laid.sources[overlap:, :, 0].ravel(), laid.sources[overlap:, :, 1].ravel()), 1.0)
        whole, origin = _join(whole, origin, laid, overlap, fixed=done == 0)
    return Grown(whole[height:], origin)


def _depth(bad: NDArray[np.bool_], settings: QuiltSettings) -> tuple[int, int]:
    """Rows of a strip and of its overlap: as deep as leaves enough of the kept edge to copy from."""
    height = len(bad)
    deepest = int(np.clip(round(settings.depth * min(bad.shape)), 8, max(8, height // 3)))
    for share in (1.0, 0.75, 0.5, 0.35):
        depth = max(4, round(share * deepest))
        overlap = max(2, min(settings.overlap, depth * 2 // 3, height // 4))
        blocked = _blocked(bad, depth, overlap)
        near = blocked[max(overlap, height - depth - round(settings.near * height)) : height - depth + 1]
        if (~near).any(axis=0).mean() >= settings.free:
            break
    return depth, overlap


def _blocked(bad: NDArray[np.bool_], thick: int, overlap: int) -> NDArray[np.bool_]:
    """Where a strip may not begin: its rows, overlap included, would meet a bad pixel."""
    kernel = np.ones((thick + overlap, 1), np.uint8)
    return np.asarray(cv2.dilate(bad.astype(np.uint8), kernel, anchor=(0, thick - 1)) > 0)


def _lay_strip(strip: _Strip, drawn: np.random.Generator, settings: QuiltSettings) -> Grown:
    """The strip with its overlap above it, by the best path of shifts."""
    shifts = _propose(strip, drawn, settings)
    width = strip.blocked.shape[1]
    at = np.clip(np.arange(width)[:, None] + shifts.moves[None, :], 0, width - 1)
    unary, moved = _unary(strip, shifts, at, settings)
    change = np.zeros((width, *unary.shape[1:], *unary.shape[1:]), np.float32)
    usable = unary < NEVER
    stride = max(1, strip.thick // 12)
    planes = _planes(strip.image, 1)
    change_costs(planes, shifts.tops, shifts.moves, strip.thick, usable, stride, settings.change, change)
    path = _best_path(unary, change)
    columns, overlap = np.arange(width), len(strip.edge)
    rows = np.arange(-overlap, strip.thick)[:, None]
    source_y = shifts.tops[path][None, :] + rows
    source_x = np.broadcast_to(at[columns, path][None, :], source_y.shape)
    copied = strip.image[source_y, source_x] + moved[columns, path][None]
    return Grown(copied.astype(np.float32), np.stack([source_y, source_x], axis=-1).astype(np.int32))


def _best_path(unary: Floats, change: Floats) -> NDArray[np.int64]:
    back, best = np.zeros(unary.shape, np.int64), np.zeros(unary.shape, np.float64)
    viterbi(unary, change, back, best)
    path = np.empty(len(unary), np.int64)
    path[-1] = int(best[-1].argmin())
    for x in range(len(unary) - 1, 0, -1):
        path[x - 1] = back[x, path[x]]
    return path


def _join(
    whole: Floats, origin: NDArray[np.int32], laid: Grown, overlap: int, *, fixed: bool
) -> tuple[Floats, NDArray[np.int32]]:
    """`whole` with the strip below it; where the rows above are painted too, along the cheapest cut through both."""
    if fixed:
        return np.concatenate([whole, laid.pixels[overlap:]]), np.concatenate([origin, laid.sources[overlap:]])
    rows = min(overlap, len(origin))
    gap = ((whole[-rows:] - laid.pixels[overlap - rows : overlap]) ** 2).sum(axis=2)
    cut = np.empty(gap.shape[1], np.int64)
    cheapest_cut(gap, cut)
    old = (np.arange(rows)[:, None] < cut[None, :])[..., None]
    seam = np.where(old, whole[-rows:], laid.pixels[overlap - rows : overlap])
    seam_origin = np.where(old, origin[-rows:], laid.sources[overlap - rows : overlap])
    return (
        np.concatenate([whole[:-rows], seam, laid.pixels[overlap:]]),
        np.concatenate([origin[:-rows], seam_origin, laid.sources[overlap:]]),
    )


def _propose(strip: _Strip, drawn: np.random.Generator, settings: QuiltSettings) -> _Shifts:
    """The most promising shifts: searched at half size, then set to the pixel."""
    height, width = strip.blocked.shape
    overlap = len(strip.edge)
    rows = np.arange(overlap, height - strip.thick + 1, 2)[::-1]
    span = int(0.45 * width)
    moves = np.unique(np.concatenate([np.arange(-span, span + 1, 6), np.arange(-16, 17, 2)])) // 2 * 2
    centres = np.linspace(0, width - 1, settings.grid).astype(np.int64)
    costs = np.empty((len(centres), len(rows), len(moves)), np.float32)
    edge, image = _planes(strip.edge, 2), _planes(strip.image, 2)
    join_costs(edge, image, strip.blocked, rows, moves, settings.window // 2, centres, 2, costs)
    costs += _prior(rows[:, None], moves[None, :], strip.blocked.shape, settings)[None]
    columns = np.clip(centres[:, None] + moves[None, :], 0, width - 1)
    for step in (0, strip.thick // 2, strip.thick - 1):
        gap = strip.low[rows + step][:, columns] - strip.wanted[centres][None, :, None]
        costs += _broken(gap, settings).transpose(1, 0, 2)
    costs += settings.reuse * strip.used[rows + strip.thick // 2][:, columns].transpose(1, 0, 2)
    costs *= 1.0 + 0.1 * drawn.random(costs.shape, dtype=np.float32)
    return _to_the_pixel(strip, centres, rows, moves, _leaders(costs, settings.labels), settings)


def _broken(gap: Floats, settings: QuiltSettings) -> Floats:
    """What a third of a strip costs whose colours are `gap` (..., 3) levels from the promised ones."""
    square = (gap**2).mean(axis=-1)
    return np.asarray(settings.promise / 3 * (square + 4 * np.maximum(square - FOREIGN**2, 0)), np.float32)


def _prior(rows: NDArray[Any], moves: NDArray[Any], shape: tuple[int, ...], settings: QuiltSettings) -> Floats:
    inward = settings.inward * (rows.max() - rows) / shape[0]
    lateral = settings.lateral * np.abs(moves) / shape[1]
    return np.asarray(inward + lateral, np.float32)


def _leaders(costs: Floats, keep: int) -> list[tuple[int, int, int]]:
    """The best (column, row, shift) indices of every grid column, not next to each other."""
    found: list[tuple[int, int, int]] = []
    for column, line in enumerate(costs):
        flat = line.ravel()
        order = np.argpartition(flat, 300)[:300] if flat.size > 300 else np.arange(flat.size)
        taken: list[tuple[int, int]] = []
        for k in order[np.argsort(flat[order], kind="stable")]:
            r, s = divmod(int(k), line.shape[1])
            if flat[k] >= NEVER / 2 or len(taken) == keep:
                break
            if all(abs(r - a) > 2 or abs(s - b) > 1 for a, b in taken):
                taken.append((r, s))
        found += [(column, r, s) for r, s in taken]
    return found


def _to_the_pixel(
    strip: _Strip,
    centres: NDArray[np.int64],
    rows: NDArray[np.int64],
    moves: NDArray[np.int64],
    leaders: list[tuple[int, int, int]],
    settings: QuiltSettings,
) -> _Shifts:
    """Every leader moved to the best of the pixels around it; equal ones merged."""
    if not leaders:
        raise NoSource("no strip of the kept image lies off the product")
    found = np.empty((len(leaders), 2), np.int64)
    edge, image = _planes(strip.edge, 1), _planes(strip.image, 1)
    for i, (column, r, s) in enumerate(leaders):
        near_rows = np.clip(rows[r] + np.arange(-1, 2), len(strip.edge), len(strip.blocked) - strip.thick)
        near_moves = moves[s] + np.arange(-2, 3)
        cost = np.empty((1, 3, 5), np.float32)
        centre = centres[column : column + 1]
        join_costs(edge, image, strip.blocked, near_rows, near_moves, settings.window, centre, 1, cost)
        a, b = np.unravel_index(int(cost[0].argmin()), (3, 5))
        found[i] = near_rows[a], near_moves[b]
    unique = np.unique(found, axis=0)
    return _Shifts(unique[:, 0].copy(), unique[:, 1].copy())


def _unary(strip: _Strip, shifts: _Shifts, at: NDArray[np.int64], settings: QuiltSettings) -> tuple[Floats, Floats]:
    """Cost of every shift at every column, [w, k], and the shift of mean colour that goes with it, [w, k, 3]."""
    width, overlap = len(at), len(strip.edge)
    columns = np.arange(width)[:, None] + shifts.moves[None, :]
    unary = np.empty(at.shape, np.float32)
    moved = np.empty((*at.shape, 3), np.float32)
    span = (2 * settings.window + 1, 1)
    for k, top in enumerate(shifts.tops):
        gap = np.asarray(strip.edge - strip.image[top - overlap : top, at[:, k]], np.float32)
        line, square = cv2.reduce(gap, 0, cv2.REDUCE_AVG), cv2.reduce(gap * gap, 0, cv2.REDUCE_AVG)
        mean = cv2.blur(line, span, borderType=cv2.BORDER_REFLECT)[0]
        spread = cv2.blur(square, span, borderType=cv2.BORDER_REFLECT)[0] - mean**2
        b = moved[:, k] = np.clip(mean / (1.2 + spread / 300.0), -16, 16)
        left = (square[0] - 2 * b * line[0] + 1.5 * b * b).mean(axis=1)
        unary[:, k] = cv2.blur(left[None], (9, 1), borderType=cv2.BORDER_REFLECT)[0]
        for step in (0, strip.thick // 2, strip.thick - 1):
            unary[:, k] += _broken(strip.low[top + step, at[:, k]] - strip.wanted, settings)
        unary[:, k] += settings.reuse * strip.used[top + strip.thick // 2, at[:, k]]
    unary += _prior(shifts.tops, shifts.moves, strip.blocked.shape, settings)[None]
    unary[(columns < 0) | (columns >= width) | strip.blocked[shifts.tops[None, :], at]] = NEVER
    return unary, moved
