"""Coherence: whether what was copied together still looks like something that the scene shows.

After "coherence" of Simakov et al., "Summarizing visual data using bidirectional similarity", CVPR 2008: every patch of
a painted band should look like a patch of the photograph. Where pieces were joined that do not fit (the torn edge of a
rug, a skirting board that starts in mid-wall), the patches across the join look like nothing that is there.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.patches import RADIUS, SHIFT_LIMIT, SIDE

Pixels = NDArray[np.uint8]
Offsets = NDArray[np.int16]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

_PERCENTILE = 98.0
# The share of a band that a broken line or the border of a foreign patch covers is small, and seen all the same.
_TEAR_PERCENTILE = 99.8
# Texture is looked at around a pixel as far as a glance reaches, in pixels; what is below so many levels hides nothing.
_GLANCE = 41
_QUIET_LEVELS = 3.0


def incoherence(candidate: Pixels, guide: Offsets, known: Mask) -> float:
    """How unlike its source the worst fiftieth of the painted patches is, in levels of 255.

    Root mean square difference of the 7 x 7 patch around a painted pixel and the one that it was copied from, a shift
    of mean colour forgiven; 98th percentile over the painted pixels.

    Args:
        candidate: uint8 [h, w, 3]; guide: int16 [h, w, 2], offsets (dy, dx) to what each pixel copies; known: bool
            [h, w].

    Returns:
        0.0 where nothing was painted, or nothing was copied: a painter without offsets is not measured.
    """
    painted = ~known
    if not painted.any() or not guide[painted].any():
        return 0.0
    return float(np.percentile(_unlikeness(candidate, guide)[painted], _PERCENTILE))


def tears(candidate: Pixels, guide: Offsets, known: Mask) -> float:
    """How plainly the worst place of the bands is torn: its unlikeness over what the texture around it hides.

    A grout line that ends in mid-tile differs by few levels and is seen at once; brick differs by many between any two
    pieces. So a patch's unlikeness is divided by the mean standard deviation of the patches around it plus 3 levels
    (contrast masking: Legge and Foley, "Contrast masking in human vision", JOSA 1980); 99.8th percentile over the
    painted pixels. Walls that were carried on well give 0.3-0.6, broken tile lines 1.1 and more.

    Args:
        candidate: uint8 [h, w, 3]; guide: int16 [h, w, 2]; known: bool [h, w]; see :func:`incoherence`.

    Returns:
        0.0 where nothing was painted, or nothing was copied.
    """
    painted = ~known
    if not painted.any() or not guide[painted].any():
        return 0.0
    hidden = cv2.blur(_contrast(candidate), (_GLANCE, _GLANCE), borderType=cv2.BORDER_REFLECT) + _QUIET_LEVELS
    return float(np.percentile((_unlikeness(candidate, guide) / hidden)[painted], _TEAR_PERCENTILE))


def _contrast(pixels: Pixels) -> Floats:
    """The standard deviation of the patch around every pixel, over the channels' mean, float32 [h, w]."""
    levels = pixels.astype(np.float32)
    mean = cv2.blur(levels, (SIDE, SIDE), borderType=cv2.BORDER_REFLECT)
    square = cv2.blur(levels * levels, (SIDE, SIDE), borderType=cv2.BORDER_REFLECT)
    return np.sqrt(np.maximum(square - mean * mean, 0).mean(axis=-1)).astype(np.float32)


def _unlikeness(candidate: Pixels, guide: Offsets) -> Floats:
    """Root mean square difference of every pixel's patch and its source's, float32 [h, w]."""
    height, width = candidate.shape[:2]
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    source_y = np.clip(rows + guide[..., 0], 0, height - 1) + RADIUS
    source_x = np.clip(columns + guide[..., 1], 0, width - 1) + RADIUS
    padded = cv2.copyMakeBorder(candidate, *(RADIUS,) * 4, cv2.BORDER_REFLECT_101).astype(np.float32)
    total, square = (np.zeros(candidate.shape, np.float32) for _ in range(2))
    for dy in range(-RADIUS, RADIUS + 1):
        for dx in range(-RADIUS, RADIUS + 1):
            here = padded[RADIUS + dy : RADIUS + dy + height, RADIUS + dx : RADIUS + dx + width]
            gap = here - padded[source_y + dy, source_x + dx]
            total += gap
            square += gap * gap
    mean = total / SIDE**2
    forgiven = np.clip(mean, -SHIFT_LIMIT, SHIFT_LIMIT)
    left = square / SIDE**2 - forgiven * (2 * mean - forgiven)
    return np.sqrt(np.maximum(left.mean(axis=-1), 0)).astype(np.float32)
