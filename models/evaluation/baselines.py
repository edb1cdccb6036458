"""What a painter has to beat: the fillings that any image editor has.

Each takes a picture laid on its placement, uint8 [h, w, 3], and where it is known, bool [h, w], one rectangle; it
answers the whole placement, uint8 [h, w, 3], the known pixels as they are.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_BLUR = 0.03  # sigma over the shorter side


def blur_fill(image: Pixels, known: Mask) -> Pixels:
    """The picture enlarged to cover the placement and blurred, with itself before it."""
    inner, (height, width) = _inner(image, known), known.shape
    scale = max(height / inner.shape[0], width / inner.shape[1])
    size = (max(width, round(inner.shape[1] * scale)), max(height, round(inner.shape[0] * scale)))
    large = cv2.resize(inner, size, interpolation=cv2.INTER_LINEAR)
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    cover = cv2.GaussianBlur(large[top : top + height, left : left + width], (0, 0), _BLUR * min(height, width))
    return cast(Pixels, np.where(known[..., None], image, cover))


def edge_stretch(image: Pixels, known: Mask) -> Pixels:
    """Every pixel takes the colour of the nearest one of the frame's edge."""
    return _bordered(image, known, cv2.BORDER_REPLICATE)


def mirror(image: Pixels, known: Mask) -> Pixels:
    """The frame reflected at its edges."""
    return _bordered(image, known, cv2.BORDER_REFLECT)


def plain_white(image: Pixels, known: Mask) -> Pixels:
    """White all around."""
    return cast(Pixels, np.where(known[..., None], image, np.uint8(255)))


def _inner(image: Pixels, known: Mask) -> Pixels:
    rows, columns = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
    if not len(rows):
        raise ValueError("no pixel is known")
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _bordered(image: Pixels, known: Mask, border: int) -> Pixels:
    inner = _inner(image, known)
    top, left = int(np.flatnonzero(known.any(axis=1))[0]), int(np.flatnonzero(known.any(axis=0))[0])
    bottom, right = known.shape[0] - top - inner.shape[0], known.shape[1] - left - inner.shape[1]
    return cast(Pixels, cv2.copyMakeBorder(inner, top, bottom, left, right, border))
