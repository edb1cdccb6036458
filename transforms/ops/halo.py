"""What is seen along a product's outline: the old backdrop shining through, and whether the product stands out."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.color_difference import cie76, lab_of

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

# Distances from the mask in pixels: the ring where a halo shows, and the strip that speaks for the background.
RING_PX = (1.0, 3.0)
BEYOND_PX = (6.0, 14.0)
# Two backdrops closer than this (CIE76) cannot leave a halo that anyone sees.
VISIBLE_DELTA_E = 6.0


class Outline(NamedTuple):
    """Measures along an outline.

    Attributes:
        halo: mean share of the old backdrop's colour left in the ring, 0 (none) to 1 (the old backdrop itself).
        contrast: median CIE76 between the product's rim and the background beyond; small is indistinct.
    """

    halo: float
    contrast: float


def outline_of(scene: Pixels, original: Pixels, mask: Mask, covered: Mask) -> Outline:
    """Measure the ring around a product.

    Args:
        scene: uint8 [h, w, 3]; the composed placement.
        original: uint8 [h, w, 3]; the source laid on the placement, for its backdrop's colours.
        mask: bool [h, w]; the product.
        covered: bool [h, w]; where `original` holds pixels of the source.
    """
    window = _window(mask)
    if window is None:
        return Outline(0.0, 0.0)
    scene, original, mask, covered = scene[window], original[window], mask[window], covered[window]
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    beyond = (distance >= BEYOND_PX[0]) & (distance <= BEYOND_PX[1])
    ring = (distance > RING_PX[0]) & (distance <= RING_PX[1])
    new, seen_new = _around(scene, beyond)
    old, seen_old = _around(original, beyond & covered)
    at = ring & seen_new & seen_old
    rim = (depth > 1.5) & (depth <= 5.0) & seen_new
    contrast = float(np.median(cie76(_lab(scene[rim]), _lab(new[rim])))) if rim.any() else 0.0
    return Outline(_share(scene[at].astype(np.float32), new[at], old[at]), contrast)


def _window(mask: Mask) -> tuple[slice, slice] | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    reach = int(BEYOND_PX[1]) + 2
    return (
        slice(max(int(rows[0]) - reach, 0), int(rows[-1]) + 1 + reach),
        slice(max(int(columns[0]) - reach, 0), int(columns[-1]) + 1 + reach),
    )


def _around(pixels: Pixels, where: Mask) -> tuple[Floats, Mask]:
    """The local mean colour of the pixels at `where`, and where there is one."""
    weight = where.astype(np.float32)
    side = 2 * int(BEYOND_PX[1]) + 1
    mass = cv2.blur(weight, (side, side), borderType=cv2.BORDER_CONSTANT)
    total = cv2.blur(pixels.astype(np.float32) * weight[..., None], (side, side), borderType=cv2.BORDER_CONSTANT)
    return total / np.maximum(mass, 1e-6)[..., None], mass > 1.0 / side


def _lab(colours: NDArray[np.float32] | Pixels) -> NDArray[np.float64]:
    return lab_of(np.clip(np.rint(colours), 0, 255).astype(np.uint8))


def _share(ring: Floats, new: Floats, old: Floats) -> float:
    """Mean projection of the ring's colour on the way from the new background to the old one."""
    way = old - new
    length = (way**2).sum(axis=1)
    shows = cie76(_lab(old), _lab(new)) > VISIBLE_DELTA_E
    if not shows.any():
        return 0.0
    along = ((ring - new) * way).sum(axis=1)[shows] / length[shows]
    # a halo that covers only part of the outline still shows: pixels without a visible way count as clean
    return float(np.clip(along, 0.0, 1.0).sum() / len(ring))
