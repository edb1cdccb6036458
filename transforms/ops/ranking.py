"""Cheap scores of painted candidates: does the product stand out, is its edge clean, do the colours agree?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from transforms.ops.doubt import Doubt, visible_doubt
from transforms.ops.oklab import Floats, to_oklab
from transforms.ops.palette import Palette, harmony, product_palette
from transforms.records import Mask, Pixels

_RING = 0.012  # width of the compared strips, as a share of the longer side
_INDISTINCT, _DISTINCT = 0.035, 0.2  # Oklab distances across an outline: barely seen, and plainly seen
DOUBT_WEIGHT = 6.0  # by `benchmarks.doubtful_outlines`: more hides hardly more, and begins to cost reward
_WEAK_SHARE = 25  # the percentile of the outline that stands for its weakest stretch


class Ranking(NamedTuple):
    """A candidate's scores, each in [0, 1], 1 best.

    Attributes:
        candidate: its position among those given.
        reward: how well it sets the product off.
        contrast: of the product's outline against the backdrop beside it.
        clean_edge: 1 - risk of a pale fringe.
        harmony: of the colours.
        visible_doubt: how much would be seen if the outline erred; 0 best, and where nothing is known of it.
    """

    candidate: int
    reward: float
    contrast: float
    clean_edge: float
    harmony: float
    visible_doubt: float = 0.0

    @property
    def merit(self) -> float:
        """What candidates are chosen by: the reward, less what a doubtful outline would show."""
        return self.reward - DOUBT_WEIGHT * self.visible_doubt


def rank_candidates(
    image: Pixels, product: Pixels, candidates: Sequence[Pixels], doubt: Doubt | None = None
) -> tuple[Ranking, ...]:
    """Rank painted backdrops around one product by their merit, best first; equal ones keep their order.

    Args:
        image: uint8 [h, w, 3]; the product's foreground.
        product: uint8 [h, w]; its alpha.
        candidates: uint8 [h, w, 3] each.
        doubt: about the outline, at the same size; None where nothing is known.
    """
    palette, outline = product_palette(image, product), _outline_of(image, product)
    ranked = [_rank(index, outline, candidate, palette) for index, candidate in enumerate(candidates)]
    if doubt is not None:
        strip = float(outline.where.sum()) * outline.radius
        ranked = [
            entry._replace(visible_doubt=visible_doubt(doubt, candidates[entry.candidate], strip)) for entry in ranked
        ]
    return tuple(sorted(ranked, key=lambda ranking: -ranking.merit))


class _Outline(NamedTuple):
    """What all candidates are held against, inside `box`, around the product.

    `edge` and `inside` are Oklab [n, 3] of the outline's own colour and of the product within it; `where` is the
    outline, bool [h, w]; `clear` is what lies off the product, float32 [h, w]; `radius` is the strips' half width.
    """

    box: tuple[slice, slice]
    edge: Floats
    inside: Floats
    where: Mask
    clear: Floats
    radius: int


def _outline_of(image: Pixels, product: Pixels) -> _Outline:
    radius = max(2, round(_RING * max(product.shape)))
    box = _around(product, 2 * radius)
    matte = product[box].astype(np.float32) / 255
    solid = (matte > 0.98).astype(np.float32)
    where = (matte > 0.3) & (cv2.erode(solid, np.ones((3, 3), np.uint8)) == 0)
    deep = np.asarray(cv2.erode(solid, np.ones((radius + 1, radius + 1), np.uint8)), np.float32)
    own = to_oklab(image[box])
    inside = _mean_around(own, deep, 2 * radius)
    return _Outline(box, own[where], inside[where], where, (matte < 0.02).astype(np.float32), radius)


def _around(product: Pixels, margin: int) -> tuple[slice, slice]:
    """The box of what is seen of a matte, `margin` wider; everything where nothing is seen."""
    rows, columns = (np.flatnonzero((product > 0).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return slice(None), slice(None)
    return slice(max(0, rows[0] - margin), rows[-1] + 1 + margin), slice(
        max(0, columns[0] - margin), columns[-1] + 1 + margin
    )


def _rank(index: int, outline: _Outline, candidate: Pixels, palette: Palette) -> Ranking:
    if not outline.where.any():
        return Ranking(index, 0.0, 0.0, 0.0, 0.0)
    beside = _mean_around(to_oklab(candidate[outline.box]), outline.clear, outline.radius)[outline.where]
    contrast = _contrast(outline.inside, beside)
    clean = 1.0 - _halo_risk(outline.edge, outline.inside, beside)
    agree = harmony(palette, np.asarray(to_oklab(candidate[::4, ::4]).reshape(-1, 3).mean(axis=0), np.float32))
    return Ranking(index, contrast * (0.5 + 0.5 * agree) * (0.6 + 0.4 * clean), contrast, clean, agree)


def _mean_around(colours: Floats, weight: Floats, radius: int) -> Floats:
    side = (2 * radius + 1, 2 * radius + 1)
    total = cv2.blur(weight, side)
    mean = cv2.blur(colours * weight[..., None], side) / np.maximum(total, 1e-4)[..., None]
    return np.where(total[..., None] > 1e-3, mean, colours).astype(np.float32)


def _contrast(inside: Floats, beside: Floats) -> float:
    """From the weakest stretch and the mean of the distances across the outline."""
    distance = np.linalg.norm(inside - beside, axis=1)
    seen = np.clip((distance - _INDISTINCT) / (_DISTINCT - _INDISTINCT), 0.0, 1.0)
    return float(0.5 * np.percentile(seen, _WEAK_SHARE) + 0.5 * seen.mean())


def _halo_risk(edge: Floats, inside: Floats, beside: Floats) -> float:
    """A rim paler than both the product within and the backdrop beside it reads as a halo."""
    excess = np.maximum(edge[:, 0] - np.maximum(inside[:, 0], beside[:, 0]), 0.0)
    return float(np.clip(excess.mean() / 0.15, 0.0, 1.0))
