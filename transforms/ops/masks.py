"""Masks and coarse probabilities: shape operations, and the network's word joined with the backdrop's colours."""

from __future__ import annotations

from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.backdrop import Backdrop, Lab, differences, field_of, fill_field, to_lab
from transforms.records import Box, Mask, Pixels, Size

Real = NDArray[np.float32]

# Barrier levels, dE: from just visible to plainly another thing.
_LEVELS = (1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.5, 8.0, 10.0, 13.0, 17.0, 22.0)
HIGHEST_BARRIER = 1.3 * _LEVELS[-1]  # dE; what no lower path leads to
_SLOPE_GAIN = 1.6  # dE of a step edge per dE of its Gaussian gradient (sigma 0.8): 1 / (2 x 0.31)
_SHADOW_SHARE = 0.22  # how much of a darkening counts as difference: a shadow of 35 dE is no stronger than a tint of 8


# Log odds of "product", linear in `fusion_terms`: printed by benchmarks/fit_colour_evidence.py, from the tuning half
# of Cycles renders before white and plain sweeps, and of composed pictures (92 pictures).
_FUSION = (
    *(0.490, 1.374, 1.595, -1.266, 0.320, -0.036, 0.112, -0.013, 0.210),
    *(-0.237, -0.267, 0.019, 0.007, 0.265, 0.040, -0.297, -0.167, -0.112),
)
_SURE_PIXEL, SURE_PATCH = 0.85, 0.9
LARGE_GAP = 400  # pixels at working size: what shows between bars is large; networks are not wrong in small patches
# dE; an outline about as strong as any, as that of a stool's holes is, which the networks take for product. It is
# seldom asked: of the exact patches in renders and compositions one is small and sure, and a gap.
_CUT_OUT = 17.0
FLAT = 2.5  # dE; a pixel this close to the backdrop's colour could be either
# Patches within a level of the backdrop's colour, dE, whose mean difference is this small and that are fenced by such a
# barrier, are gaps: so were 43 and 36 patches in Cycles renders and compositions of held-out products, and none of a
# product, whose patches began at means of 0.91 and 0.65. The pale outlines of glass fence nothing off.
EXACT = ((FLAT, 0.75, 5.0), (1.5, 0.5, 3.0))
LEAST_EXACT = 60  # pixels at working size; a smaller patch agrees by chance
WHITISH = 93.0  # lightness from which a backdrop counts as white
# Of holes (ten pixels and more) in Cycles renders with a higher mean, 69 % were product; of the others 14 %.
_DOUBTFUL_GAP, _FILLED = 0.37, 0.75
_LARGEST_HOLE = 200  # pixels at working size; a larger one may be what a coat hanger encloses
_CERTAIN = 0.98  # the network's probability is clipped here: beyond, it is as often wrong


class Evidence(NamedTuple):
    """What colour says about a plain backdrop's picture, all float32 [H, W].

    `barrier`: the least dE step that any path from the border must take to come here.
    `distance`: dE from the backdrop's colour here.
    `tint`: the same, with the darkening of a shadow forgiven.
    `texture`: mean gradient around, dE a pixel.
    """

    barrier: Real
    distance: Real
    tint: Real
    texture: Real


def bounding_box(mask: Mask) -> Box:
    """The smallest box around `mask`; an empty mask has an empty box at the origin."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return Box(0, 0, 0, 0)
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def eroded(mask: Mask, pixels: int) -> Mask:
    """`mask` without what lies within `pixels` (chessboard) of its outside; the frame is no outside."""
    return _morph(cv2.erode, mask, pixels)


def dilated(mask: Mask, pixels: int) -> Mask:
    """`mask` grown by `pixels` (chessboard)."""
    return _morph(cv2.dilate, mask, pixels)


def _morph(operation: object, mask: Mask, pixels: int) -> Mask:
    if pixels < 1:
        return mask.copy()
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return cast(Mask, operation(mask.astype(np.uint8), kernel, borderType=cv2.BORDER_REPLICATE) > 0)  # type: ignore[operator]


def components(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """(labels [H, W], areas by label); label 0 is the outside of `mask`, with area 0. 8-connected."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:count, cv2.CC_STAT_AREA].astype(np.int64)
    areas[0] = 0
    return cast("NDArray[np.int32]", labels), areas


def without_specks(mask: Mask, min_share: float) -> Mask:
    """`mask` without components smaller than `min_share` of its area."""
    labels, areas = components(mask)
    return areas[labels] >= max(1.0, min_share * float(areas.sum()))


