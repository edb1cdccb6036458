"""Is a plain backdrop a seamless studio ground, or the calm wall and floor of a real room?"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from transforms.ops.backdrop import Backdrop, Lab, border_ring, to_lab
from transforms.records import Pixels, Size

_SIDE = 192  # pixels, longest side: noise is averaged away, plaster, tiles and skirting boards stay
_GRAIN = 2.0  # pixels there, sigma: grain that is coarser than a pixel of the small picture
_MOST_GRAIN = 1.0  # dE a pixel; a noisy phone's picture of a sheet has up to 0.9
_SMOOTH = 0.9  # share of the border that is judged: a product may cross the rest
_WHITE_LIGHTNESS, _WHITE_CHROMA = 94.0, 4.0  # Lab


def border_texture(pixels: Pixels) -> float:
    """How rough the border of `pixels` (uint8 [H, W, 3], sRGB) is: the 90th percentile of its change in dE a pixel.

    Where that is little, twice what is left of it without grain, if this is less: a camera's grain and JPEG's go, the
    joints of tiles and boards, folds and plaster stay. Seamless grounds with their shading measure up to 0.56, walls
    and floors from about 0.67 (`benchmarks.backdrop_kinds`).
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    lab = to_lab(cast(Pixels, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)))
    rough = _roughness(lab)
    if rough > _MOST_GRAIN:  # carpets and sand are even too, once they are averaged
        return rough
    return min(rough, 2.0 * _roughness(cast(Lab, cv2.GaussianBlur(lab, (0, 0), _GRAIN))))


def _roughness(lab: Lab) -> float:
    # a Sobel kernel sums eight neighbour differences
    slopes = [cv2.Sobel(lab, cv2.CV_32F, across, 1 - across) / 8 for across in (0, 1)]
    change = np.sqrt(sum((slope**2).sum(axis=2) for slope in slopes))
    return float(np.quantile(change[border_ring(Size(*lab.shape[:2]))], _SMOOTH))


def is_white(backdrop: Backdrop) -> bool:
    """White or nearly: a cut-out or a light tent, whatever shadows fall on it."""
    lightness, a, b = backdrop.color_lab
    return lightness >= _WHITE_LIGHTNESS and float(np.hypot(a, b)) <= _WHITE_CHROMA
