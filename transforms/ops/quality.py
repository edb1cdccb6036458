"""Measures of a composed scene's product: how much of it is proven, how thin it is, where it stands."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.records import Box, Size

Mask = NDArray[np.bool_]

# Parts narrower than this lose over a tenth of their area to an erosion by two pixels (one of the core's, one of the
# edge that resampling softens): reported apart.
THIN_PX = 41


class Cover(NamedTuple):
    """How much of the product's mask the core covers.

    Attributes:
        share: of the whole mask.
        thick_share: of its parts at least THIN_PX wide; 1.0 where there are none.
        thin_share: the mask's share that is thinner.
    """

    share: float
    thick_share: float
    thin_share: float


def cover_of(core: Mask, mask: Mask) -> Cover:
    """Hold a core against its mask, both bool [h, w]; an empty mask is wholly covered.

    >>> mask = np.zeros((60, 60), bool); mask[10:51, 10:51] = True
    >>> cover_of(mask, mask)
    Cover(share=1.0, thick_share=1.0, thin_share=0.0)
    """
    area = int(mask.sum())
    if not area:
        return Cover(1.0, 1.0, 0.0)
    padded = np.pad(mask.astype(np.uint8), THIN_PX, mode="edge")
    kernel = np.ones((THIN_PX, THIN_PX), np.uint8)
    thick = mask & (cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel)[THIN_PX:-THIN_PX, THIN_PX:-THIN_PX] > 0)
    wide = int(thick.sum())
    share = float((core & mask).sum() / area)
    return Cover(share, float((core & thick).sum() / wide) if wide else 1.0, 1.0 - wide / area)


def box_of(mask: Mask) -> Box | None:
    """The bounding box of a mask, None where it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def outside_px(box: Box, zone: Box) -> int:
    """By how many pixels a box leaves a zone, on the worst side; 0 where it lies within.

    >>> outside_px(Box(0, 5, 10, 10), Box(2, 2, 12, 12))
    2
    """
    return max(zone.top - box.top, zone.left - box.left, box.bottom - zone.bottom, box.right - zone.right, 0)


def height_fraction(box: Box, canvas: Size) -> float:
    """The product's height over the placement's."""
    return box.size.height / canvas.height
