"""Object expansion: how much more product a segmenter sees in the creative than was put there (arXiv 2404.10157)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def expansion(found: Mask, laid: Mask, where: Mask | None = None, slack: int = 1) -> float:
    """E = area(found beyond laid) / area(laid).

    Args:
        found: bool [h, w]; the product as re-segmented from the creative.
        laid: bool [h, w]; the product as it was laid.
        where: bool [h, w]; only pixels here count as growth; None: everywhere.
        slack: pixels around `laid` that are the segmenter's own imprecision.

    >>> laid = np.zeros((8, 8), bool); laid[:4, :4] = True
    >>> found = laid.copy(); found[6:, 6:] = True
    >>> expansion(found, laid)
    0.25
    """
    area = int(laid.sum())
    if not area:
        return 0.0
    kernel = np.ones((2 * slack + 1,) * 2, np.uint8)
    beyond = found & ~(cv2.dilate(laid.astype(np.uint8), kernel) > 0)
    if where is not None:
        beyond &= where
    return float(beyond.sum() / area)
