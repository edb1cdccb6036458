"""Segment: cut the product out at the source's own resolution, and say whether the mask can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.errors import Rejected
from transforms.inference.client import shared_client
from transforms.inference.config import ServingConfig
from transforms.inference.interface import InferenceClient
from transforms.looks import ask_refiner, look, recheck, scaled
from transforms.ops.alpha_layers import layers_of
from transforms.ops.attached_shadow import without_attached_shadow
from transforms.ops.backdrop import Backdrop, describe_backdrop, to_lab
from transforms.ops.bleached import bleached_backdrop, enclosed_gaps, reached_share, without_white_rim
from transforms.ops.clues import clues_of
from transforms.ops.doubt import doubt_of
from transforms.ops.edge_width import narrow_edges
from transforms.ops.kept_shadow import bare_backdrop
from transforms.ops.mask_gate import Looks, load_gate, measure_mask, measure_recheck, measure_refinement
from transforms.ops.masks import (
    HIGHEST_BARRIER,
    Evidence,
    bounding_box,
    components,
    count_fragments,
    dilated,
    gather_evidence,
    join_evidence,
    resized,
    without_doubtful_holes,
)
from transforms.ops.matting import decided, enlarge_alpha, estimate_foreground, is_informative, refine_alpha, saturate
from transforms.ops.refinement import settle
from transforms.records import Cutout, Job, Mask, Matte, Pixels, ProductImage, Size
from transforms.stage import StageTransform
from transforms.work import Run

Real = NDArray[np.float32]

_BAND, _EDGE = 2, 2  # half widths of the matting band and of the refiner's edge, in working pixels
_SPECK_SHARE = 0.004  # of the product's area; smaller pieces are dropped
_VIVID, _LEAST_PIECE = 20.0, 40  # dE from the backdrop in the mean, and working pixels; dust is smaller
_NO_TINT, _UNFENCED, _UNSEEN = 1.0, 0.7, 0.1  # dE; of the distance; our network's probability: a piece of shadow
STUDIO_SPREAD = 1.4  # dE; a studio's backdrop is smoother, a wall or sheet rougher: its colours prove little


@dataclass(frozen=True)
class SegmentLimits:
    """What a cutout must be.

    Attributes:
        min_mask_quality: least probability, by the gate, that the mask's IoU is 0.9 or more.
        max_fragments: small pieces that may float apart from the product.
        min_product_share: least share of the picture that the product covers.
        max_product_share: most share of the picture that the product covers.
    """

    min_mask_quality: float = 0.4
    max_fragments: int = 0
    min_product_share: float = 0.002
    max_product_share: float = 0.98


class Seen(NamedTuple):
    """What is known before the matte is drawn, at working size.

    `pixels`: uint8 [h, w, 3]; `probability`: float32 [h, w]; `backdrop`: what the border says; `evidence`: of a smooth
    backdrop's colours, None without one; `coarse`: the probability before it was refined, None where it was not;
    `reached`: float32 [h, w], the share of each pixel that is surely backdrop, None where the backdrop is not bleached.
    """

    looks: Looks
    pixels: Pixels
    probability: Real
    backdrop: Backdrop
    evidence: Evidence | None
    coarse: Real | None = None
    reached: Real | None = None

    @property
    def distance(self) -> Real | None:
        """dE from a smooth backdrop's colour, float32 [h, w], None without one."""
        return self.evidence.distance if self.evidence is not None else None


@dataclass
class SegmentProducts(StageTransform):
    """Lays down the cutting out of the product."""

    name: ClassVar[str] = "segment"

    serving: ServingConfig
    limits: SegmentLimits = SegmentLimits()

    def step(self) -> Run:
        """See `segment_job`."""
        return partial(segment_job, serving=self.serving, limits=self.limits)


def segment_job(job: Job, *, serving: ServingConfig, limits: SegmentLimits) -> Job:
    """`job` with its cutout; see `segment`."""
    return segment(job, shared_client(serving), limits)


