"""What a product does to the set around it, as a network is shown it and as its answer is put to use.

The network sees the empty set, the product in it, and what geometry alone says: how much of the key light and of the
sky each floor point sees past the product (`transforms.ops.shadows`). It answers a change of light as a logarithm, at a
few hundred pixels a side; shadows and glow are soft, so the set keeps its own detail at any size.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from transforms.ops.contact import contact_shadow
from transforms.ops.oklab import Floats
from transforms.ops.shadows import KeyLight, floor_shadow
from transforms.records import Pixels, Size

SHOWN = 13  # planes: the set, the set with the product, alpha, key, sky, contact, and the light's three numbers
FLOOR_LEVELS = 8.0  # added to both sides of a ratio, so that black has one
SIDE = 304  # pixels of the longer side at which the network was trained
STRIDE = 16  # sides are divisible by it
_TIP_LEVELS, _MIDDLE = 32.0, 127.5  # of the light's two directions, a unit stick's shadow
_NEAR = 6.0  # pixels over which the change beside a product goes on beneath it


def clues_of(product: Pixels, key: KeyLight) -> Pixels:
    """How much of the key light, of the sky, and of the contact line's surroundings is open: uint8 [h, w, 3].

    Args:
        product: uint8 [h, w], the alpha.
        key: the main light.

    Every pixel is read as a floor point: where walls stand, the network must see for itself.
    """
    matte = product.astype(np.float32) / 255
    key_seen, sky_seen = floor_shadow(matte, key, 0.0)
    touched = np.zeros_like(matte)
    band, dark = contact_shadow(matte)
    touched[band] = dark
    return cast(Pixels, np.rint(255 * np.stack([key_seen, sky_seen, 1 - touched], axis=-1)).astype(np.uint8))


def shown_of(ground: Pixels, image: Pixels, product: Pixels, clues: Pixels, key: KeyLight) -> Pixels:
    """What the network is shown, uint8 [h, w, 13].

    Args:
        ground: uint8 [h, w, 3], the empty set.
        image: uint8 [h, w, 3], the product's colours where `product` counts.
        product: uint8 [h, w], its alpha.
        clues: of `clues_of`.
        key: the main light.
    """
    alpha = product[..., None].astype(np.float32) / 255
    laid = np.rint(image * alpha + ground * (1 - alpha)).astype(np.uint8)
    tip = [_MIDDLE + _TIP_LEVELS * key.across, _MIDDLE + _TIP_LEVELS * key.back, 255 * key.softness]
    light = np.broadcast_to(np.rint(np.clip(tip, 0, 255)).astype(np.uint8), (*product.shape, 3))
    return np.concatenate([ground, laid, product[..., None], clues, light], axis=-1)


def mirrored(shown: Pixels) -> Pixels:
    """The same as in a mirror: the light comes from the other side too."""
    turned = np.ascontiguousarray(shown[:, ::-1])
    turned[..., 10] = 255 - turned[..., 10]
    return turned


def working_size(size: Size) -> Size:
    """The size at which a picture of `size` is shown to the network.

    >>> working_size(Size(608, 416))
    Size(height=304, width=208)
    """
    scale = SIDE / max(size)
    return Size(*(max(STRIDE, round(length * scale / STRIDE) * STRIDE) for length in size))


def spread(change: Floats, product: Pixels) -> Floats:
    """`change` (float32 [h, w, 3]) as it is beside the product, gone on beneath it: what lies there is not known."""
    free = (product < 64).astype(np.float32)
    weight = cv2.GaussianBlur(free, (0, 0), _NEAR)
    near = cv2.GaussianBlur(change * free[..., None], (0, 0), _NEAR) / np.maximum(weight, 1e-3)[..., None]
    return np.where(free[..., None] > 0, change, near).astype(np.float32)


def shaded(ground: Floats, change: Floats) -> Floats:
    """`ground` (sRGB in [0, 255], float32 [H, W, 3]) in the changed light; `change` [h, w, 3] is brought to its size.

    >>> shaded(np.full((1, 1, 3), 92.0, np.float32), np.full((1, 1, 3), -np.log(2.0), np.float32))[0, 0].tolist()
    [42.0, 42.0, 42.0]
    """
    size = (ground.shape[1], ground.shape[0])
    large = cv2.resize(change, size, interpolation=cv2.INTER_CUBIC) if change.shape[:2] != ground.shape[:2] else change
    return np.clip((ground + FLOOR_LEVELS) * np.exp(large) - FLOOR_LEVELS, 0, 255).astype(np.float32)
