"""The product as it must look on a placement, recomputed from the recorded numbers alone.

This module shares no code with the one that lays the product (`transforms.ops.geometry`) nor with Pillow's resampler:
it follows the published definition of Pillow's 8-bit convolution (libImaging/Resample.c) in exact arithmetic, so
that an error in either shows as a difference.

LANCZOS, three lobes: an output pixel's centre lies at (i + 0.5) * s, s = source / scaled length; its support is
3 * max(s, 1) to both sides; weights are normalised, rounded to 22 fractional bits, and every sum is rounded and clipped
to 8 bits. Rows are filtered first, then columns, each only where its length changes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_BITS = 22
_LOBES = 3.0
_CHUNK = 1 << 21  # float64 values in flight: 16 MiB


class Placing(NamedTuple):
    """What the index records of a mapping: kernel, scaled height and width, top and left on the placement."""

    kernel: str
    height: int
    width: int
    top: int
    left: int


class Reference(NamedTuple):
    """The recomputed pixels of a window: uint8 [h, w, 3], and its corner (top, left) on the placement."""

    pixels: Pixels
    top: int
    left: int


def differing_pixels(scene: Pixels, core: Mask, source: Pixels, placing: Placing) -> int:
    """How many core pixels of a scene are not exactly the resampled source's.

    Args:
        scene: uint8 [h, w, 3]; core: bool [h, w]; source: uint8 [H, W, 3], decoded, oriented, sRGB.

    Raises:
        ValueError: the kernel is unknown, or contradicts the sizes.
    """
    rows, columns = np.flatnonzero(core.any(axis=1)), np.flatnonzero(core.any(axis=0))
    if not len(rows):
        return 0
    window = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    covered = core.copy()
    top, left = max(int(window[0]), placing.top), max(int(window[1]), placing.left)
    bottom = min(int(window[2]), placing.top + placing.height)
    right = min(int(window[3]), placing.left + placing.width)
    if bottom <= top or right <= left:
        return int(core.sum())
    expected = recompute(source, placing, (top, left, bottom, right)).pixels
    covered[top:bottom, left:right] = False
    there = core[top:bottom, left:right]
    wrong = (scene[top:bottom, left:right] != expected).any(axis=2) & there
    return int(wrong.sum()) + int(covered.sum())


def recompute(source: Pixels, placing: Placing, window: tuple[int, int, int, int]) -> Reference:
    """The resampled source within `window`, (top, left, bottom, right) on the placement, which it must cover.

    Raises:
        ValueError: the kernel is unknown or contradicts the sizes, or the window leaves the source.
    """
    top, left, bottom, right = window
    first_row, last_row = top - placing.top, bottom - placing.top
    first_column, last_column = left - placing.left, right - placing.left
    if first_row < 0 or first_column < 0 or last_row > placing.height or last_column > placing.width:
        raise ValueError(f"window {window} leaves the laid source {placing}")
    same = source.shape[:2] == (placing.height, placing.width)
    if placing.kernel == "identity" and same:
        return Reference(source[first_row:last_row, first_column:last_column], top, left)
    if placing.kernel != "lanczos3" or same:
        raise ValueError(f"kernel {placing.kernel!r} from {source.shape[:2]} to {(placing.height, placing.width)}")
    across = np.ascontiguousarray(source.transpose(1, 0, 2))
    narrowed = _filtered(across, placing.width, first_column, last_column).transpose(1, 0, 2)
    return Reference(_filtered(np.ascontiguousarray(narrowed), placing.height, first_row, last_row), top, left)


def _filtered(lines: Pixels, length: int, first: int, last: int) -> Pixels:
    """Output lines first..last of `lines` (uint8 [n, m, 3]) resampled along axis 0 from n to `length`."""
    count = len(lines)
    if count == length:
        return lines[first:last]
    flat = lines.reshape(count, -1)
    out = np.empty((last - first, flat.shape[1]), np.uint8)
    taps = [_taps(index, count, length) for index in range(first, last)]
    start, stop = taps[0][0], max(begin + len(weights) for begin, weights in taps)
    step = max(1, _CHUNK // (stop - start))
    for at in range(0, flat.shape[1], step):
        part = flat[start:stop, at : at + step].astype(np.float64)
        for row, (begin, weights) in enumerate(taps):
            # sums stay below 2**53, so float64 adds them exactly
            sums = weights @ part[begin - start : begin - start + len(weights)]
            out[row, at : at + step] = np.clip(np.floor((sums + 2.0 ** (_BITS - 1)) / 2.0**_BITS), 0, 255)
    return out.reshape(last - first, *lines.shape[1:])


def _taps(index: int, count: int, length: int) -> tuple[int, NDArray[np.float64]]:
    """The first source line and the integer weights of one output line."""
    scale = count / length
    stretch = max(scale, 1.0)
    centre, support = (index + 0.5) * scale, _LOBES * stretch
    begin = max(int(centre - support + 0.5), 0)
    end = min(int(centre + support + 0.5), count)
    at = (np.arange(begin, end) - centre + 0.5) * (1.0 / stretch)
    weights = np.where(np.abs(at) < _LOBES, np.sinc(at) * np.sinc(at / _LOBES), 0.0)
    weights = weights / weights.sum()
    return begin, np.trunc(weights * 2.0**_BITS + np.where(weights < 0, -0.5, 0.5))
