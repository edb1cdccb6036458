"""Where several products go in one scene: a row of whole products that stand on one line, none before another.

Nothing in a picture says how large its product is. Where real heights are known, the products keep their proportions;
otherwise each covers the same area, so that none is lost beside a bulky one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from transforms.errors import Skipped
from transforms.ops.geometry import IDENTITY, LANCZOS, outwards
from transforms.placements import Placement
from transforms.records import Box, Size, Transform

_SHRINKS = 100  # by 1 % each, until rounding to whole pixels lets everything fit


class Piece(NamedTuple):
    """A product to be placed: its source's size, its bounding box there, and its real height, None where unknown."""

    source: Size
    box: Box
    height: float | None = None


@dataclass(frozen=True)
class ArrangementLimits:
    """How a row of products is laid out.

    Attributes:
        max_fill: share of the safe zone's width that the row may take.
        max_height: share of the safe zone's height that the tallest product may take.
        gap: between neighbours, as a share of the products' mean width: at least, and where there is room.
        rise: share of the free height that is left below a row that stands; one that does not stand is centred.
        max_upscale: source pixels are never stretched further.
        max_scaled_pixels: the largest resampled source.
    """

    max_fill: float = 0.96
    max_height: float = 0.74
    gap: tuple[float, float] = (0.12, 0.3)
    rise: float = 0.35
    max_upscale: float = 2.0
    max_scaled_pixels: int = 80_000_000


def arrange(
    pieces: Sequence[Piece],
    placement: Placement,
    *,
    standing: bool = True,
    limits: ArrangementLimits | None = None,
) -> tuple[Transform, ...]:
    """A transform for each product, from left to right in the order given.

    The boxes lie within the safe zone and apart from each other. Products that stand share the line of their lowest
    rows, others that of their centres. Real heights count where all pieces have one.

    Args:
        pieces: one or more, with boxes that are not empty.
        placement: where they go.
        standing: whether they stand on a floor; they hang or lie otherwise.
        limits: see :class:`ArrangementLimits`.

    Raises:
        Skipped: `no_room`, they do not fit side by side; `frame_too_large`, a source is too large once resampled.
    """
    limits = limits or ArrangementLimits()
    heights = _relative_heights(pieces)
    zone = placement.safe_zone
    unit = _largest(pieces, heights, zone.size, limits)
    for _ in range(_SHRINKS):
        scales = [_scale(piece, unit * height, limits) for piece, height in zip(pieces, heights, strict=True)]
        laid = [_scaled(piece, scale) for piece, scale in zip(pieces, scales, strict=True)]
        lefts = _lefts([each.box.size.width for each in laid], zone, limits)
        if lefts is not None and max(each.box.size.height for each in laid) <= zone.size.height:
            tops = _tops([each.box.size.height for each in laid], zone, limits, standing)
            _refuse_huge(max(each.scaled.height * each.scaled.width for each in laid), limits)
            rows = zip(pieces, scales, laid, tops, lefts, strict=True)
            return tuple(_transform(*row) for row in rows)
        unit *= 0.99
    raise Skipped("no_room", "the products do not fit side by side into the safe zone")


def _refuse_huge(pixels: int, limits: ArrangementLimits) -> None:
    if pixels > limits.max_scaled_pixels:
        detail, limit = "a resampled image would be too large", float(limits.max_scaled_pixels)
        raise Skipped("frame_too_large", detail, value=float(pixels), limit=limit)


def _relative_heights(pieces: Sequence[Piece]) -> list[float]:
    """How tall the products are, in one unit."""
    real = [piece.height for piece in pieces if piece.height is not None]
    if len(real) == len(pieces):
        return real
    return [sqrt(piece.box.size.height / piece.box.size.width) for piece in pieces]


def _largest(pieces: Sequence[Piece], heights: Sequence[float], zone: Size, limits: ArrangementLimits) -> float:
    """The largest pixels for one unit of height that the zone and the sources' own pixels allow."""
    count = len(pieces)
    boxes = [piece.box.size for piece in pieces]
    width = sum(height * box.width / box.height for height, box in zip(heights, boxes, strict=True))
    across = limits.max_fill * zone.width / (width * (1 + limits.gap[0] * (count - 1) / count))
    down = limits.max_height * zone.height / max(heights)
    sharp = min(limits.max_upscale * box.height / height for height, box in zip(heights, boxes, strict=True))
    return min(across, down, sharp)


def _scale(piece: Piece, height: float, limits: ArrangementLimits) -> float:
    # multiplied and divided again, the limit itself can come out a rounding error above it
    return min(height / piece.box.size.height, limits.max_upscale)


class _Laid(NamedTuple):
    """A resampled source's size and the product's box in it."""

    scaled: Size
    box: Box


def _scaled(piece: Piece, scale: float) -> _Laid:
    scaled = Size(*(max(1, round(side * scale)) for side in piece.source))
    top, bottom = outwards(piece.box.top, piece.box.bottom, piece.source.height, scaled.height)
    left, right = outwards(piece.box.left, piece.box.right, piece.source.width, scaled.width)
    return _Laid(scaled, Box(top, left, bottom, right))


def _lefts(widths: Sequence[int], zone: Box, limits: ArrangementLimits) -> list[int] | None:
    """The left column of each box, the row in the zone's middle; None where it does not fit."""
    count, total = len(widths), sum(widths)
    least, most = (share * total / count for share in limits.gap)
    room = (zone.size.width - total) / (count - 1) if count > 1 else 0.0
    if total > zone.size.width or room < least * (count > 1):
        return None
    # the room between neighbours and at both ends grows alike, as far as it may
    gap = int(min(max((zone.size.width - total) / (count + 1), least), most, room)) if count > 1 else 0
    left = zone.left + (zone.size.width - total - gap * (count - 1)) // 2
    lefts = []
    for width in widths:
        lefts.append(left)
        left += width + gap
    return lefts


def _tops(heights: Sequence[int], zone: Box, limits: ArrangementLimits, standing: bool) -> list[int]:
    tallest = max(heights)
    free = zone.size.height - tallest
    if standing:
        floor = zone.bottom - round(limits.rise * free)
        return [floor - height for height in heights]
    centre = zone.top + zone.size.height / 2
    return [max(zone.top, round(centre - height / 2)) for height in heights]


def _transform(piece: Piece, scale: float, laid: _Laid, top: int, left: int) -> Transform:
    same = laid.scaled == piece.source
    offset = top - laid.box.top, left - laid.box.left
    return Transform(1.0 if same else scale, laid.scaled, *offset, IDENTITY if same else LANCZOS)
