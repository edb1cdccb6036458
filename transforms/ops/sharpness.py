"""How blurred a picture is, without a reference."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.records import Pixels

_WINDOW = 9  # taps of the re-blur, as in the paper
_STEEPEST = 0.01  # share of the picture that is judged
_EDGE = 3.0  # levels; a neighbour difference below it is shading or noise
_CROP = 1024  # pixels; the picture's centre is judged at its own resolution, where an upscaled source shows


def blur(pixels: Pixels) -> float:
    """The perceptual blur of `pixels` (uint8 [H, W, 3], sRGB), in [0, 1]; sharp photographs lie below 0.5.

    Crete et al. 2007, "The blur effect": a picture whose neighbour differences shrink little when it is blurred once
    more was blurred before. Unlike there, only the steepest hundredth of the picture is judged, because a smooth
    backdrop is no sign of blur. The worse of the two directions counts; a picture without edges answers 0.
    """
    grey = cv2.cvtColor(_centre(pixels), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return max(_blur_along(grey), _blur_along(np.ascontiguousarray(grey.T)))


def _blur_along(grey: NDArray[np.float32]) -> float:
    kernel = np.full((1, _WINDOW), 1 / _WINDOW, dtype=np.float32)
    reblurred = cv2.filter2D(grey, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    before = np.abs(np.diff(grey, axis=1))
    if before.size == 0:
        return 0.0
    steep = max(float(np.quantile(before, 1.0 - _STEEPEST)), _EDGE)
    edges = before >= steep
    if not edges.any():
        return 0.0
    after = np.abs(np.diff(reblurred, axis=1))
    return float(np.minimum(after, before)[edges].sum() / before[edges].sum())


def _centre(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    top, left = max(0, height - _CROP) // 2, max(0, width - _CROP) // 2
    return pixels[top : top + _CROP, left : left + _CROP]
