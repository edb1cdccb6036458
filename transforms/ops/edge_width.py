"""How wide a matte's edge is drawn where colours cannot tell."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.backdrop import to_lab
from transforms.ops.masks import dilated, eroded, resized
from transforms.records import Matte, Pixels, Size

Real = NDArray[np.float32]

_HALF_WIDTH = 1.0  # pixels of the picture; a sharp photograph's own edge
# dE between product and backdrop: below, alpha is no measure of mixture; above, it is. On renders the errors of
# 6 to 20, 15 to 40 and 25 to 60 are alike (benchmarks.enlarged_mattes): the middle one.
_UNSEEN, _SEEN = 15.0, 40.0
_SURE = 0.05  # alpha this near to 0 or 1 is one of the two colours
_REACH_SHARE = 0.01  # of the longer side: how far around an edge its colours are looked for
_THIN = 2  # pixels at working size; of a part up to twice as wide no edge is told from its middle
_SMOOTHING = 0.35  # pixels at working size: what enlarging leaves of its steps is drawn away
_LEAST_SLOPE = 0.05  # of alpha, a pixel at working size; a flatter place is no edge


def narrow_edges(alpha: Matte, drawn: Real, pixels: Pixels) -> Matte:
    """`alpha` with the soft edges that only doubt has made drawn as narrow as a sharp photograph's.

    Where product and backdrop are alike, a half transparent pixel does not mean that both are in it, but that nobody
    knows where one ends; before another backdrop it shows as fog. There the edge stays where alpha is one half, and is
    two pixels wide. Where colours differ, as behind hair, and in thin parts alpha stays as it is.

    Args:
        alpha: the matte at full size, float32 [H, W].
        drawn: the one that it was enlarged from, float32 [h, w].
        pixels: the picture at that smaller size, uint8 [h, w, 3].

    Returns:
        float32 [H, W] in [0, 1].
    """
    size, scale = Size(*alpha.shape), max(alpha.shape) / max(drawn.shape)
    smooth = cast(Real, cv2.GaussianBlur(alpha, (0, 0), _SMOOTHING * scale))
    slope = _slope(smooth)
    soft = (slope > 0) & (smooth > 0) & (smooth < 1)
    seen = resized(visibility(pixels, drawn), size)[soft]
    width = 2 * _HALF_WIDTH * np.maximum(slope[soft], np.float32(_LEAST_SLOPE / scale))
    edge = np.clip((smooth[soft] - 0.5) / width + 0.5, 0, 1)
    narrowed = alpha.copy()
    narrowed[soft] = np.where(seen == 1, alpha[soft], seen * alpha[soft] + (1 - seen) * edge)
    return narrowed


def visibility(pixels: Pixels, alpha: Real) -> Real:
    """How far colour tells product from backdrop around each pixel, in [0, 1], float32 [h, w]; 1 by thin parts.

    Args:
        pixels: uint8 [h, w, 3].
        alpha: float32 [h, w].
    """
    lab = to_lab(pixels).astype(np.float32)
    reach = max(5, round(_REACH_SHARE * max(alpha.shape)))
    solid = dilated(eroded(alpha > 1 - _SURE, _THIN), _THIN)
    front, back = (_mean_color(lab, known, reach) for known in (solid, alpha < _SURE))
    contrast = np.linalg.norm(front - back, axis=2)  # nan, where one of them is out of reach
    shown = np.clip((contrast - _UNSEEN) / (_SEEN - _UNSEEN), 0, 1)
    return cast(Real, np.nan_to_num(shown, nan=1.0).astype(np.float32))


def _mean_color(lab: Real, known: NDArray[np.bool_], reach: int) -> Real:
    """The mean colour of the `known` pixels within `reach` (chessboard), [h, w, 3]; nan where there is none."""
    window, weight = (2 * reach + 1, 2 * reach + 1), known.astype(np.float32)
    share = cv2.blur(weight, window)
    share[share < 1 / (2 * window[0] ** 2)] = np.nan
    return cast(Real, cv2.blur(lab * weight[..., None], window) / share[..., None])


def _slope(alpha: Real) -> Real:
    """Gradient magnitude of alpha, a pixel, float32 [H, W]."""
    along, down = (cv2.Sobel(alpha, cv2.CV_32F, *order, scale=0.125) for order in ((1, 0), (0, 1)))
    # not cv2.magnitude: its last bit depends on where in memory a picture lies
    return cast(Real, np.sqrt(along * along + down * down))
