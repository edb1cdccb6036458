"""The PatchMatch painter: extends a real scene with its own texture, never with the product's.

`paint` answers a candidate at bucket size and the offsets it copied along; `upscale` carries the offsets to the
placement's pixels, so that the bands are as sharp as the photograph. Bands are first quilted from large coherent pieces
(:mod:`transforms.ops.quilting`), beside the frame, then above and below; PatchMatch then mends the joins
(:mod:`transforms.ops.nearest_patches`; Barnes et al., SIGGRAPH 2009), voting as in Wexler et al., PAMI 2007.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops import quilting
from transforms.ops.extension import Frame, foreign, frame_of, promise, relit, spread_colours
from transforms.ops.nearest_patches import VALUES, gather, search, vote
from transforms.ops.patches import RADIUS, SIDE
from transforms.ops.seams import blend_generated_side
from transforms.ops.things import find_things

Pixels = NDArray[np.uint8]
Offsets = NDArray[np.int16]
Floats = NDArray[np.float32]
Sources = NDArray[np.int32]


@dataclass(frozen=True)
class PaintSettings:
    """What the painter weighs; chosen on benchmarks/outpaint_sheet.py.

    Attributes:
        across, down: how bands beside, and bands above and below, are quilted: horizons go on level, so beside the
            frame a shift along the seam costs more.
        rounds: of (match, vote) that mend the quilt's joins.
        scans: PatchMatch scans a round.
        reach: pixels around a match that are searched, halving.
        margin: dilation of the product, as a share of the shorter side, that is not copied from.
    """

    across: quilting.QuiltSettings = field(default_factory=lambda: quilting.QuiltSettings(lateral=2500.0))
    down: quilting.QuiltSettings = field(default_factory=quilting.QuiltSettings)
    rounds: int = 2
    scans: int = 2
    reach: int = 24
    margin: float = 0.03


SETTINGS = PaintSettings()
# Rows of the edge's own stuff, as a share of the shorter side, from which alone a band can be grown.
ENOUGH = 0.08


class _Canvas(NamedTuple):
    """A part of the canvas painted so far: pixels, the canvas pixel that each is copied from, what may be copied."""

    pixels: Floats
    sources: Sources
    bad: NDArray[np.bool_]

    def turned(self) -> _Canvas:
        """Rows and columns exchanged."""
        return _Canvas(*(np.ascontiguousarray(part.swapaxes(0, 1)) for part in self))

    def flipped(self) -> _Canvas:
        """Upside down."""
        return _Canvas(*(np.ascontiguousarray(part[::-1]) for part in self))


def paint(
    image: Pixels, product: Pixels, known: Pixels, prompt: str, seed: int, settings: PaintSettings = SETTINGS
) -> tuple[Pixels, Offsets]:
    """Fill the unknown part of a canvas.

    Args:
        image: uint8 [h, w, 3], RGB; the kept image on the canvas, anything elsewhere.
        product: uint8 [h, w]; the product's matte.
        known: uint8 [h, w]; 255 where kept: one rectangle.
        prompt: ignored: the scene speaks for itself.
        seed: of the small variation by which candidates differ.

    Returns:
        The candidate, uint8 [h, w, 3], equal to `image` where known; and its offsets, int16 [h, w, 2], (dy, dx) from
        each unknown pixel to the kept pixel it copies, zeros where known.

    Raises:
        ValueError: `known` is no rectangle or covers everything.
        NoSource: no strip of the kept image lies off the product.
    """
    del prompt
    frame = frame_of(known)
    banned = _banned(product, settings.margin) | _things(image, product, frame)
    inside = slice(frame.top, frame.bottom), slice(frame.left, frame.right)
    # a thing that ends at a seam ends there: bands join what would be behind it
    clean = spread_colours(image[inside], banned[inside])
    quilt = _quilt(clean, banned, frame, seed, settings)
    pixels, sources = _mend(quilt, known, banned, settings, seed)
    pixels = relit(pixels, clean, frame)
    height, width = known.shape
    grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=-1)
    kept = known > 0
    blended = blend_generated_side(pixels, image, kept)
    return blended, np.where(kept[..., None], 0, sources - grid).astype(np.int16)


def _banned(product: Pixels, margin: float) -> NDArray[np.bool_]:
    """The product and its surroundings; what a network half suspects (a slatted wall, say) is left to `_things`."""
    reach = max(1, round(margin * min(product.shape)))
    return np.asarray(cv2.dilate((product > 127).astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0)


def _things(image: Pixels, product: Pixels, frame: Frame) -> NDArray[np.bool_]:
    inside = slice(frame.top, frame.bottom), slice(frame.left, frame.right)
    found = np.zeros(product.shape, np.bool_)
    found[inside] = find_things(image[inside], product[inside] > 127)
    return found


def _quilt(clean: Pixels, banned: NDArray[np.bool_], frame: Frame, seed: int, settings: PaintSettings) -> _Canvas:
    """The canvas around a frame without things, filled: beside the frame first, then above and below."""
    inside = slice(frame.top, frame.bottom), slice(frame.left, frame.right)
    grid = np.stack(np.meshgrid(*(np.arange(n, dtype=np.int32) for n in banned.shape), indexing="ij"), axis=-1)
    start = _Canvas(clean.astype(np.float32), grid[inside], banned[inside])
    height, width = banned.shape
    wide = _both(start.turned(), frame.left, width - frame.right, seed, settings.across).turned()
    return _both(wide, frame.top, height - frame.bottom, seed + 1, settings.down)


def _both(canvas: _Canvas, before: int, behind: int, seed: int, settings: quilting.QuiltSettings) -> _Canvas:
    """`canvas` with rows before and behind it, each grown from it alone."""
    first = _grown(canvas.flipped(), before, seed + 2, settings).flipped()
    last = _grown(canvas, behind, seed, settings)
    return _Canvas(*(np.concatenate(parts) for parts in zip(first, canvas, last, strict=True)))


def _grown(canvas: _Canvas, count: int, seed: int, settings: quilting.QuiltSettings) -> _Canvas:
    if not count:
        return _Canvas(canvas.pixels[:0], canvas.sources[:0], canvas.bad[:0])
    clean = spread_colours(np.clip(canvas.pixels, 0, 255).astype(np.uint8), canvas.bad)
    bad = _enough(canvas.bad | foreign(clean), canvas.bad)
    rows = quilting.grow(canvas.pixels, bad, count, promise(clean, count), seed, settings)
    y, x = rows.sources[..., 0], rows.sources[..., 1]
    return _Canvas(rows.pixels, canvas.sources[y, x], canvas.bad[y, x])


def _enough(strict: NDArray[np.bool_], bad: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`strict` where it leaves an edge's depth to copy from along half of the edge, else `bad`."""
    deep = max(1, round(ENOUGH * min(bad.shape)))
    return strict if (~strict[-deep:]).all(axis=0).mean() > 0.5 * (~bad[-deep:]).all(axis=0).mean() else bad


