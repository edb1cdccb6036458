"""Products' own pictures as a painter of scenes takes them: small, squared, transparent around."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.records import Pixels

SIDE, MOST = 64, 8


def fitted(product: Pixels) -> Pixels:
    """A product (uint8 [h, w, 4], straight alpha) cut to what is seen of it and fitted, uint8 [64, 64, 4].

    Raises:
        ValueError: nothing of it is seen.
    """
    seen = product[..., 3] > 0
    if not seen.any():
        raise ValueError("nothing of the product is opaque")
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    part = product[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    scale = SIDE / max(part.shape[:2])
    height, width = (max(1, round(length * scale)) for length in part.shape[:2])
    part[..., :3] *= part[..., 3:] / 255  # what is transparent has no colour to mix in
    small = cast(NDArray[np.float32], cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA))
    small[..., :3] /= np.maximum(small[..., 3:], 1) / 255
    canvas = np.zeros((SIDE, SIDE, 4), np.uint8)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    canvas[top : top + height, left : left + width] = np.clip(np.rint(small), 0, 255)
    return canvas


def slots_of(products: Sequence[Pixels]) -> Pixels:
    """Up to eight products in their slots, uint8 [8, 64, 64, 4]; the others are empty.

    Raises:
        ValueError: there are more, or none, or one of them shows nothing.
    """
    if not 1 <= len(products) <= MOST:
        raise ValueError(f"{len(products)} products for a scene of 1 to {MOST}")
    slots = np.zeros((MOST, SIDE, SIDE, 4), np.uint8)
    for number, product in enumerate(products):
        slots[number] = fitted(product)
    return slots
