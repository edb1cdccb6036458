"""Is a picture a swatch, a texture or a tiling rather than a product? Two measures, both in [0, 1]."""

from __future__ import annotations

from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.backdrop import to_lab
from transforms.records import Pixels

_SIDE = 128  # pixels; fine weaves average out, prints remain
_BLOCKS = 4
_FLAT = 2.0  # dE; a picture that varies less, shading apart, has no pattern to find
_LEAST_LAG = 0.12  # share of a side; shorter periods are texture, which sameness sees
_MOST_LAG = 0.55

Real = NDArray[np.float32]


class Pattern(NamedTuple):
    """`sameness`: every part of the picture looks like every other. `repetition`: the picture repeats when shifted."""

    sameness: float
    repetition: float


def find_pattern(pixels: Pixels) -> Pattern:
    """Measure `pixels` (uint8 [H, W, 3], sRGB); a flat picture is (0, 0)."""
    size = (_SIDE, _SIDE)
    lab = to_lab(cast(Pixels, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)))
    detail = lab - cv2.GaussianBlur(lab, (0, 0), _SIDE / 8)
    if float(detail.std(axis=(0, 1)).max()) < _FLAT:
        return Pattern(0.0, 0.0)
    return Pattern(_sameness(lab), _repetition(detail[..., 0]))


def _sameness(lab: Real) -> float:
    """1 less the larger of two: the blocks' share of the colour variance, and how unevenly detail is spread."""
    blocks = _blocks(lab)
    between = float(blocks.mean(axis=1).var(axis=0).sum())
    within = float(blocks.var(axis=1).mean(axis=0).sum())
    detail = _blocks(_gradient(lab[..., 0])[..., None]).mean(axis=(1, 2))
    uneven = float(detail.std() / max(detail.mean(), 1e-6))
    return max(0.0, 1.0 - max(between / max(between + within, 1e-6), uneven))


def _repetition(detail: Real) -> float:
    """How well the picture matches itself shifted by 0.12 to 0.55 of its side, along rows and along columns.

    The lesser of the two: a pair of earrings repeats along one alone, a pattern along both. `detail` is lightness with
    the smooth shading taken out. Each shift compares only what overlaps; a tiling reaches 1 at its period.
    """
    return min(_shifted(detail), _shifted(np.ascontiguousarray(detail.T)))


def _shifted(detail: Real) -> float:
    side = detail.shape[1]
    lags = range(int(_LEAST_LAG * side), int(_MOST_LAG * side))
    return max(0.0, max(_correlation(detail[:, lag:], detail[:, : side - lag]) for lag in lags))


def _correlation(one: Real, other: Real) -> float:
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6))


def _gradient(grey: Real) -> Real:
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return cast(Real, np.hypot(across, down))


def _blocks(image: Real) -> Real:
    """float32 [H, W, C] as [blocks * blocks, pixels, C]."""
    side = image.shape[0] // _BLOCKS
    cut = image[: side * _BLOCKS, : side * _BLOCKS].reshape(_BLOCKS, side, _BLOCKS, side, -1)
    return cut.transpose(0, 2, 1, 3, 4).reshape(_BLOCKS * _BLOCKS, side * side, -1)
