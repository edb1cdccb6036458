"""What a reward model looks at: the original and what was painted around it, as one picture of seven channels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.records import Pixels

SIDE = 160
_GREY = 128.0


def pair_of(image: Pixels, product: Pixels, candidate: Pixels) -> NDArray[np.uint8]:
    """uint8 [160, 160, 7]: the product on grey (3), its alpha (1), the product on the candidate (3).

    Args:
        image: uint8 [h, w, 3], the product's foreground.
        product: uint8 [h, w], its alpha.
        candidate: uint8 [h, w, 3], the painted backdrop.
    """
    alpha = product.astype(np.float32)[..., None] / 255
    original = image * alpha + _GREY * (1 - alpha)
    scene = image * alpha + candidate * (1 - alpha)
    stacked = np.concatenate([original, alpha * 255, scene], axis=2).astype(np.float32)
    planes = [cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for part in np.dsplit(stacked, [4])]
    return np.rint(np.clip(np.concatenate(planes, axis=2), 0, 255)).astype(np.uint8)