def segment(job: Job, client: InferenceClient, limits: SegmentLimits) -> Job:
    """`job` with the product cut out of its image.

    Raises:
        Rejected: `no_product`, `no_backdrop` or `unclear_mask`.
        ServingError: one of the networks gave no usable answer.
    """
    assert job.image is not None, "segment comes after load"
    cutout = cut_out(job.image, client)
    scores = {f"segment_{name}": value for name, value in cutout.scores.items()}
    try:
        check_cutout(cutout, limits, pasted=job.task != "outpaint")
    except Rejected as refusal:
        refusal.scores = scores
        raise
    return replace(job, cutout=cutout, scores={**job.scores, **scores})


def check_cutout(cutout: Cutout, limits: SegmentLimits, *, pasted: bool) -> None:
    """Refuse a cutout that its scores or its shape speak against.

    A mask is held to its quality where the cutout is pasted; an extended scene keeps its whole frame as it is.

    Raises:
        Rejected: `no_product`, `no_backdrop` or `unclear_mask`.
    """
    share, quality = float(cutout.mask.mean()), cutout.scores["mask_quality"]
    if share < limits.min_product_share or share <= 0.0:  # a limit of 0 lets small products in, and no missing ones
        raise Rejected("no_product", "hardly anything was cut out", value=share, limit=limits.min_product_share)
    if share > limits.max_product_share:
        raise Rejected("no_backdrop", "the product fills the picture", value=share, limit=limits.max_product_share)
    if pasted and quality < limits.min_mask_quality:
        raise Rejected("unclear_mask", "the product's outline is unclear", value=quality, limit=limits.min_mask_quality)
    fragments = count_fragments(cutout.mask)
    if pasted and fragments > limits.max_fragments:
        detail = "small pieces float apart from the product: a part between them was lost"
        raise Rejected("unclear_mask", detail, value=float(fragments), limit=float(limits.max_fragments))


def cut_out(image: ProductImage, client: InferenceClient) -> Cutout:
    """The product of `image`, at its full resolution; a file's own alpha wins where it tells something."""
    if image.alpha is not None and is_informative(image.alpha):
        alpha = cast(Matte, image.alpha.astype(np.float32) / np.float32(255))
        layers = layers_of(image.pixels, alpha)
        return replace(_cutout(layers.foreground, layers.alpha, {"mask_quality": 1.0}), left=layers.left)
    seen = refine(join(image.pixels, look(image.pixels, client)), client)
    return finish(image.pixels, seen, client)


def finish(pixels: Pixels, seen: Seen, client: InferenceClient) -> Cutout:
    """Refine what was seen to a cutout with its scores."""
    alpha = matte(pixels, seen)
    foreground = estimate_foreground(pixels, alpha)
    mask = resized(alpha, Size(*seen.probability.shape)) > 0.5
    measures = {
        **measure_mask(to_lab(seen.pixels), seen.looks, seen.probability, mask, seen.distance),
        **measure_refinement(seen.coarse, seen.probability),
        **measure_recheck(mask, *recheck(foreground, alpha, seen.pixels, mask, client)),
    }
    doubt = cv2.resize(doubt_of(seen.probability), alpha.shape[::-1]).astype(np.uint8)
    cutout = _cutout(foreground, alpha, {**measures, "mask_quality": load_gate().quality(measures)})
    return replace(cutout, doubt=doubt, bare=bare_backdrop(seen.pixels, seen.probability, seen.backdrop))


