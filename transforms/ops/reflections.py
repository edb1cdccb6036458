"""The product's mirror image in a polished floor."""

from __future__ import annotations

import cv2
import numpy as np

from transforms.ops.footing import Floats, find_footing


def reflection(image: Floats, matte: Floats) -> tuple[Floats, Floats]:
    """Mirror a product about the line it stands on.

    Args:
        image: float32 [h, w, 3], linear light.
        matte: float32 [h, w] in [0, 1].

    Returns:
        How much of the floor shows the mirror image, float32 [h, w] in [0, 1], fading with the distance, and the
        image, float32 [h, w, 3].
    """
    height, width = matte.shape
    footing = find_footing(matte)
    if footing is None:
        return np.zeros_like(matte), image
    line = np.where(footing.touching, footing.bottom, footing.front).astype(np.float32)
    rows = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    columns = np.repeat(np.arange(width, dtype=np.float32)[None, :], height, axis=0)
    premultiplied = np.dstack([image * matte[..., None], matte])
    mirror = cv2.remap(premultiplied, columns, 2 * line[None, :] + 1 - rows, cv2.INTER_LINEAR)
    mirror = cv2.GaussianBlur(mirror, (0, 0), sigmaX=max(0.8, height / 400), sigmaY=max(1.0, height / 300))
    distance = np.maximum(rows - line[None, :], 0) / height
    share = mirror[..., 3] * np.exp(-distance / 0.09) * (rows >= line[None, :])
    colours = mirror[..., :3] / np.maximum(mirror[..., 3:], 1e-3)
    return share.astype(np.float32), colours.astype(np.float32)