def count_fragments(mask: Mask, *, gap: float = 0.01, small: float = 0.1) -> int:
    """How many small pieces float apart from the rest: what is left where a pale part of a product was lost.

    Args:
        mask: bool [H, W].
        gap: pieces nearer than twice this share of the longer side count as one.
        small: a piece below this share of the mask is a fragment; a pair of shoes is two products.
    """
    shrink = max(1, min(max(mask.shape) // 512, *mask.shape))  # of a strip a row at least is left
    coarse = (
        cv2.resize(mask.astype(np.float32), None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA) > 0.25
    )
    labels, _ = components(dilated(coarse, max(1, round(gap * max(coarse.shape)))))
    areas = np.bincount(labels[coarse], minlength=2)[1:]
    return int(((areas > 0) & (areas < small * areas.sum())).sum())


def holes(mask: Mask) -> Mask:
    """What `mask` encloses: outside pixels with no 4-connected way to the frame."""
    _, labels = cv2.connectedComponents((~mask).astype(np.uint8), connectivity=4)
    frame = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    reached = np.zeros(int(labels.max()) + 1, np.bool_)
    reached[frame] = True
    return cast(Mask, ~mask & ~reached[labels])


def without_doubtful_holes(probability: Real) -> Real:
    """`probability` (float32 [H, W]) with those small holes filled that are hardly less probable than what is around.

    A hole in a product is seen sooner than a dot of old backdrop in it.
    """
    labels, areas = components(holes(probability > 0.5))
    mean = np.bincount(labels.ravel(), probability.ravel(), minlength=len(areas)) / np.maximum(areas, 1)
    filled = (mean > _DOUBTFUL_GAP) & (areas > 0) & (areas <= _LARGEST_HOLE)
    return cast(Real, np.where(filled[labels], np.maximum(probability, np.float32(_FILLED)), probability))


def resized(picture: Real, size: Size) -> Real:
    """`picture` (float32 [h, w]) at `size`: bilinear up, area-averaged down."""
    shrink = size.height < picture.shape[0]
    kernel = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
    return cast(Real, cv2.resize(picture, (size.width, size.height), interpolation=kernel))


def gather_evidence(pixels: Pixels, coarse: Real, backdrop: Backdrop) -> Evidence:
    """Hold a picture (uint8 [H, W, 3], at working size) against its plain backdrop.

    The barrier is the minimax path cost of Zhang et al. 2015 ("Minimum Barrier Salient Object Detection"), over
    gradient and shadow-tolerant colour difference: an outline closes off what it surrounds, be it as white as the
    backdrop, while a soft shadow is walked through.

    Args:
        coarse: the network's probability, float32 [H, W].
    """
    lab = cast(Lab, cv2.GaussianBlur(to_lab(pixels), (0, 0), 0.7))
    size = Size(*coarse.shape)
    steps = step_costs(lab, field_of(backdrop, size), backdrop.spread)
    barrier = barrier_from_border(steps)
    known = (barrier < 8.0) & (coarse < 0.3) & ~dilated(coarse > 0.5, max(2, size.width // 80))
    field = fill_field(lab, known) if known.mean() > 0.05 else field_of(backdrop, size)
    texture = cv2.GaussianBlur(slope_of(lab), (0, 0), 4.0)
    return Evidence(barrier, *differences(lab, field), cast(Real, texture))


def step_costs(lab: Lab, field: Lab, spread: float) -> Real:
    """What it costs to step on each pixel, dE float32 [H, W]; the backdrop's own texture is free."""
    strict, tolerant = differences(lab, field)
    slope = 2 * _SLOPE_GAIN * slope_of(lab)
    cost = np.maximum.reduce([tolerant, slope, _SHADOW_SHARE * strict])
    return cast(Real, np.maximum(cost - spread, 0.0).astype(np.float32))


def slope_of(lab: Lab) -> Real:
    """Gradient magnitude over all three channels, dE a pixel, float32 [H, W]."""
    total = np.zeros(lab.shape[:2], np.float32)
    for channel in range(3):
        for order in ((1, 0), (0, 1)):
            total += np.square(cv2.Sobel(np.ascontiguousarray(lab[..., channel]), cv2.CV_32F, *order, scale=0.125))
    return np.sqrt(total)


def barrier_from_border(steps: Real) -> Real:
    """The least, over all paths from the border, of a path's greatest step; in levels, float32 [H, W]."""
    barrier = np.full(steps.shape, HIGHEST_BARRIER, np.float32)
    for level in reversed(_LEVELS):
        open_ = np.pad((steps < level).astype(np.uint8), 1, constant_values=1)
        _, labels = cv2.connectedComponents(open_, connectivity=4)
        barrier[(labels == labels[0, 0])[1:-1, 1:-1]] = level
    return barrier


def log_odds(probability: Real) -> Real:
    """ln p / (1 - p), with p clipped to [0.02, 0.98]."""
    clipped = np.clip(probability, 1 - _CERTAIN, _CERTAIN)
    return cast(Real, np.log(clipped / (1 - clipped)).astype(np.float32))


def fusion_terms(coarse: Real, evidence: Evidence) -> Real:
    """The terms that the fusion weighs, float32 [H, W, 18].

    A thing before a backdrop is fenced by about as much as it differs: barrier and distance agree. A shadow differs
    and is not fenced, has no tint and no texture; a gap, and a shadow in a gap, is fenced by more than it differs.
    """
    x, d, b = log_odds(coarse), np.log1p(evidence.distance), np.log(evidence.barrier)
    t, g = np.log1p(evidence.tint), np.log1p(4 * evidence.texture)
    colour = (d * b, d * d, b * b, x * b, x * d)
    return np.stack([np.ones_like(x), x, d, b, *colour, t, t * d, t * b, x * t, t * t, g, g * d, g * b, g * x], axis=-1)


def join_evidence(coarse: Real, evidence: Evidence, *, lightness: float = 0.0) -> Real:
    """The product's probability from the network's (float32 [H, W]) and the colour evidence of a plain backdrop.

    Colour may add to the product and open gaps in it; it takes nothing that the network is sure of, be it as pale as
    the backdrop: white stripes, a face of the backdrop's own beige.

    Args:
        lightness: of the backdrop, CIE L. Before any colour but white, a large patch that is fenced and agrees with the
            backdrop exactly is a gap all the same; white products are too many.
    """
    terms = fusion_terms(coarse, evidence)
    # one product of a matrix and a vector: numpy would take a stack of them row by row, at three times the time
    odds = (terms.reshape(-1, terms.shape[-1]) @ np.asarray(_FUSION, np.float32)).reshape(coarse.shape)
    joined = cast(Real, (1 / (1 + np.exp(-np.clip(odds, -30, 30)))).astype(np.float32))
    kept = ((coarse > _SURE_PIXEL) & (evidence.distance >= FLAT)) | _sure_patches(coarse, evidence)
    answer = np.where(kept, np.maximum(joined, coarse), joined)
    if lightness > WHITISH:
        return answer
    return cast(Real, np.where(exact_patches(coarse, evidence), np.float32(0), answer))


def exact_patches(coarse: Real, evidence: Evidence) -> Mask:
    """Patches that agree with the backdrop as no product does: what shows through a handle, between rungs.

    A small one of which the network (its probability, float32 [H, W]) is sure is none, unless it is plainly cut out.
    """
    return np.logical_or.reduce([_agreeing(coarse, evidence, *limits) for limits in EXACT])


def _agreeing(coarse: Real, evidence: Evidence, level: float, mean_limit: float, fence_limit: float) -> Mask:
    labels = _flat_patches(evidence, level)
    areas = np.bincount(labels.ravel())
    sums = (np.bincount(labels.ravel(), plane.ravel()) for plane in (evidence.distance, evidence.barrier, coarse))
    mean, fence, sure = (total / np.maximum(areas, 1) for total in sums)
    exact = (mean < mean_limit) & (fence > fence_limit) & (areas >= LEAST_EXACT)
    exact &= (sure < SURE_PATCH) | (areas >= LARGE_GAP) | (fence > _CUT_OUT)
    exact[0] = False
    return cast(Mask, exact[labels])


def _flat_patches(evidence: Evidence, level: float) -> NDArray[np.int32]:
    """Labels of the patches within `level` dE of the backdrop's colour, int32 [H, W]; 0 is everything else."""
    flat = (evidence.distance < level).astype(np.uint8)
    return cast("NDArray[np.int32]", cv2.connectedComponents(flat, connectivity=4)[1])


def _sure_patches(coarse: Real, evidence: Evidence) -> Mask:
    """Patches of the backdrop's own colour over which the network's mean probability is beyond doubt."""
    labels = _flat_patches(evidence, FLAT)
    flattened = labels.ravel()
    mean = np.bincount(flattened, coarse.ravel()) / np.maximum(np.bincount(flattened), 1)
    return cast(Mask, (labels > 0) & (mean[labels] > SURE_PATCH))
