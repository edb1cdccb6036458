"""The background stage: several small candidates, the best of them at the placement's size.

The product keeps position and size from the original shot within the placement's safe zone; the painter sees it laid
there over neutral grey, first at the bucket's size, then, for the winner alone, at full size. Before drawn sets it
keeps its shadow too (`transforms.ops.kept_shadow`): where the original has one, the painter is asked to draw none.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transforms.errors import ConfigError, Rejected, ServingError
from transforms.inference.client import shared_client
from transforms.inference.config import ServingConfig
from transforms.inference.contracts import CONTRACTS, bucket_of
from transforms.inference.interface import InferenceClient
from transforms.judgement import Judged, JudgementSettings, judged, refuse_defective
from transforms.laying import UNKNOWN, Laid, Original, keeps_shadow, lay_original, lay_product
from transforms.ops.framing import FramingLimits, place_product
from transforms.ops.papers import OWN_SHADOW, read_prompt
from transforms.ops.ranking import rank_candidates
from transforms.prompt_table import PromptTable
from transforms.prompts import prompts_of
from transforms.records import Candidate, Job, Pixels, Product, Size
from transforms.seeds import seeds_of
from transforms.stage import StageTransform
from transforms.work import Run

_NEVER = 2.0  # as `FramingLimits.standing_from`: beyond the frame


@dataclass(frozen=True)
class BackgroundSettings:
    """How backgrounds are painted and chosen.

    Attributes:
        painters: served painters in order of preference; the next is asked where one fails for good.
        candidates: painted for each placement, 1..16.
        min_reward: a best candidate below it is rejected: the product would not stand out.
        framing: where the product goes.
        min_kept_shadow: least strength (`strength_of`) of the product's own shadow that takes the place of a painted
            one; 1 paints all shadows.
        judgement: whether a trained reward joins in.
    """

    painters: tuple[str, ...] = ("studio",)
    candidates: int = 4
    min_reward: float = 0.2
    framing: FramingLimits = FramingLimits()
    min_kept_shadow: float = 0.12
    judgement: JudgementSettings = JudgementSettings()

    def __post_init__(self) -> None:
        if not self.painters:
            raise ConfigError("background: name at least one painter")
        missing = [name for name in self.painters if not {name, f"{name}_upscale"} <= CONTRACTS.keys()]
        if missing:
            raise ConfigError(f"background: no painter {missing[0]!r} with its {missing[0]}_upscale in the contracts")
        if not 1 <= self.candidates <= 16:
            raise ConfigError(f"background: candidates {self.candidates} is not within 1..16")
        if not 0.0 <= self.min_kept_shadow <= 1.0:
            raise ConfigError(f"background: min_kept_shadow {self.min_kept_shadow} is not within 0..1")


@dataclass
class PaintBackground(StageTransform):
    """Paints a studio background for jobs of that task; others pass."""

    serving: ServingConfig
    settings: BackgroundSettings = BackgroundSettings()
    prompts: PromptTable | None = None
    name: ClassVar[str] = "background"
    per_placement: ClassVar[bool] = True

    def step(self) -> Run:
        """See `StageTransform.step`."""
        return partial(paint_background_job, serving=self.serving, settings=self.settings, prompts=self.prompts)


def paint_background_job(
    job: Job, *, serving: ServingConfig, settings: BackgroundSettings, prompts: PromptTable | None = None
) -> Job:
    """Fill in `transform`, `candidate`, `background` and `prompt` of a background job.

    Raises:
        Skipped: the product does not fit the placement (see `place_product`).
        Rejected: `indistinct_product`, the best candidate's reward is below the limit; `likely_defect`, the trained
            reward was asked and finds it defective.
        ServingError: every painter failed, or the server cannot be reached.
    """
    if job.task != "background":
        return job
    return paint_background(job, shared_client(serving), settings, prompts)


def paint_background(
    job: Job, client: InferenceClient, settings: BackgroundSettings, table: PromptTable | None = None
) -> Job:
    """As `paint_background_job`, through a given client."""
    assert job.image is not None and job.cutout is not None and job.placement is not None
    prompts = prompts_of(job.product, table).prompts
    framing = settings.framing if _stands(prompts) else replace(settings.framing, standing_from=_NEVER)
    transform = place_product(job.image.size, job.cutout.box, job.placement, framing)
    laid = lay_product(job.cutout, transform, job.placement.size)
    kept = settings.min_kept_shadow < 1.0 and any(
        keeps_shadow(*each) for each in itertools.product(settings.painters, prompts)
    )
    original = lay_original(job.image.pixels, job.cutout, transform, laid, kept)
    painted = paint_around(client, laid, job.product, prompts, settings, original)
    placed = replace(job, transform=transform, scores={**job.scores, **painted.scores})
    placed = replace(placed, uris={**job.uris, "painter": painted.painter}, prompt=painted.candidate.prompt)
    return replace(placed, candidate=painted.candidate, background=painted.background)


class Painted(NamedTuple):
    """A background at the placement's size, uint8 [H, W, 3], the candidate behind it, its painter, its scores."""

    background: Pixels
    candidate: Candidate
    painter: str
    scores: dict[str, float]


