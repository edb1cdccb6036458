"""The plain backdrop of a product photograph: is there one, which colour has it where, what differs from it.

Colours are CIE Lab (D65, float32, L in [0, 100]); differences are CIE76, one unit about a just visible step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.records import Mask, Pixels, Size

Lab = NDArray[np.float32]

_THUMBNAIL = 192  # longest side, pixels, at which a backdrop is described
_RING = 0.045  # share of the side that counts as border
NEAR = 6.0  # a border pixel this close to the fitted field belongs to the backdrop
# a product that was cropped at its own outline covers much of the border; blank white in all corners still tells
_WHITE_SHARE, _WHITE_SPREAD, _WHITE_LIGHTNESS, _WHITE_CHROMA = 0.5, 1.2, 98.0, 2.0
_ALL = slice(None)
_STEPS = 12  # reweighting rounds of the robust fit; it settles after about 8


@dataclass(frozen=True)
class Backdrop:
    """What a picture's border says about its backdrop.

    Attributes:
        plain: one smooth colour field explains the border: a sheet, a sweep, a gradient, plain white.
        color_lab: the field's median colour.
        spread: RMS difference of the border pixels from the field, those that belong to it; noise and texture.
        border_share: share of the border that belongs to the field, in [0, 1]; a cropped product lowers it.
        gradient: how far the field's own colour moves over the picture.
        coefficients: the field as a quadratic in x and y, both in [-1, 1]: one row for each of 1 x y xx xy yy.
    """

    plain: bool
    color_lab: tuple[float, float, float]
    spread: float
    border_share: float
    gradient: float
    coefficients: tuple[tuple[float, float, float], ...]


def to_lab(pixels: Pixels) -> Lab:
    """`pixels` (uint8 [H, W, 3], sRGB) as CIE Lab, float32 [H, W, 3]."""
    return cast(Lab, cv2.cvtColor(pixels.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB))


def describe_backdrop(
    pixels: Pixels, *, min_border_share: float = 0.72, max_spread: float = 2.6, max_gradient: float = 45.0
) -> Backdrop:
    """Look for a plain backdrop along the border of `pixels` (uint8 [H, W, 3], sRGB).

    A quadratic colour field is fitted to the border robustly (iteratively reweighted least squares with Tukey's
    biweight, Holland & Welsch 1977), so that a product which the frame cuts, or a soft shadow, does not bend it.

    Args:
        min_border_share: least share of the border that the field must explain; 0.5 is enough of blank white that
            lies in every corner.
        max_spread: most texture, dE.
        max_gradient: most change of the field over the picture, dE.
    """
    lab = to_lab(_thumbnail(pixels))
    ring = border_ring(Size(*lab.shape[:2]))
    basis, colors = _basis(Size(*lab.shape[:2]))[ring], lab[ring]
    coefficients = _robust_fit(basis, colors)
    distance = np.linalg.norm(colors - basis @ coefficients, axis=1)
    near = distance < NEAR
    share = float(near.mean())
    spread = float(np.sqrt(np.mean(distance[near] ** 2))) if near.any() else NEAR
    on_border = basis @ coefficients
    gradient = float(np.linalg.norm(np.ptp(on_border, axis=0)))
    color = np.median(on_border, axis=0)
    plain = share >= min_border_share and spread <= max_spread and gradient <= max_gradient
    blank = share >= _WHITE_SHARE and spread <= _WHITE_SPREAD and _is_blank(color)
    plain = plain or (blank and _in_corners(ring, near))
    rows = tuple((float(a), float(b), float(c)) for a, b, c in coefficients)
    return Backdrop(plain, (float(color[0]), float(color[1]), float(color[2])), spread, share, gradient, rows)


def _is_blank(color: NDArray[np.float64]) -> bool:
    """The white of a cut-out or a light tent, which no wall and hardly a sky has."""
    return float(color[0]) >= _WHITE_LIGHTNESS and float(np.hypot(color[1], color[2])) <= _WHITE_CHROMA


def _in_corners(ring: Mask, near: Mask) -> bool:
    """Whether most of each corner of the border belongs to the field; `near` holds the ring's pixels, in order."""
    explained = np.zeros(ring.shape, dtype=np.bool_)
    explained[ring] = near
    side = max(2, round(_RING * min(ring.shape)))
    rows, columns = (slice(None, side), slice(-side, None)), (slice(None, side), slice(-side, None))
    return all(bool(explained[row, column].mean() > 0.5) for row in rows for column in columns)


