"""Does a painted backdrop have the colour and the surface that its prompt asks for?

Everything is held against the same backdrops under each other's prompts: what agrees with its own words no better than
with any other's did not listen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.color_difference import ciede2000, lab_of

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_HEIGHT = 400  # roughness is compared at one size
_FINE = 2.5  # sigma of what counts as surface rather than light, pixels at that size
_SAMPLES = 20_000  # pixels that a median is taken of
_CLEAR = 0.02  # of the height, kept from the product


class ColorAgreement(NamedTuple):
    """Over all pictures.

    Attributes:
        difference: mean CIEDE2000 between measured and asked colour.
        shuffled: the same under every other picture's prompt that asks for another colour.
        right: share of pictures that are nearest to the colour they were asked for, of all colours that were asked.
        by_chance: that share under shuffled prompts.
    """

    difference: float
    shuffled: float
    right: float
    by_chance: float


def backdrop_of(product: Mask) -> Mask:
    """Where a picture shows backdrop and no product, a little away from it; bool [h, w]."""
    reach = 2 * max(1, round(_CLEAR * product.shape[0])) + 1
    return cv2.dilate(product.astype(np.uint8), np.ones((reach, reach), np.uint8)) == 0


def ground_of(product: Mask) -> Mask:
    """What lies beside and below a product's foot: backdrop in the rows from its lowest sixth down; bool [h, w]."""
    rows = np.flatnonzero(product.any(axis=1))
    where = backdrop_of(product)
    if len(rows):
        where[: int(rows[-1] - (rows[-1] - rows[0]) / 6)] = False
    return where


def color_in(pixels: Pixels, where: Mask) -> NDArray[np.float64]:
    """The median Lab colour [3] of `pixels` (uint8 [h, w, 3]) at `where`; of the whole picture where that is empty."""
    chosen = pixels[where] if where.any() else pixels.reshape(-1, 3)
    return cast("NDArray[np.float64]", np.median(lab_of(chosen[:: 1 + len(chosen) // _SAMPLES]), axis=0))


def roughness_in(pixels: Pixels, where: Mask) -> float:
    """Mean fine contrast at `where`, in levels of grey, at a common size."""
    width = max(1, round(pixels.shape[1] * _HEIGHT / pixels.shape[0]))
    grey = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (width, _HEIGHT), interpolation=cv2.INTER_AREA)
    small = cv2.resize(where.astype(np.float32), (width, _HEIGHT), interpolation=cv2.INTER_AREA) > 1 - 1e-3
    fine = np.abs(grey.astype(np.float32) - cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _FINE))
    return float(fine[small].mean()) if small.any() else 0.0


def color_agreement(measured: NDArray[np.float64], asked: NDArray[np.float64]) -> ColorAgreement:
    """How well colours follow their prompts.

    Args:
        measured, asked: Lab, [N, 3].
    """
    apart = ciede2000(measured[:, None], asked[None])  # row: a picture, column: a prompt
    alike = np.all(np.isclose(asked[:, None], asked[None]), axis=2)
    colors = np.unique(asked.round(6), axis=0)
    nearest = colors[np.argmin(ciede2000(measured[:, None], colors[None]), axis=1)]
    hits = np.all(np.isclose(nearest[:, None], asked[None], atol=1e-5), axis=2)
    others = ~np.eye(len(asked), dtype=bool)
    return ColorAgreement(
        float(np.diag(apart).mean()),
        float(apart[~alike].mean()) if (~alike).any() else float("nan"),
        float(np.diag(hits).mean()),
        float(hits[others].mean()) if others.any() else float("nan"),
    )


def told_apart(values: Sequence[float], rough: Sequence[bool]) -> float:
    """The chance that a picture asked to be rough measures rougher than one asked to be smooth (AUC); nan without both.

    >>> told_apart([1.0, 2.0, 3.0, 4.0], [False, False, True, True])
    1.0
    """
    values_, rough_ = np.asarray(values, np.float64), np.asarray(rough, bool)
    gaps = values_[rough_][:, None] - values_[~rough_][None]
    return float(((gaps > 0) + 0.5 * (gaps == 0)).mean()) if gaps.size else float("nan")
