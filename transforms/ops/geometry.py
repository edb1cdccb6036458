"""How a source is mapped onto a placement: one resampling, one offset, recorded in a `Transform`.

Sizes are (height, width), boxes (top, left, bottom, right) half open, both in pixels. A source is resampled once,
as a whole, by Pillow's LANCZOS (kernel `lanczos3`) to `Transform.scaled`, and its top left corner is laid at
(top, left) of the canvas. Nothing else ever touches the product's pixels, so anyone can repeat it from four integers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from transforms.records import Box, Mask, Matte, Pixels, Size, Transform

LANCZOS, IDENTITY = "lanczos3", "identity"


def resample(pixels: Pixels, scaled: Size) -> Pixels:
    """`pixels` (uint8 [H, W, 3]) at `scaled` pixels by LANCZOS; the very same array where the size is unchanged."""
    if pixels.shape[:2] == tuple(scaled):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((scaled.width, scaled.height), Image.Resampling.LANCZOS))


def resample_matte(matte: Matte, scaled: Size) -> Matte:
    """`matte` (float32 [H, W] in [0, 1]) at `scaled` pixels by the same kernel, its overshoot clipped to [0, 1]."""
    if matte.shape == tuple(scaled):
        return matte
    image = Image.fromarray(np.ascontiguousarray(matte, dtype=np.float32))
    resized = image.resize((scaled.width, scaled.height), Image.Resampling.LANCZOS)
    return np.clip(np.asarray(resized), 0.0, 1.0)


class Overlap(NamedTuple):
    """The part that a laid source and its canvas share, in the coordinates of each; empty boxes where none."""

    canvas: Box
    scaled: Box


def overlap(transform: Transform, canvas: Size) -> Overlap:
    """What of the canvas the laid source covers, and with which of its pixels."""
    top, bottom = _shared(transform.top, transform.scaled.height, canvas.height)
    left, right = _shared(transform.left, transform.scaled.width, canvas.width)
    there = Box(top, left, bottom, right)
    return Overlap(
        there,
        Box(top - transform.top, left - transform.left, bottom - transform.top, right - transform.left),
    )


def _shared(offset: int, length: int, room: int) -> tuple[int, int]:
    start = min(max(offset, 0), room)
    return start, max(start, min(offset + length, room))


def lay(
    scaled_pixels: NDArray[Any], transform: Transform, canvas: Size, fill: int | float | tuple[int, ...] = 0
) -> tuple[NDArray[Any], Mask]:
    """Lay a resampled source, matte or mask onto an empty canvas.

    Args:
        scaled_pixels: [h, w] or [h, w, C] at `transform.scaled`.
        transform: gives the offset; what falls outside the canvas is dropped.
        canvas: the result's size.
        fill: what the rest holds.

    Returns:
        The canvas, of the same dtype, and the known region: bool [H, W], true where the source lies.
    """
    there, here = overlap(transform, canvas)
    laid = np.full((*canvas, *scaled_pixels.shape[2:]), fill, dtype=scaled_pixels.dtype)
    known = np.zeros(canvas, dtype=bool)
    laid[there.top : there.bottom, there.left : there.right] = scaled_pixels[
        here.top : here.bottom, here.left : here.right
    ]
    known[there.top : there.bottom, there.left : there.right] = True
    return laid, known


def to_placement(box: Box, source: Size, transform: Transform) -> Box:
    """Where a box of the source lies on the placement, rounded outwards; it may reach beyond the placement.

    >>> to_placement(Box(1, 2, 3, 4), Size(10, 10), Transform(0.5, Size(5, 5), 100, -3, "lanczos3"))
    Box(top=100, left=-2, bottom=102, right=-1)
    """
    top, bottom = outwards(box.top, box.bottom, source.height, transform.scaled.height)
    left, right = outwards(box.left, box.right, source.width, transform.scaled.width)
    return Box(top + transform.top, left + transform.left, bottom + transform.top, right + transform.left)


def to_source(box: Box, source: Size, transform: Transform) -> Box:
    """Which pixels of the source a box of the placement shows, rounded outwards and clipped to the source."""
    scaled = transform.scaled
    top, bottom = outwards(box.top - transform.top, box.bottom - transform.top, scaled.height, source.height)
    left, right = outwards(box.left - transform.left, box.right - transform.left, scaled.width, source.width)
    top, left = min(max(top, 0), source.height), min(max(left, 0), source.width)
    return Box(top, left, max(top, min(bottom, source.height)), max(left, min(right, source.width)))


def outwards(start: int, end: int, length: int, scaled: int) -> tuple[int, int]:
    """floor(start * scale) and ceil(end * scale) for scale = scaled / length, in integers: no float's doubt."""
    return start * scaled // length, -(-end * scaled // length)