def border_ring(size: Size) -> Mask:
    """True on the outermost 4.5 % of a picture of `size`, bool [H, W]."""
    width = max(2, round(_RING * min(size)))
    ring = np.ones(size, dtype=np.bool_)
    ring[width:-width, width:-width] = False
    return ring


def field_of(backdrop: Backdrop, size: Size, rows: slice = _ALL, columns: slice = _ALL) -> Lab:
    """The fitted colour field at `size`, Lab float32 [H, W, 3]; of `rows` and `columns` alone, where they are given."""
    coefficients = np.asarray(backdrop.coefficients, dtype=np.float32)
    return cast(Lab, (_basis(size, rows, columns) @ coefficients).astype(np.float32))


def fill_field(colors: NDArray[np.float32], known: Mask) -> NDArray[np.float32]:
    """`colors` (float32 [H, W, C]) where `known`, carried smoothly into the rest.

    Pull-push interpolation (Gortler et al. 1996, "The Lumigraph"): every unknown pixel takes the mean of the known
    ones around it, from the nearest scale that has any. All unknown gives zeros.
    """
    weight = known.astype(np.float32)[..., None]
    return _pull_push(colors * weight, weight)


def _pull_push(sums: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = weight.shape[:2]
    mean = sums / np.maximum(weight, 1e-6)
    if min(height, width) <= 2 or float(weight.min()) >= 1.0:
        overall = sums.sum(axis=(0, 1)) / max(float(weight.sum()), 1e-6)
        return np.where(weight > 0, mean, overall).astype(np.float32)
    small = cv2.resize(sums, _half(width, height), interpolation=cv2.INTER_AREA).reshape((*_half(height, width), -1))
    share = cv2.resize(weight, _half(width, height), interpolation=cv2.INTER_AREA)[..., None]
    # a coarse pixel with any knowledge counts in full, or far places would fade to the overall mean
    gain = np.where(share > 0, np.minimum(1.0, 4.0 * share) / np.maximum(share, 1e-6), 0.0)
    coarse = _pull_push((small * gain).astype(np.float32), (share * gain).astype(np.float32))
    up = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, -1)
    filled: NDArray[np.float32] = (mean * weight + up * (1.0 - weight)).astype(np.float32)
    return filled


def _half(first: int, second: int) -> tuple[int, int]:
    return (first + 1) // 2, (second + 1) // 2


def differences(lab: Lab, field: Lab) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How far `lab` is from the backdrop's `field`: (strict, shadow tolerant), both dE, float32 [H, W].

    A cast shadow keeps the backdrop's hue and darkens it, so the tolerant difference forgives darkening as far as
    chroma stays on the line from the backdrop's colour to black.
    """
    step = lab - field
    strict = np.linalg.norm(step, axis=2)
    ratio = np.clip(lab[..., :1] / np.maximum(field[..., :1], 1.0), 0.0, 1.0)
    chroma = np.linalg.norm(lab[..., 1:] - field[..., 1:] * ratio, axis=2)
    brighter = np.maximum(step[..., 0], 0.0)
    return strict.astype(np.float32), np.hypot(chroma, brighter).astype(np.float32)


def _thumbnail(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    scale = min(1.0, _THUMBNAIL / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    return cast(Pixels, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def _basis(size: Size, rows: slice = _ALL, columns: slice = _ALL) -> NDArray[np.float64]:
    """1 x y xx xy yy over a picture or a part of it, float64 [H, W, 6]."""
    across, down = np.linspace(-1, 1, size.width)[columns], np.linspace(-1, 1, size.height)[rows]
    y, x = np.meshgrid(down, across, indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _robust_fit(basis: NDArray[np.float64], colors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Tukey-reweighted least squares from the median colour, [6, 3]."""
    target = colors.astype(np.float64)
    coefficients = np.zeros((basis.shape[1], 3))
    coefficients[0] = np.median(target, axis=0)
    ridge = 1e-4 * len(basis) * np.diag([0.0, 1, 1, 1, 1, 1])
    for round_ in range(_STEPS):
        distance = np.linalg.norm(target - basis @ coefficients, axis=1)
        cutoff = max(8.0, 40.0 * 0.75**round_)
        weight = np.clip(1.0 - (distance / cutoff) ** 2, 0.0, None) ** 2
        if weight.sum() < basis.shape[1]:
            break
        weighted = basis * weight[:, None]
        coefficients = np.linalg.solve(weighted.T @ basis + ridge, weighted.T @ target)
    return coefficients
