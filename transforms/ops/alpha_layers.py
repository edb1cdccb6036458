"""A file's own alpha taken apart: the product, and the soft shadow that was cut out along with it.

Shops' cut-outs often bring a drawn shadow in their alpha. It is no part of the product: taken for one it would be
pasted with colours guessed for it, and another shadow painted beside it. What it takes from white light it takes from
any backdrop's, so it is kept as the light that is left (`transforms.ops.kept_shadow`).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.backdrop import fill_field
from transforms.ops.masks import bounding_box, components, dilated, resized
from transforms.ops.matting import estimate_foreground
from transforms.records import Mask, Matte, Pixels, Size

Real = NDArray[np.float32]

_SOLID = 0.9  # alpha from which a pixel is product
_FAINT, _CLEAR = 0.1, 0.01  # up to which a pixel is the outside of an edge, and up to which it is nothing
_EDGE_SHARE, _LEAST_EDGE = 0.006, 3  # of the product's longer side, and pixels: how wide an edge is
_WORKING_SIDE = 640  # a shadow is smooth, so it is told, and carried on below the product, at this size
_LEAST_SHARE = 0.002  # of the product's area; smaller soft pieces are its own
_DARKEST = 0.3  # a shadow's own colour, of white, at most
_TINT = 0.12  # between a shadow's own channels, of white, at most
_FADED = 0.4  # a shadow fades out: its faintest tenth, of its darkest twentieth; a lens or a veil is even


class Layers(NamedTuple):
    """What a file's alpha holds.

    Attributes:
        alpha: of the product, float32 [H, W] in [0, 1].
        foreground: the product's own colours, uint8 [H, W, 3]; the source where alpha is 1.
        left: the light that the shadow leaves, uint8 [H, W, 3] in 255ths; None without a shadow.
    """

    alpha: Matte
    foreground: Pixels
    left: Pixels | None


def layers_of(pixels: Pixels, alpha: Matte) -> Layers:
    """Take a file's alpha (float32 [H, W] in [0, 1]) apart; `pixels`: the file over white, uint8 [H, W, 3].

    Colours near the outline are estimated, for files often keep a fringe of an older backdrop there; those of wide
    translucent parts, glass or gauze, are the file's own.
    """
    solid = alpha >= _SOLID
    side = max(bounding_box(solid).size)
    edge = max(_LEAST_EDGE, round(_EDGE_SHARE * side))
    beside = dilated(solid, edge) if side else solid
    shadow = _shadow(pixels, alpha, (alpha > _CLEAR) & ~beside, int(solid.sum()))
    own = (alpha > 0) & (alpha < 1) & ~shadow & ~(beside & dilated(alpha <= _FAINT, edge))
    if not shadow.any():
        return Layers(alpha, _own_colors(pixels, alpha, own), None)
    color = _color(pixels[shadow], alpha[shadow])
    shadow |= (alpha <= _CLEAR) & ~beside  # its faintest rim: left out, it would show as a step
    share = _carried(alpha, shadow)
    product = _without(alpha, share, solid)
    product[shadow] = 0
    left = np.rint((1 - share[..., None] * (1 - color)) * 255).astype(np.uint8)
    return Layers(product, _own_colors(_lit(pixels, product, left, share > 0), product, own & ~shadow), left)


def _without(alpha: Matte, share: Real, solid: Mask) -> Matte:
    """The product's alpha where a shadow's `share` lies behind it: alpha = product + (1 - product) share."""
    product = alpha.copy()
    there = (share > 0) & ~solid
    behind = share[there]
    product[there] = np.clip((alpha[there] - behind) / np.maximum(1 - behind, np.float32(1e-3)), 0, 1)
    return product


def _lit(pixels: Pixels, product: Matte, left: Pixels, shaded: Mask) -> Pixels:
    """The product over white without the shadow that `left` tells where it is `shaded`, uint8 [H, W, 3]."""
    lit = pixels.copy()
    there = shaded & (product < 1)
    lacking = (1 - product[there])[:, None] * (255 - left[there])
    lit[there] = np.rint(np.minimum(lit[there] + lacking, 255))
    return lit


def _shadow(pixels: Pixels, alpha: Matte, wide: Mask, area: int) -> Mask:
    """The wide soft pieces that are shadow, bool [H, W]: dark, neutral, and fading out."""
    size = _working_size(alpha)
    small, over = resized(alpha, size), cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
    pieces, areas = components(resized(wide.astype(np.float32), size) > 0.5)
    least = max(8.0, _LEAST_SHARE * area * small.size / alpha.size)
    found = np.zeros(len(areas), bool)
    for piece in np.flatnonzero(areas >= least):
        where = pieces == piece
        color = _color(over[where], small[where])
        faint, dark = np.percentile(small[where], (10, 95))
        found[piece] = color.max() <= _DARKEST and np.ptp(color) <= _TINT and faint <= _FADED * dark
    # rims are lost at working size
    grown = dilated(found[pieces], 1)
    return wide & (resized(grown.astype(np.float32), Size(*alpha.shape)) > 0)


def _color(over_white: Pixels, alpha: Real) -> Real:
    """The colour, float32 [3] of white's, of what lies over white as `over_white` [N, 3] with `alpha` [N]."""
    missing = (255 - over_white.astype(np.float32)).sum(axis=0, dtype=np.float64)
    return np.clip(1 - missing / (255 * max(float(alpha.sum()), 1e-6)), 0, 1).astype(np.float32)


def _carried(alpha: Matte, shadow: Mask) -> Real:
    """The alpha of the `shadow`, carried on smoothly to where nothing is known of it, float32 [H, W]."""
    size = _working_size(alpha)
    there = resized(shadow.astype(np.float32), size)
    mean = resized(alpha * shadow, size) / np.maximum(there, np.float32(1e-3))
    filled = fill_field(mean[..., None], there > 0.5)[..., 0]
    share = resized(filled, Size(*alpha.shape))
    share[shadow] = alpha[shadow]
    return share


def _own_colors(over_white: Pixels, alpha: Matte, own: Mask) -> Pixels:
    """The product's colours, uint8 [H, W, 3]: estimated near its outline, the file's `own` where it is translucent."""
    foreground = estimate_foreground(over_white, alpha)
    share = np.maximum(alpha[own][:, None], np.float32(1 / 255))
    foreground[own] = np.rint(np.clip(255 - (255 - over_white[own].astype(np.float32)) / share, 0, 255))
    return foreground


def _working_size(plane: Real) -> Size:
    scale = min(1.0, _WORKING_SIDE / max(plane.shape))
    height, width = (max(1, round(length * scale)) for length in plane.shape)
    return Size(height, width)
