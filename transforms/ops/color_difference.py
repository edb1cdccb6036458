"""CIE Lab (D65) from sRGB, and two colour differences: CIE76 and CIEDE2000.

sRGB per IEC 61966-2-1; Lab per CIE 15; CIEDE2000 per Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula:
implementation notes, supplementary test data, and mathematical observations", Color Research & Application 30(1),
2005, against whose published pairs it is tested.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
_LINEAR = np.array([v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255.0])
_POW7 = 25.0**7
_HALF_TURN = 180.0 + 1e-9  # opposite hues are 180 degrees apart up to rounding


class ColorDifference(NamedTuple):
    """Mean and 99th percentile of CIE76 over a region."""

    mean: float
    p99: float


def lab_of(pixels: NDArray[np.uint8]) -> Floats:
    """float64 [..., 3]; L in [0, 100], a, b of sRGB `pixels`, uint8 [..., 3]."""
    xyz = _LINEAR[pixels] @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def cie76(one: Floats, other: Floats) -> Floats:
    """Euclidean distance in Lab, [...] of two [..., 3]."""
    return np.sqrt(((one - other) ** 2).sum(axis=-1))  # type: ignore[no-any-return]


def ciede2000(one: Floats, other: Floats) -> Floats:
    """CIEDE2000 with unit weights, [...] of two Lab arrays [..., 3]; the paper's equations 2 to 22."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(one, -1, 0), np.moveaxis(other, -1, 0)
    c_mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(c_mean**7 / (c_mean**7 + _POW7))
    c1, h1 = _polar(a1 * stretch, b1)
    c2, h2 = _polar(a2 * stretch, b2)
    grey = c1 * c2 == 0
    turn = h2 - h1
    turn = np.where(grey, 0.0, turn - 360.0 * np.sign(turn) * (np.abs(turn) > _HALF_TURN))
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    h_mean = _mean_hue(h1, h2, grey)
    l_mean, c_mean = (l1 + l2) / 2, (c1 + c2) / 2
    s_l = 1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2)
    s_c = 1 + 0.045 * c_mean
    s_h = 1 + 0.015 * c_mean * _hue_weight(h_mean)
    bent = 30 * np.exp(-(((h_mean - 275) / 25) ** 2))
    r_t = -2 * np.sqrt(c_mean**7 / (c_mean**7 + _POW7)) * np.sin(np.radians(2 * bent))
    light, chroma, hue = (l2 - l1) / s_l, (c2 - c1) / s_c, d_h / s_h
    return np.sqrt(np.maximum(light**2 + chroma**2 + hue**2 + r_t * chroma * hue, 0.0))  # type: ignore[no-any-return]


def _polar(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360.0


def _mean_hue(h1: Floats, h2: Floats, grey: NDArray[np.bool_]) -> Floats:
    total = h1 + h2
    far = np.abs(h1 - h2) > _HALF_TURN
    mean = np.where(far, (total + np.where(total < 360.0, 360.0, -360.0)) / 2, total / 2)
    return np.where(grey, total, mean)


def _hue_weight(h: Floats) -> Floats:
    def wave(factor: float, shift: float) -> Floats:
        return np.cos(np.radians(factor * h + shift))  # type: ignore[no-any-return]

    weight = 1 - 0.17 * wave(1, -30) + 0.24 * wave(2, 0) + 0.32 * wave(3, 6) - 0.20 * wave(4, -63)
    return np.asarray(weight)


def encoded_color_difference(
    decoded: NDArray[np.uint8], scene_pixels: NDArray[np.uint8], core: NDArray[np.bool_]
) -> ColorDifference:
    """CIE76 between a decoded creative and the scene that was encoded, over the core: what the encoder changed.

    Args:
        decoded, scene_pixels: uint8 [h, w, 3]; core: bool [h, w].

    Raises:
        ValueError: shapes differ.
    """
    if decoded.shape != scene_pixels.shape or decoded.shape[:2] != core.shape:
        raise ValueError(f"shapes differ: {decoded.shape}, {scene_pixels.shape}, {core.shape}")
    if not core.any():
        return ColorDifference(0.0, 0.0)
    difference = cie76(lab_of(decoded[core]), lab_of(scene_pixels[core]))
    return ColorDifference(float(difference.mean()), float(np.percentile(difference, 99)))