def _mend(
    quilt: _Canvas, known: Pixels, banned: NDArray[np.bool_], settings: PaintSettings, seed: int
) -> tuple[Pixels, Sources]:
    """Match and vote in turn around the quilt's own sources: joins close, coherent pieces stay as they are."""
    image = _padded(np.clip(np.rint(quilt.pixels), 0, 255).astype(np.int16))
    around = np.ones((SIDE, SIDE), np.uint8)
    clean = np.pad((known > 0) & ~banned, RADIUS)
    valid = np.asarray(cv2.erode(clean.astype(np.uint8), around) > 0) & np.pad(np.ones_like(banned), RADIUS)
    unknown = known == 0
    targets = np.argwhere(np.pad(cv2.dilate(unknown.astype(np.uint8), around) > 0, RADIUS)).astype(np.int32)
    chosen = np.ascontiguousarray(
        _onto_valid(valid, np.pad(quilt.sources + RADIUS, ((RADIUS,) * 2, (RADIUS,) * 2, (0, 0))))
    )
    costs = np.full(valid.shape, -1, np.int64)
    for turn in range(settings.rounds):
        sums = _patch_sums(image)
        search(image, sums, targets, valid, chosen, costs, settings.scans, settings.reach, seed + 131 * turn)
        image = _voted(image, np.pad(unknown, RADIUS), sums, targets, chosen, costs, 1 if turn else RADIUS)
    inside = slice(RADIUS, -RADIUS), slice(RADIUS, -RADIUS)
    return image[inside].astype(np.uint8), chosen[inside] - RADIUS


