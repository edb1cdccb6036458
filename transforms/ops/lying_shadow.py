"""The shadow of what is seen from above, as a stack of level layers.

A layer at a height is the part of the product that is as high or higher, seen on the floor below it: the silhouette
moved down by the height, as far as there is silhouette. Along a ray of light a layer's shadow is the layer moved.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.lying import Lying

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_LAYERS = 7


def levels_of(matte: Bytes, lying: Lying) -> list[tuple[float, Bytes]]:
    """Heights, in rows, and layers, uint8 [h, w], of a product `matte`."""
    levels = np.linspace(0.0, lying.height, _LAYERS)
    return [(float(level), np.minimum(matte, _moved(matte, 0.0, max(float(level), lying.widest)))) for level in levels]


def seen_past_layers(matte: Bytes, rays: NDArray[np.float64], lying: Lying) -> Floats:
    """How much of a light each floor point sees, float32 [h, w] in [0, 1].

    Args:
        matte: uint8 [h, w].
        rays: the light, as the shadows (across, back) of an upright stick of length 1.
        lying: the product's height and the camera's pitch.
    """
    upright = float(np.sqrt(1 - lying.foreshortening**2))  # rows for a length of 1
    layers = levels_of(matte, lying)
    step = lying.height / (_LAYERS - 1)
    total = np.zeros(matte.shape, np.float32)
    for number, (across, back) in enumerate(rays):
        blocked = np.zeros_like(matte)
        between = ((number * 0.618034) % 1.0 - 0.5) * step  # or the layers' edges would show as stripes
        for level, layer in layers:
            far = max(0.0, level + between) / upright
            np.maximum(blocked, _moved(layer, across * far, -back * lying.foreshortening * far), out=blocked)
        total += blocked
    return np.asarray(1.0 - total / (255.0 * len(rays)), np.float32)


def _moved(matte: Bytes, across: float, down: float) -> Bytes:
    move = np.array([[1.0, 0.0, across], [0.0, 1.0, down]])
    return np.asarray(cv2.warpAffine(matte, move, matte.shape[::-1]), np.uint8)
