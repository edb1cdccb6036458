"""How well a mask or matte agrees with the truth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.records import Mask, Matte

_Real = NDArray[np.float64]


def iou(mask: Mask, truth: Mask) -> float:
    """Intersection over union of two masks (bool [H, W]), in [0, 1]; two empty masks agree in full.

    >>> iou(np.array([[True, True, False]]), np.array([[False, True, True]]))
    0.3333333333333333
    """
    union = int(np.count_nonzero(mask | truth))
    return int(np.count_nonzero(mask & truth)) / union if union else 1.0


def mean_absolute_error(alpha: Matte, truth: Matte) -> float:
    """Mean absolute difference of two mattes (float [H, W] in [0, 1])."""
    return float(np.mean(np.abs(np.asarray(alpha, np.float64) - np.asarray(truth, np.float64))))


def boundary_iou(mask: Mask, truth: Mask, *, width_share: float = 0.02) -> float:
    """IoU of the two masks' inner boundary bands (Cheng et al. 2021, "Boundary IoU", eq. 2).

    Args:
        width_share: the band's width over the picture's diagonal; the paper takes 0.02.
    """
    width = max(1, round(width_share * float(np.hypot(mask.shape[0], mask.shape[1]))))
    return iou(_inner_band(mask, width), _inner_band(truth, width))


def _inner_band(mask: Mask, width: int) -> Mask:
    """The pixels of `mask` no further than `width` from outside; the frame counts as outside, as in the paper."""
    padded = np.pad(mask.astype(np.uint8), 1)
    inside = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=width)[1:-1, 1:-1] > 0
    return mask & ~inside


def s_measure(alpha: Matte, truth: Mask, *, weight: float = 0.5) -> float:
    """Structural similarity of a matte to a true mask (Fan et al. 2017, "Structure-measure"), in [0, 1].

    Args:
        weight: share of the object-aware part against the region-aware part; the paper takes 0.5.
    """
    matte, real = np.asarray(alpha, np.float64), np.asarray(truth, np.bool_)
    share = float(real.mean())
    if share == 0.0:
        return float(1.0 - matte.mean())
    if share == 1.0:
        return float(matte.mean())
    return max(0.0, weight * _object_part(matte, real, share) + (1 - weight) * _region_part(matte, real))


def _object_part(matte: _Real, truth: NDArray[np.bool_], share: float) -> float:
    return share * _object_score(matte[truth]) + (1 - share) * _object_score(1 - matte[~truth])


def _object_score(values: _Real) -> float:
    mean, deviation = float(values.mean()), float(values.std(ddof=1)) if values.size > 1 else 0.0
    return 2 * mean / (mean * mean + 1 + deviation + 1e-12)


def _region_part(matte: _Real, truth: NDArray[np.bool_]) -> float:
    """SSIM of the four quarters around the truth's centre of mass, weighted by their area."""
    rows, columns = np.nonzero(truth)
    row, column = round(float(rows.mean())) + 1, round(float(columns.mean())) + 1
    total, score = truth.size, 0.0
    for tall in (slice(0, row), slice(row, None)):
        for wide in (slice(0, column), slice(column, None)):
            quarter = truth[tall, wide].astype(np.float64)
            if quarter.size:
                score += quarter.size / total * _ssim(matte[tall, wide], quarter)
    return score


def _ssim(a: _Real, b: _Real) -> float:
    """Global SSIM of two patches as the paper's code has it: no stabilising constants."""
    mean_a, mean_b = float(a.mean()), float(b.mean())
    count = max(a.size - 1, 1)
    var_a, var_b = float(((a - mean_a) ** 2).sum()) / count, float(((b - mean_b) ** 2).sum()) / count
    both = float(((a - mean_a) * (b - mean_b)).sum()) / count
    above, below = 4 * mean_a * mean_b * both, (mean_a**2 + mean_b**2) * (var_a + var_b)
    if above != 0:
        return above / (below + 1e-12)
    return 1.0 if below == 0 else 0.0