def join(pixels: Pixels, looks: Looks) -> Seen:
    """Join the network's looks with the colours of a plain backdrop, where there is one."""
    merged = looks.merged()
    size = Size(*merged.shape)
    small = scaled(pixels, size)
    bleached = bleached_backdrop(pixels)
    backdrop = bleached or describe_backdrop(pixels)
    if not backdrop.plain or backdrop.spread > STUDIO_SPREAD:
        return Seen(looks, small, without_doubtful_holes(merged), backdrop, None)
    evidence = gather_evidence(small, merged, backdrop)
    joined = without_doubtful_holes(join_evidence(merged, evidence, lightness=backdrop.color_lab[0]))
    reached = reached_share(pixels, joined) if bleached else None
    if reached is not None:
        reached = np.where(enclosed_gaps(small, merged), np.float32(1), reached)
    return Seen(looks, small, _beside(joined, reached), backdrop, evidence, reached=reached)


def refine(seen: Seen, client: InferenceClient) -> Seen:
    """`seen` with its probability corrected by our refiner, edges above all; as it is without a smooth backdrop."""
    if seen.evidence is None:
        return seen
    settled = settle(seen.probability, answer_of(seen, seen.evidence, client), seen.evidence)
    whole = _beside(without_doubtful_holes(settled), seen.reached)
    alone = without_attached_shadow(seen.pixels, whole, seen.looks.merged(), seen.evidence)
    return seen._replace(probability=alone, coarse=seen.probability)


def _beside(probability: Real, reached: Real | None) -> Real:
    """`probability` (float32 [h, w]) as far as what is surely backdrop leaves room for it."""
    return probability if reached is None else np.minimum(probability, 1 - reached)


def answer_of(seen: Seen, evidence: Evidence, client: InferenceClient) -> Real:
    """What the refiner makes of `seen`, float32 [h, w]."""
    return ask_refiner(seen.pixels, clues_of(seen.probability, seen.looks.merged(), evidence), client)


def matte(pixels: Pixels, seen: Seen) -> Matte:
    """The alpha matte at full resolution, float32 [H, W]: enlarged along the colours, narrow where they do not tell."""
    drawn = draw(seen)
    alpha = narrow_edges(enlarge_alpha(pixels, drawn), drawn, seen.pixels)
    return alpha if seen.reached is None else without_white_rim(pixels, alpha)


def draw(seen: Seen) -> Matte:
    """The alpha matte at working size, float32 [h, w]."""
    coarse = np.where(dilated(_product_pieces(seen), 2), seen.probability, np.float32(0))
    drawn = refine_alpha(seen.pixels.astype(np.float32) / np.float32(255), coarse, _BAND)
    if seen.coarse is None:
        return drawn
    # the refiner's own edge is as good as the drawn one, and errs elsewhere
    return cast(Matte, (drawn + decided(saturate(coarse), _EDGE)) / np.float32(2))


def _product_pieces(seen: Seen) -> Mask:
    """The pieces that are product, bool [h, w]: no specks, and no shadows."""
    pieces, areas = components(seen.probability > 0.5)
    kept = areas >= max(1.0, _SPECK_SHARE * float(areas.sum()))
    if seen.evidence is not None:
        evidence = seen.evidence
        planes = (evidence.distance, evidence.barrier, evidence.tint, seen.looks.own())
        totals = (np.bincount(pieces.ravel(), plane.ravel(), minlength=len(areas)) for plane in planes)
        distance, barrier, tint, own = (total / np.maximum(areas, 1) for total in totals)
        # a smooth backdrop cannot be such a piece: a handle is no speck, however small
        kept |= (distance > _VIVID) & (areas >= _LEAST_PIECE)
        # A thing is fenced by about as much as it differs; a shadow only darkens, and its darkest part is walked into
        # through its soft rim. The largest piece is the product.
        shadow = (tint < _NO_TINT) & (barrier < _UNFENCED * np.minimum(distance, HIGHEST_BARRIER)) & (own < _UNSEEN)
        shadow[int(np.argmax(areas))] = False
        kept &= ~shadow
    return kept[pieces]


def _cutout(foreground: Pixels, alpha: Matte, scores: dict[str, float]) -> Cutout:
    mask = alpha >= 0.5
    return Cutout(foreground, alpha, mask, bounding_box(mask), scores)