def paint_around(
    client: InferenceClient,
    laid: Laid,
    product: Product,
    prompts: tuple[str, ...],
    settings: BackgroundSettings,
    original: Original = UNKNOWN,
) -> Painted:
    """The best background around what is laid, by the first painter that can be had.

    Args:
        laid: one product or several, at the placement's size.
        product: gives the seeds.
        prompts: candidates take them in turn.
        original: what is known of the product's surroundings.

    Raises:
        Rejected, ServingError: see `paint_background_job`.
    """
    bucket = bucket_of(Size(*laid.product.shape))
    for painter in settings.painters:
        try:
            seeds = seeds_of(product, settings.candidates, client.seeds(painter).get(bucket, ()))
            words = tuple(told(prompt, original.before(painter, prompt), settings) for prompt in prompts)
            briefs = tuple((words[index % len(words)], seed) for index, seed in enumerate(seeds))
            candidate, best = best_candidate(client, painter, laid, briefs, settings, original)
            around = original.before(painter, candidate.prompt)
            background = around.over(upscale(client, painter, laid, candidate))
            break
        except ServingError as error:
            # a server that is down fails every painter alike; another run gives the preferred one its chance
            if error.retryable or painter == settings.painters[-1]:
                raise
    scores = {**_scores(best, settings), "background_painter": float(settings.painters.index(painter))}
    scores["background_kept_shadow"] = around.strength
    return Painted(background, candidate, author_of(painter, candidate), scores)


def told(prompt: str, original: Original, settings: BackgroundSettings) -> str:
    """The prompt, with a word against a second shadow where the product brings its own."""
    strong = original.shade is not None and (original.drawn or original.strength >= settings.min_kept_shadow)
    return f"{prompt}, {OWN_SHADOW}" if strong else prompt


def author_of(painter: str, candidate: Candidate) -> str:
    """Whose picture a candidate is: outside rendered rooms `canvas_staging` paints the studio's own; its guide tells.

    What a creative says about itself depends on it: no trained model has painted such a picture.
    """
    return "studio" if painter == "canvas_staging" and not candidate.guide.any() else painter


def _stands(prompts: tuple[str, ...]) -> bool:
    """Whether the prompts speak of a product on a floor; one that hangs or lies flat has no bottom to keep."""
    return all(read_prompt(prompt).pose == "standing" for prompt in prompts)


def best_candidate(
    client: InferenceClient,
    painter: str,
    laid: Laid,
    briefs: tuple[tuple[str, int], ...],
    settings: BackgroundSettings,
    original: Original = UNKNOWN,
) -> tuple[Candidate, Judged]:
    """Paint one candidate for each brief and keep the best, as it looks in the original's light.

    Raises:
        Rejected: see `paint_background_job`.
        ServingError: the painter failed.
    """
    size = bucket_of(Size(*laid.product.shape))
    small, around = laid.shrunk(size), original.shrunk(size)
    limit = CONTRACTS[painter].max_batch
    candidates: list[Candidate] = []
    for start in range(0, len(briefs), limit):
        candidates += _paint(client, painter, small, briefs[start : start + limit])
    pixels = [around.before(painter, candidate.prompt).over(candidate.pixels) for candidate in candidates]
    found = [Judged(ranking) for ranking in rank_candidates(small.image, small.product, pixels, around.doubt)]
    if settings.judgement.used:
        found = judged(client, small.image, small.product, pixels, [entry.ranking for entry in found])
    found.sort(key=lambda entry: entry.ranking.reward < settings.min_reward)  # merit alone may favour what drowns
    best, scores = found[0], _scores(found[0], settings)
    if best.ranking.reward < settings.min_reward:
        detail, value = "no candidate sets the product off from its background", best.ranking.reward
        raise Rejected("indistinct_product", detail, value=value, limit=settings.min_reward, scores=scores)
    refuse_defective(best, settings.judgement, scores)
    return candidates[best.ranking.candidate], best


def _paint(client: InferenceClient, painter: str, small: Laid, briefs: tuple[tuple[str, int], ...]) -> list[Candidate]:
    prompts, seeds = zip(*briefs, strict=True)
    outputs = client.infer(painter, _tensors(small, prompts, seeds))
    return [
        Candidate(pixels, guide, seed, prompt)
        for pixels, guide, prompt, seed in zip(outputs["CANDIDATE"], outputs["GUIDE"], prompts, seeds, strict=True)
    ]


def upscale(client: InferenceClient, painter: str, laid: Laid, candidate: Candidate) -> Pixels:
    """The winner at the placement's size, uint8 [H, W, 3]."""
    tensors = _tensors(laid, (candidate.prompt,), (candidate.seed,))
    tensors |= {"CANDIDATE": candidate.pixels[None], "GUIDE": candidate.guide[None]}
    return np.asarray(client.infer(f"{painter}_upscale", tensors)["SCENE"][0])


def _tensors(laid: Laid, prompts: tuple[str, ...], seeds: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    count = len(seeds)
    return {
        "IMAGE": np.repeat(laid.image[None], count, axis=0),
        "PRODUCT": np.repeat(laid.product[None, ..., None], count, axis=0),
        "KNOWN": np.repeat(laid.known[None, ..., None], count, axis=0),
        "PROMPT": np.array([[prompt.encode()] for prompt in prompts], dtype=object),
        "SEED": np.array([[seed] for seed in seeds], dtype=np.int64),
    }


def _scores(best: Judged, settings: BackgroundSettings) -> dict[str, float]:
    ranking = best.ranking
    defects = {"background_product_defect": best.product, "background_defect": best.background}
    return {
        "background_reward": ranking.reward,
        "background_contrast": ranking.contrast,
        "background_clean_edge": ranking.clean_edge,
        "background_harmony": ranking.harmony,
        "background_visible_doubt": ranking.visible_doubt,
        "background_winner": float(ranking.candidate),
        **(defects if settings.judgement.used else {}),
    }
