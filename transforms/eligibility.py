"""Which task fits a picture, and whether the picture is fit for it: all that is decided before anything is cut out.

Checks run from the cheapest to the dearest and the first that fails ends the row, so the served detectors see only
what the others let through. The measures of a row that passes are in its scores; a row that does not carries the one
that failed, with its limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, NamedTuple

from transforms.errors import Skipped
from transforms.inference.client import shared_client
from transforms.inference.config import ServingConfig
from transforms.inference.interface import InferenceClient
from transforms.records import Job, Product, ProductImage
from transforms.sight import Sight
from transforms.stage import StageTransform
from transforms.words import WordPolicy, find_unfit
from transforms.work import Run


@dataclass(frozen=True)
class EligibilityLimits:
    """What a picture may measure at most, or at least; shares are of the picture's area or of one of its sides.

    How the defaults came about, and what each detector misses, is in docs/eligibility.md.

    Attributes:
        min_side_px: shorter side of the source.
        max_backdrop_texture: roughness of a coloured backdrop's border, dE a pixel at 192 px; rougher is a scene.
        max_panels: pictures that it may be put together from.
        max_sameness, max_repetition: of `find_pattern`.
        max_blur: of `blur`.
        max_human_score, max_unsafe_score: of the served detectors, probabilities.
        min_product_share: area of the product.
        max_frame_contact: side that the product touches on a plain backdrop.
        max_scene_frame_contact: the same in a scene, where the coarse mask takes in some surroundings.
        max_text_share: area under legible text.
        max_text_share_around: area under legible text that is not on the product.
        words: which words of prompt, title and description are unfit.
    """

    min_side_px: int = 300
    max_backdrop_texture: float = 0.6
    max_panels: int = 1
    max_sameness: float = 0.93
    max_repetition: float = 0.9
    max_blur: float = 0.8
    max_human_score: float = 0.75
    max_unsafe_score: float = 0.8
    min_product_share: float = 0.004
    max_frame_contact: float = 0.03
    max_scene_frame_contact: float = 0.15
    max_text_share: float = 0.2
    max_text_share_around: float = 0.006
    words: WordPolicy = WordPolicy()


class Measure(NamedTuple):
    """One measured value held against its limit, which it may reach but not pass."""

    reason: str
    name: str
    value: float
    limit: float
    detail: str
    is_minimum: bool = False

    @property
    def fails(self) -> bool:
        """Beyond the limit."""
        return self.value < self.limit if self.is_minimum else self.value > self.limit


Check = Callable[[Sight, EligibilityLimits], Iterator[Measure]]


@dataclass
class CheckEligibility(StageTransform):
    """Decides each row's task and ends the rows whose picture or words are unfit for it.

    Attributes:
        serving: where the detectors are served.
        limits: what a picture must keep.
    """

    name: ClassVar[str] = "eligibility"

    serving: ServingConfig
    limits: EligibilityLimits = EligibilityLimits()

    def step(self) -> Run:
        """`check_job` with this configuration."""
        return partial(check_job, serving=self.serving, limits=self.limits)


def check_job(job: Job, *, serving: ServingConfig, limits: EligibilityLimits) -> Job:
    """`job` with its task and the measures in its scores, asking the servers of `serving`. See :func:`check`."""
    return check(job, shared_client(serving), limits)


def check(job: Job, client: InferenceClient, limits: EligibilityLimits) -> Job:
    """`job` with its task and the measures in its scores.

    Raises:
        Skipped: `unfit_words`, `too_small`, `opted_out`, `task_not_allowed`, `collage`, `pattern`, `blurred`, `human`,
            `unsafe_image`, `no_product`, `text_overlay` or `cut_by_frame`, in this order.
        ServingError: a detector did not answer.
        ValueError: the job has no image.
    """
    if job.image is None:
        raise ValueError("eligibility needs a loaded image")
    check_words(job.product, limits.words)
    check_size(job.image, limits)
    sight = Sight(job.image, client, limits.max_backdrop_texture)
    task = allowed_task(sight, job.product)
    return replace(job, task=task, scores={**job.scores, **run_checks(sight, limits)})


def check_words(product: Product, policy: WordPolicy) -> None:
    """End the row where its words are unfit. The message names their places, never the words."""
    texts = [("prompt", product.prompt), ("title", product.title), ("description", product.description)]
    found = find_unfit(texts, policy)
    if found:
        places = ", ".join(f"word {find.position} of the {find.field}" for find in found[:3])
        raise Skipped("unfit_words", f"unfit: {places}", value=float(len(found)), limit=0.0)


def check_size(image: ProductImage, limits: EligibilityLimits) -> None:
    """End the row where the source's shorter side is too short to be enlarged to a placement."""
    side = min(image.size)
    if side < limits.min_side_px:
        detail = f"the source is {image.size.width} x {image.size.height} px"
        raise Skipped("too_small", detail, value=float(side), limit=float(limits.min_side_px))


