"""The `studio` painter: a seamless studio set around a product, procedural and deterministic.

`paint` draws a small candidate, `upscale` the same set at the placement's size. Both draw one design, made from the
inputs at the candidate's size, so the winner looks as it did when it was ranked. The answer is the backdrop alone,
with the product's shadow and reflection; the cutout is laid over it later.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.oklab import Floats, to_srgb
from transforms.ops.sets import Design, design_set, light_set, stream, texture
from transforms.ops.shadows import contact_shadow, find_footing

Pixels = NDArray[np.uint8]

_GRAIN = 1.3  # standard deviation of the paper's grain, in 8-bit steps: hides the steps of a slow gradient


def paint(image: Pixels, product: Pixels, known: Pixels, prompt: str, seed: int) -> Pixels:
    """Paint a candidate.

    Args:
        image: uint8 [h, w, 3]; the product's foreground laid into the placement over neutral grey.
        product: uint8 [h, w]; its alpha.
        known: uint8 [h, w]; not needed here, part of every painter's signature.
        prompt: words for colours, light, surface and pose; see `transforms.ops.papers`.
        seed: chooses among designs.

    Returns:
        uint8 [h, w, 3]; the backdrop without the product.
    """
    del known
    design = design_set(image, product, prompt, seed)
    return _finish(_scene(design, product), design, product)


def upscale(
    image: Pixels, product: Pixels, known: Pixels, candidate: Pixels, guide: NDArray[np.int16], prompt: str, seed: int
) -> Pixels:
    """Paint a candidate's set at full size.

    Args:
        image, product, known: as for `paint`, at the placement's size [H, W].
        candidate: uint8 [h, w, 3]; what `paint` answered for these inputs brought to [h, w] by `shrink`.
        guide: not needed here.
        prompt, seed: as for `paint`.

    Returns:
        uint8 [H, W, 3].
    """
    del known, guide
    size = (candidate.shape[0], candidate.shape[1])
    small = shrink(product, size)
    design = design_set(shrink(image, size), small, prompt, seed)
    scene = cv2.resize(_scene(design, small), (product.shape[1], product.shape[0]), interpolation=cv2.INTER_CUBIC)
    return _finish(np.asarray(scene, np.float32), design, product)


def shrink(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """`pixels` uint8 [H, W] or [H, W, 3] brought to `size` (height, width) by area averaging; how inputs of `paint` are made."""
    if pixels.shape[:2] == tuple(size):
        return pixels
    return np.asarray(cv2.resize(pixels, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.uint8)


def _scene(design: Design, product: Pixels) -> Floats:
    """Everything but the finest detail: sRGB in [0, 1], float32 [h, w, 3]."""
    lit = light_set(design, product.astype(np.float32) / 255)
    return to_srgb(lit * texture(design, product.shape[:2])[..., None])


def _finish(scene: Floats, design: Design, product: Pixels) -> Pixels:
    """Contact shadow, grain and quantisation, at the scene's own size."""
    if design.pose == "standing":
        _darken_contact(scene, product)
    grain = _grain(design.seed, scene.shape[:2])
    return np.clip(scene * 255 + grain[..., None] + 0.5, 0, 255).astype(np.uint8)


def _darken_contact(scene: Floats, product: Pixels) -> None:
    matte = product.astype(np.float32) / 255
    footing = find_footing(matte)
    if footing is not None:
        scene *= (1.0 - 0.55 * contact_shadow(matte, footing))[..., None]


def _grain(seed: int, size: tuple[int, int]) -> Floats:
    raw = stream(seed, 2).integers(0, 256, (4, *size), np.uint8)
    bell = raw.sum(axis=0, dtype=np.int16).astype(np.float32)
    return ((bell - 510.0) * (_GRAIN / 147.8)).astype(np.float32)
