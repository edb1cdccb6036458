"""Colour spaces: sRGB, linear light and Oklab.

Oklab and its matrices: Björn Ottosson, "A perceptual color space for image processing", 2020 (public domain).
The sRGB transfer function: IEC 61966-2-1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_TO_CONE = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_FROM_CONE = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)
_TO_CONE_BACK = np.linalg.inv(_TO_CONE).astype(np.float32)
_FROM_CONE_BACK = np.linalg.inv(_FROM_CONE).astype(np.float32)


def _decode(value: Floats) -> Floats:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


_DECODED = _decode(np.arange(256, dtype=np.float32) / 255)


def to_linear(pixels: NDArray[Any]) -> Floats:
    """Linear light in [0, 1], float32, of sRGB given as uint8 or as float in [0, 1]; any shape."""
    if pixels.dtype == np.uint8:
        return np.asarray(_DECODED[pixels], np.float32)
    return _decode(np.asarray(pixels, np.float32))


def to_srgb(linear: Floats) -> Floats:
    """sRGB in [0, 1], float32, of linear light; values are clipped to [0, 1] first.

    >>> bool(abs(to_srgb(to_linear(np.float32([0.5])))[0] - 0.5) < 1e-6)
    True
    """
    clipped = np.clip(linear, 0.0, 1.0).astype(np.float32)
    high = 1.055 * np.power(np.maximum(clipped, 0.0031308), np.float32(1 / 2.4)) - 0.055
    return np.where(clipped <= 0.0031308, clipped * 12.92, high).astype(np.float32)


def to_oklab(pixels: NDArray[Any]) -> Floats:
    """Oklab [..., 3] (L in [0, 1], a, b about [-0.4, 0.4]) of sRGB [..., 3], uint8 or float in [0, 1]."""
    cone = to_linear(pixels) @ _TO_CONE.T
    return np.asarray(np.cbrt(cone) @ _FROM_CONE.T, np.float32)


def oklab_to_linear(lab: Floats) -> Floats:
    """Linear sRGB [..., 3] of Oklab; outside [0, 1] where the colour is out of gamut."""
    cone = (np.asarray(lab, np.float32) @ _FROM_CONE_BACK.T) ** 3
    return np.asarray(cone @ _TO_CONE_BACK.T, np.float32)


def lch(lightness: float, chroma: float, hue_deg: float) -> Floats:
    """The Oklab colour [3] of a lightness, a chroma and a hue in degrees."""
    angle = np.deg2rad(hue_deg)
    return np.array([lightness, chroma * np.cos(angle), chroma * np.sin(angle)], np.float32)


def in_gamut(lab: Floats) -> Floats:
    """`lab` [3] with its chroma lowered until sRGB can show it."""
    for share in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0):
        tried = lab * np.array([1.0, share, share], np.float32)
        linear = oklab_to_linear(tried)
        if linear.min() >= 0.0 and linear.max() <= 1.0:
            break
    return np.asarray(tried, np.float32)


def hue_gap_deg(first: Floats, second: Floats) -> Floats:
    """Angle in [0, 180] between the hues of Oklab colours [..., 3]."""
    one = np.arctan2(first[..., 2], first[..., 1])
    two = np.arctan2(second[..., 2], second[..., 1])
    gap = np.rad2deg(np.abs(one - two)) % 360
    return np.asarray(np.minimum(gap, 360 - gap), np.float32)