def allowed_task(sight: Sight, product: Product) -> str:
    """The task that fits the picture; the row ends where the job or the product does not allow it."""
    task, seen = ("background", "plain backdrop") if sight.is_plain else ("outpaint", "real scene")
    if task in product.opted_out:
        raise Skipped("opted_out", f"the advertiser opted out of {task}")
    if task not in product.features:
        allowed = ", ".join(product.features) or "none that the job allows"
        raise Skipped("task_not_allowed", f"a {seen} wants {task}; allowed here: {allowed}")
    return task


def run_checks(sight: Sight, limits: EligibilityLimits) -> dict[str, float]:
    """Every measure by name; the first that fails ends the row."""
    scores: dict[str, float] = {}
    for look in CHECKS:
        for measure in look(sight, limits):
            scores[measure.name] = measure.value
            if measure.fails:
                raise Skipped(measure.reason, measure.detail, value=measure.value, limit=measure.limit, scores=scores)
    return scores


def _collage(sight: Sight, limits: EligibilityLimits) -> Iterator[Measure]:
    detail = f"put together from {sight.panels} pictures"
    yield Measure("collage", "panels", float(sight.panels), float(limits.max_panels), detail)


def _pattern(sight: Sight, limits: EligibilityLimits) -> Iterator[Measure]:
    if not sight.is_cutout:
        same, repeats = sight.pattern
        yield Measure("pattern", "sameness", same, limits.max_sameness, "every part looks like every other")
        yield Measure("pattern", "repetition", repeats, limits.max_repetition, "the picture repeats itself")


def _blurred(sight: Sight, limits: EligibilityLimits) -> Iterator[Measure]:
    yield Measure("blurred", "blur", sight.blur, limits.max_blur, "out of focus, or enlarged from a smaller picture")


def _human(sight: Sight, limits: EligibilityLimits) -> Iterator[Measure]:
    yield Measure("human", "human_score", sight.human_score, limits.max_human_score, "a person is in the picture")


def _unsafe(sight: Sight, limits: EligibilityLimits) -> Iterator[Measure]:
    yield Measure("unsafe_image", "unsafe_score", sight.unsafe_score, limits.max_unsafe_score, "unsafe content")


def _product(sight: Sight, limits: EligibilityLimits) -> Iterator[Measure]:
    least = limits.min_product_share
    share = sight.product_share(least)
    yield Measure("no_product", "product_share", share, least, "no product stands out", is_minimum=True)


def _text(sight: Sight, limits: EligibilityLimits) -> Iterator[Measure]:
    around = limits.max_text_share_around
    yield Measure("text_overlay", "text_share", sight.text_share, limits.max_text_share, "text covers the picture")
    share = sight.text_share_around(around)
    yield Measure("text_overlay", "text_share_around", share, around, "text stands beside the product")


def _framed(sight: Sight, limits: EligibilityLimits) -> Iterator[Measure]:
    limit = limits.max_frame_contact if sight.is_plain else limits.max_scene_frame_contact
    detail = "the frame cuts the product, or touches it"
    yield Measure("cut_by_frame", "frame_contact", sight.contact(limit), limit, detail)


CHECKS: tuple[Check, ...] = (_collage, _pattern, _blurred, _human, _unsafe, _product, _text, _framed)
