"""Does the frame cut the product? Measured as the share of a side of the picture that the product touches."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.backdrop import Backdrop, differences, field_of, to_lab
from transforms.records import Mask, Pixels, Size

_OTHER_HUE = 9.0  # dE off the backdrop's line to black: no shadow does that
_DARKER = 22.0  # dE of darkening that a soft shadow seldom reaches at the frame
_LEAST_PART = 0.002  # share of the picture below which a part is dust


def differs_from_backdrop(pixels: Pixels, backdrop: Backdrop) -> Mask:
    """Where `pixels` (uint8 [H, W, 3]) cannot be its plain `backdrop` or a soft shadow on it, bool [H, W].

    Specks under 0.2 % of the picture are left out. A product of the backdrop's own colour does not show here.
    """
    lab = to_lab(pixels)
    strict, tolerant = differences(lab, field_of(backdrop, Size(*pixels.shape[:2])))
    limit = max(_OTHER_HUE, 3.0 * backdrop.spread)
    return without_specks((tolerant > limit) | (strict > _DARKER), _LEAST_PART)


def without_specks(mask: Mask, least_share: float) -> Mask:
    """`mask` (bool [H, W]) without its connected parts under `least_share` of the picture."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= least_share * mask.size
    keep[0] = False
    return cast(Mask, keep[labels]) if count > 1 else np.zeros_like(mask)


def largest_part(mask: Mask) -> Mask:
    """The largest connected part of `mask`, bool [H, W]; empty stays empty."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask.copy()
    return cast(Mask, labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))


def frame_contact(mask: Mask) -> float:
    """The largest share of a side of the picture that `mask` (bool [H, W]) touches, in [0, 1].

    The outermost 1 % of the picture counts as the frame, because resampled maps fade there.

    >>> mask = np.zeros((10, 10), dtype=np.bool_)
    >>> mask[4:, 3:7] = True
    >>> frame_contact(mask)
    0.4
    """
    depth = max(1, round(0.01 * min(mask.shape)))
    sides: tuple[NDArray[np.bool_], ...] = (
        mask[:depth].any(axis=0),
        mask[-depth:].any(axis=0),
        mask[:, :depth].any(axis=1),
        mask[:, -depth:].any(axis=1),
    )
    return float(max(side.mean() for side in sides))