def _padded(image: NDArray[np.int16]) -> NDArray[np.int16]:
    return np.pad(image, ((RADIUS, RADIUS), (RADIUS, RADIUS), (0, 0)), mode="edge")


def _onto_valid(valid: NDArray[np.bool_], sources: Sources) -> Sources:
    """Every source moved to the nearest whose whole patch may be copied."""
    if not valid.any():
        raise quilting.NoSource("no patch of the kept image lies off the product")
    _, labels = cv2.distanceTransformWithLabels(
        (~valid).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    where = np.zeros((int(labels.max()) + 1, 2), np.int32)
    where[labels[valid]] = np.argwhere(valid)
    y = np.clip(sources[..., 0], 0, valid.shape[0] - 1)
    x = np.clip(sources[..., 1], 0, valid.shape[1] - 1)
    return np.asarray(where[labels[y, x]])


def _patch_sums(image: NDArray[np.int16]) -> NDArray[np.int32]:
    means = cv2.boxFilter(image.astype(np.float32), -1, (SIDE, SIDE), normalize=False, borderType=cv2.BORDER_REPLICATE)
    return np.rint(means).astype(np.int32)


def _voted(
    image: NDArray[np.int16],
    unknown: NDArray[np.bool_],
    sums: NDArray[np.int32],
    targets: NDArray[np.int32],
    chosen: Sources,
    costs: NDArray[np.int64],
    reach: int,
) -> NDArray[np.int16]:
    """The unknown pixels as the patches around them would have them, good matches counting more."""
    total, mass = np.zeros(image.shape, np.float32), np.zeros(image.shape[:2], np.float32)
    there = costs >= 0
    spread = max(float(np.percentile(costs[there], 75)), 4.0 * VALUES)
    weight = np.where(there, np.exp(-costs / (0.5 * spread)), 0.0).astype(np.float32) + np.float32(1e-6)
    vote(image, sums, targets, chosen, weight, reach, total, mass)
    told = unknown & (mass > 0)
    out = image.copy()
    out[told] = np.clip(np.rint(total[told] / mass[told][:, None]), 0, 255).astype(np.int16)
    return _padded(out[RADIUS:-RADIUS, RADIUS:-RADIUS])


def upscale(
    image: Pixels,
    product: Pixels,
    known: Pixels,
    candidate: Pixels,
    guide: Offsets,
    prompt: str,
    seed: int,
    settings: PaintSettings = SETTINGS,
) -> Pixels:
    """Bring a candidate to the placement's pixels: the photograph's own texture along the candidate's offsets.

    Args:
        image: uint8 [H, W, 3]; the kept image on the placement.
        product: uint8 [H, W]; the product's matte; known: uint8 [H, W], 255 where kept.
        candidate: uint8 [h, w, 3], guide: int16 [h, w, 2]; what `paint` answered.
        prompt: ignored; seed: ignored: nothing is drawn here.

    Returns:
        uint8 [H, W, 3], equal to `image` where known.
    """
    del prompt, seed
    height, width = known.shape
    kept = known > 0
    valid = kept & ~_banned(product, settings.margin / 2)
    total, mass = np.zeros(image.shape, np.float32), np.zeros(kept.shape, np.float32)
    gather(image, guide, kept, valid, _STEPS, total, mass)
    smooth = cv2.resize(candidate, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    copied = np.where(mass[..., None] > 0, total / np.maximum(mass, 1e-6)[..., None], smooth)
    copied[kept] = image[kept]
    corrected = copied + _low(smooth - copied, height / candidate.shape[0])
    return blend_generated_side(np.clip(np.rint(corrected), 0, 255).astype(np.uint8), image, kept)


def _low(difference: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """What the candidate knows better: colours coarser than a few of its pixels."""
    return np.asarray(cv2.GaussianBlur(difference, (0, 0), 2.0 * factor), np.float32)


_STEPS = np.array(
    [
        (dy, dx, float(np.exp(-(dy * dy + dx * dx) / 0.5)))
        for dy in (-0.75, -0.25, 0.25, 0.75)
        for dx in (-0.75, -0.25, 0.25, 0.75)
    ]
)
