"""A shadow that is joined to its product, as shops draw them under garments: flat, grey, and cut out in part.

Before a smooth backdrop a shadow only darkens. Where it is joined to its product, networks and colour give up most of
it and keep the rest, which shows as a pale sliver before another backdrop. What is of one piece with what was given
up, without an edge between, is no product either, unless the networks are sure of it.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.backdrop import Lab, to_lab
from transforms.ops.masks import Evidence, components, dilated, slope_of
from transforms.records import Mask, Pixels

Real = NDArray[np.float32]

_TINT, _EDGE = 1.2, 2.0  # dE off the backdrop's hue, and dE a pixel, below which a patch is shade of one piece
_SHADE = (3.0, 28.0)  # dE of darkening
_GIVEN_UP = 0.5  # least share of a patch that is no product
_DOUBT = 0.6  # the networks' mean probability, over what is left of it, from which it stays
_LEAST = 30  # working pixels that are left of it; fewer are an edge
_RIM = 3  # working pixels: how far a shade's own soft edge reaches
_RIM_TINT, _RIM_DARKER = 2.0, 1.5  # dE: what lies there and is hardly darker than the shade belongs to it


def without_attached_shadow(pixels: Pixels, probability: Real, coarse: Real, evidence: Evidence) -> Real:
    """`probability` of "product", float32 [h, w], without the rest of shades that were given up for the most part.

    Args:
        pixels: uint8 [h, w, 3], before a smooth backdrop.
        probability: of "product", float32 [h, w].
        coarse: the networks' own, float32 [h, w].
        evidence: of the backdrop's colours.
    """
    product = probability > 0.5
    labels, areas = components(_shade(pixels, evidence))
    left = _totals(labels, product)
    doubted = _totals(labels, np.where(product, coarse, 0)) < _DOUBT * left
    shadow = doubted & (left >= _LEAST) & (areas - left > _GIVEN_UP * areas)
    gone = np.zeros_like(product)
    for number in np.flatnonzero(shadow):
        gone |= _with_rim(labels == number, evidence)
    return cast(Real, np.where(gone, np.float32(0), probability))


def _shade(pixels: Pixels, evidence: Evidence) -> Mask:
    """What only darkens the backdrop, without an edge, bool [h, w]."""
    slope = slope_of(cast(Lab, cv2.GaussianBlur(to_lab(pixels), (0, 0), 0.7)))
    darker = (evidence.distance > _SHADE[0]) & (evidence.distance < _SHADE[1])
    return darker & (evidence.tint < _TINT) & (slope < _EDGE)


def _with_rim(patch: Mask, evidence: Evidence) -> Mask:
    limit = float(evidence.distance[patch].mean()) + _RIM_DARKER
    return patch | (dilated(patch, _RIM) & (evidence.tint < _RIM_TINT) & (evidence.distance < limit))


def _totals(labels: NDArray[np.int32], plane: NDArray[np.generic]) -> NDArray[np.float64]:
    """The sum of `plane` over each label; 0 for everything else (label 0)."""
    totals = np.bincount(labels.ravel(), np.asarray(plane, np.float64).ravel())
    totals[0] = 0.0
    return cast("NDArray[np.float64]", totals)
