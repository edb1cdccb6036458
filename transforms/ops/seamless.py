"""Is a plain backdrop a seamless studio ground, or the calm wall and floor of a real room?"""

from __future__ import annotations

import math
from typing import cast

import cv2
import numpy as np

from transforms.ops.backdrop import NEAR, Backdrop, Lab, border_ring, field_of, to_lab
from transforms.ops.masks import dilated, eroded
from transforms.records import Mask, Pixels, Size

_SIDE = 192  # pixels, longest side: noise is averaged away, plaster, tiles and skirting boards stay
_GRAIN = 2.0  # pixels there, sigma: grain that is coarser than a pixel of the small picture
_MOST_GRAIN = 1.0  # dE a pixel; a noisy phone's picture of a sheet has up to 0.9
_SMOOTH = 0.9  # share of that border that is judged: a product's shadow may cross the rest
_NARROW = 2  # pixels there: half the width of what is too broad for the joint of tiles
_WHITE_LIGHTNESS, _WHITE_CHROMA = 94.0, 4.0  # Lab


def border_texture(pixels: Pixels, backdrop: Backdrop) -> float:
    """How rough the border of `pixels` (uint8 [H, W, 3], sRGB) is: the 90th percentile of its change in dE a pixel.

    What counts is the change off the `backdrop`'s own colour field: a lamp's falloff is no texture, nor is a product,
    broad and of another colour, that reaches into the border. Where the change is little, twice what is
    left of it without grain counts, if this is less: a camera's grain and JPEG's go, the joints of tiles and boards,
    folds and plaster stay (`benchmarks.backdrop_kinds`).
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    lab = to_lab(cast(Pixels, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)))
    off = cast(Lab, lab - field_of(backdrop, Size(*lab.shape[:2])))
    ground = border_ring(Size(*lab.shape[:2])) & ~_product(np.linalg.norm(off, axis=2) >= NEAR)
    if not ground.any():
        return math.inf
    rough = _roughness(off, ground)
    if rough > _MOST_GRAIN:  # carpets and sand are even too, once they are averaged
        return rough
    return min(rough, 2.0 * _roughness(cast(Lab, cv2.GaussianBlur(off, (0, 0), _GRAIN)), ground))


def _product(unexplained: Mask) -> Mask:
    """The broad parts of what a backdrop's field does not explain, edges included; a joint or a board is narrow."""
    return dilated(eroded(unexplained, _NARROW), _NARROW + 1)


def _roughness(lab: Lab, where: Mask) -> float:
    # a Sobel kernel sums eight neighbour differences
    slopes = [cv2.Sobel(lab, cv2.CV_32F, across, 1 - across) / 8 for across in (0, 1)]
    change = np.sqrt(sum((slope**2).sum(axis=2) for slope in slopes))
    return float(np.quantile(change[where], _SMOOTH))


def is_white(backdrop: Backdrop) -> bool:
    """White or nearly: a cut-out or a light tent, whatever shadows fall on it."""
    lightness, a, b = backdrop.color_lab
    return lightness >= _WHITE_LIGHTNESS and float(np.hypot(a, b)) <= _WHITE_CHROMA
