"""Laying a cutout over a scene: the core is the source's own pixels, only the edge is mixed."""

from __future__ import annotations

import cv2
import numpy as np

from transforms.records import Mask, Matte, Pixels

_OPAQUE_FROM = 0.998  # half an 8-bit step short of 1: the resampling kernel's rounding leaves no exact ones


def core_of(mask: Mask, alpha: Matte, erosion_px: int) -> Mask:
    """Where the source's pixels go unmixed: inside the mask eroded by `erosion_px` and opaque.

    Args:
        mask: bool [h, w].
        alpha: float32 [h, w] in [0, 1].
        erosion_px: 0..2. Outside the picture counts as product: a product cut by the border keeps its rim there.
    """
    kernel = np.ones((2 * erosion_px + 1,) * 2, np.uint8)
    inner = cv2.erode(mask.astype(np.uint8), kernel) > 0
    return np.asarray(inner & (alpha >= _OPAQUE_FROM))


def compose_over(source: Pixels, foreground: Pixels, alpha: Matte, background: Pixels, core: Mask) -> Pixels:
    """The product over a new background.

    Mixed in sRGB's own values and not in linear light: alpha and foreground are estimated from the source's sRGB
    values as source = alpha * foreground + (1 - alpha) * backdrop, so that mixing in any other space would not even
    give the source back over its own backdrop.

    Args:
        source: uint8 [h, w, 3]; copied where `core` is true.
        foreground: uint8 [h, w, 3]; the product's own colours along its edge.
        alpha: float32 [h, w] in [0, 1].
        background: uint8 [h, w, 3].
        core: bool [h, w].

    Returns:
        uint8 [h, w, 3].
    """
    out = background.copy()
    edge = (alpha > 0) & ~core
    share = alpha[edge][:, None]
    mixed = foreground[edge] * share + background[edge] * (1.0 - share)
    out[edge] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    out[core] = source[core]
    return out


def core_share(core: Mask, mask: Mask) -> float:
    """The share of the mask's area that the core covers; 1 for an empty mask.

    >>> core_share(np.eye(2, dtype=bool), np.ones((2, 2), bool))
    0.5
    """
    area = int(mask.sum())
    return float((core & mask).sum() / area) if area else 1.0
