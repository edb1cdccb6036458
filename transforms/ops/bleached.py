"""A backdrop that was bleached to pure white, as shops show their goods: its colour is known, and where it is reached.

What is exactly white, and joined to the frame by nothing but exact white, is backdrop, whatever a network that sees
320 pixels takes it for: a white product is seldom exactly white along its outline. Where one was bleached along with
its backdrop, the networks see more.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.backdrop import Backdrop, border_ring, to_lab
from transforms.ops.masks import FLAT, LEAST_EXACT, components, dilated, eroded, holes, resized
from transforms.records import Mask, Matte, Pixels, Size

Real = NDArray[np.float32]

_WHITE = 254  # least level of all channels; a JPEG file loses one
# Least share of the border that is exactly white. A product that fills its frame leaves 0.59 and more of it.
_LEAST_SHARE = 0.5
_MOUTH = 1 / 1000  # of the longer side: half as wide as a way must be; a bleached seam lets nothing through
# Of what the networks and colour take for product, the share that may be reached from the frame.
_MOST_LOST = 0.06

# A patch that the frame does not lead to is a gap where it is white to this mean, dE; where most of what lies two
# pixels beyond its rim differs by this much at once, as beside a bright fold or a lit edge it does not; where the
# networks are not sure of it, and where it is no letter's size, in working pixels. White prints are cut as sharply; of
# most of them networks are surer (benchmarks.bleached_patches), and a gap that stays white is better than a print lost.
_GAP_MEAN, GAP_RIM, GAP_SURE, GAP_AREA = 1.35, 17.0, 0.8, 200
_RIM_PERCENTILE = 20

# pixels; share of the product's own darkness below which a pixel there is more white than product; levels of it
_RIM, _RIM_WHITE, _RIM_DARK = 2, 0.5, 40

_KNOWN = Backdrop(True, (100.0, 0.0, 0.0), 0.0, 1.0, 0.0, ((100.0, 0.0, 0.0), *((0.0, 0.0, 0.0),) * 5))


class Patch(NamedTuple):
    """A white patch, bool [h, w]: its mean difference and its rim's from pure white, dE, and how sure networks are."""

    mask: Mask
    mean: float
    rim: float
    sure: float


def bleached_backdrop(pixels: Pixels) -> Backdrop | None:
    """Pure white, where the border of `pixels` (uint8 [H, W, 3]) is exactly that, or None.

    A product that reaches into the border does not count as texture then, be it nearly white itself.
    """
    white = _exactly_white(pixels)
    return _KNOWN if float(white[border_ring(Size(*white.shape))].mean()) >= _LEAST_SHARE else None


def reached_share(pixels: Pixels, probability: Real) -> Real | None:
    """How much of each pixel is exact white that the frame leads to, float32 [h, w] in [0, 1].

    None where that would take much of the product: it was bleached as well, and is no longer told by its whiteness.

    Args:
        pixels: uint8 [H, W, 3], before a bleached backdrop.
        probability: of "product", float32 [h, w].
    """
    share = resized(_reached(_exactly_white(pixels)).astype(np.float32), Size(*probability.shape))
    product = probability > 0.5
    lost = float(share[product].sum())
    return share if lost <= _MOST_LOST * float(np.count_nonzero(product)) else None


def without_white_rim(pixels: Pixels, alpha: Matte) -> Matte:
    """`alpha`, float32 [H, W], without the white between a product and the frame that it was cropped at.

    That is a pixel or two, which no working size shows. There the backdrop is known, and what is further in shows the
    product's own colour: how much of the way from white to that a pixel has come is its alpha.

    >>> pixels = np.full((9, 9, 3), 55, np.uint8); pixels[8] = 255
    >>> without_white_rim(pixels, np.ones((9, 9), np.float32))[6:, 4]
    array([1., 1., 0.], dtype=float32)
    """
    cut = alpha.copy()
    if min(alpha.shape) <= 2 * _RIM:
        return cut
    dark = (255 - pixels.astype(np.float32)).mean(axis=2)
    for turns in range(4):
        side, seen = np.rot90(cut, turns), np.rot90(dark, turns)  # views: what is written to `side` is in `cut`
        share = seen[:_RIM] / np.maximum(seen[_RIM], 1)
        white = (share < _RIM_WHITE) & (seen[_RIM] > _RIM_DARK)
        side[:_RIM] = np.where(white, np.minimum(side[:_RIM], share), side[:_RIM])
    return cut


def enclosed_gaps(pixels: Pixels, coarse: Real) -> Mask:
    """Patches inside the product through which a bleached backdrop shows, bool [h, w].

    Args:
        pixels: uint8 [h, w, 3], at working size.
        coarse: the networks' probability of "product", float32 [h, w].
    """
    gaps = np.zeros(coarse.shape, np.bool_)
    for patch in white_patches(pixels, coarse):
        if is_gap(patch):
            gaps |= patch.mask
    return gaps


def is_gap(patch: Patch) -> bool:
    """True where a white patch of some size is sharply cut out and the networks are not sure of it."""
    sharp = patch.mean < _GAP_MEAN and patch.rim > GAP_RIM
    return sharp and patch.sure < GAP_SURE and np.count_nonzero(patch.mask) >= GAP_AREA


def white_patches(pixels: Pixels, coarse: Real) -> list[Patch]:
    """The white patches of some size that the frame does not lead to; see `enclosed_gaps`."""
    distance = np.linalg.norm(to_lab(pixels) - np.asarray(_KNOWN.color_lab, np.float32), axis=2)
    inside = (distance < FLAT) & holes(distance >= FLAT)
    labels, areas = components(inside)
    found = []
    for number in np.flatnonzero(areas >= LEAST_EXACT):
        mask = labels == number
        rim = dilated(mask, 2) & ~dilated(mask, 1)
        beyond = float(np.percentile(distance[rim], _RIM_PERCENTILE)) if rim.any() else 0.0
        found.append(Patch(mask, float(distance[mask].mean()), beyond, float(coarse[mask].mean())))
    return found


def _exactly_white(pixels: Pixels) -> Mask:
    return cast(Mask, pixels.min(axis=2) >= _WHITE)


def _reached(white: Mask) -> Mask:
    """What of `white` (bool [H, W]) can be walked to from the frame without squeezing through, bool [H, W]."""
    mouth = max(1, round(_MOUTH * max(white.shape)))
    wide = np.pad(eroded(white, mouth), 1, constant_values=True)
    _, labels = cv2.connectedComponents(wide.astype(np.uint8), connectivity=4)
    return dilated((labels == labels[0, 0])[1:-1, 1:-1], mouth) & white
