"""The outpaint stage: a real scene extended to a placement's ratio; the kept frame stays as it is.

The frame is laid as large as the safe zone allows; candidates are painted at the bucket's size, one for each seed,
ranked by how well they join and how little they surprise, and only the winner is brought to full size. Where the bands
around a frame in the middle are torn, the frame leans to an end instead: a wall goes on where a tiled floor does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.errors import ConfigError, NothingToCopy, Rejected, ServingError
from transforms.inference.client import shared_client
from transforms.inference.config import ServingConfig
from transforms.inference.contracts import CONTRACTS, bucket_of
from transforms.inference.interface import InferenceClient
from transforms.ops.coherence import incoherence, tears
from transforms.ops.framing import FramingLimits, place_frame
from transforms.ops.geometry import lay, resample, resample_matte
from transforms.ops.seams import blend_generated_side, strangeness, windowed_seam_score
from transforms.ops.things import look_along_seams
from transforms.records import Candidate, Job, Pixels, Size, Transform
from transforms.seeds import seeds_of
from transforms.stage import StageTransform
from transforms.work import Run


@dataclass(frozen=True)
class OutpaintSettings:
    """How scenes are extended and candidates are chosen.

    Attributes:
        painters: served painters in order of preference; the next is asked where one fails for good.
        candidates: painted for each placement, 1..8.
        min_scenery: the share of the kept frame that must be something else than product.
        min_stuff: the share of the strip along every seam that must be stuff: something that can be carried on.
        max_cut: the share of a seam along which the frame may cut things.
        max_incoherence: how unlike the photograph the worst patches of a band may be, in levels.
        max_tears: how plainly the worst place of a band may be torn (see `tears`).
        max_visible_tears: the same times the share of the placement that is painted: the more there is to look at, the
            sooner it is seen.
        leans: where the frame lies in its room, in order of preference; the next is tried where the bands are torn.
        incoherence_weight: what 10 levels of it cost a candidate, in seam score.
        strangeness_weight: what 10 units of CIE76 between a band and what its edge promises cost, in seam score.
        framing: where the frame goes.
    """

    painters: tuple[str, ...] = ("patchmatch",)
    candidates: int = 2
    min_scenery: float = 0.12
    min_stuff: float = 0.25
    max_cut: float = 0.6
    max_incoherence: float = 13.0
    max_tears: float = 2.3
    max_visible_tears: float = 0.24
    leans: tuple[float, ...] = (0.5, 1.0, 0.0)
    incoherence_weight: float = 0.5
    strangeness_weight: float = 0.5
    framing: FramingLimits = FramingLimits()

    def __post_init__(self) -> None:
        if not self.painters:
            raise ConfigError("outpaint: name at least one painter")
        missing = [name for name in self.painters if not {name, f"{name}_upscale"} <= CONTRACTS.keys()]
        if missing:
            raise ConfigError(f"outpaint: no painter {missing[0]!r} with its {missing[0]}_upscale in the contracts")
        if not self.leans or not all(0.0 <= lean <= 1.0 for lean in self.leans):
            raise ConfigError(f"outpaint: leans {self.leans} are not within 0..1")
        if not 1 <= self.candidates <= 8:
            raise ConfigError(f"outpaint: candidates {self.candidates} is not within 1..8")


class Laid(NamedTuple):
    """A frame laid on its placement, and how."""

    transform: Transform
    framed: Framed


class Framed(NamedTuple):
    """A frame in its placement: image [h, w, 3], the product's matte and what is known, both [h, w], all uint8."""

    image: Pixels
    product: Pixels
    known: Pixels

    def shrunk(self, size: Size) -> Framed:
        """The same at a bucket's size; a pixel is known only where all it covers is."""
        whole = _area((self.known > 0).astype(np.float32), size)
        image = _area(self.image.astype(np.float32) * (self.known > 0)[..., None], size)
        known = whole > 1.0 - 1e-3
        colours = np.clip(np.rint(image / np.maximum(whole, 1e-3)[..., None]), 0, 255).astype(np.uint8)
        return Framed(colours, _area(self.product, size).astype(np.uint8), (known * 255).astype(np.uint8))


class Ranked(NamedTuple):
    """A candidate with what it was ranked by; small is good."""

    candidate: Candidate
    cost: float
    seam: float
    strange: float
    incoherent: float
    torn: float
    painted: float

    @property
    def visible_tears(self) -> float:
        """See `OutpaintSettings.max_visible_tears`."""
        return self.torn * self.painted

    @property
    def scores(self) -> dict[str, float]:
        """What the index tells of it."""
        return {
            "outpaint_seam": self.seam,
            "outpaint_strangeness": self.strange,
            "outpaint_incoherence": self.incoherent,
            "outpaint_tears": self.torn,
            "outpaint_visible_tears": self.visible_tears,
        }


@dataclass
class OutpaintScenes(StageTransform):
    """Extends real scenes for jobs of that task; others pass."""

    serving: ServingConfig
    settings: OutpaintSettings = OutpaintSettings()
    name: ClassVar[str] = "outpaint"
    per_placement: ClassVar[bool] = True

    def step(self) -> Run:
        """See `StageTransform.step`."""
        return partial(outpaint_job, serving=self.serving, settings=self.settings)


def outpaint_job(job: Job, *, serving: ServingConfig, settings: OutpaintSettings) -> Job:
    """Fill in `transform`, `candidate` and `background` (the whole extended scene) of an outpaint job.

    Painters that read are told the row's own prompt; a row without one leaves the scene to speak for itself.

    Raises:
        Skipped: the frame does not fit the placement (see `place_frame`).
        Rejected: `no_scenery`, the frame holds hardly anything that can be carried on, or nothing; `torn_band`, no
            candidate's pieces fit together.
        ServingError: every painter failed, or the server cannot be reached.
    """
    if job.task != "outpaint":
        return job
    return outpaint(job, shared_client(serving), settings)


def outpaint(job: Job, client: InferenceClient, settings: OutpaintSettings) -> Job:
    """As `outpaint_job`, through a given client."""
    assert job.placement is not None
    frames = _lay_frames(job, settings)
    bucket = bucket_of(job.placement.size)
    for painter in settings.painters:
        try:
            seeds = seeds_of(job.product, settings.candidates, client.seeds(painter).get(bucket, ()))
            laid, best = _first_whole(client, painter, frames, job.product.prompt.strip(), seeds, settings)
            scene = upscale(client, painter, laid.framed, best.candidate)
            break
        except ServingError as error:
            # a server that is down fails every painter alike; another run gives the preferred one its chance
            if error.retryable or painter == settings.painters[-1]:
                _refuse_without_room(error, settings)
                raise
    scores = {**job.scores, **best.scores, "outpaint_painter": float(settings.painters.index(painter))}
    background = blend_generated_side(scene, laid.framed.image, laid.framed.known > 0)
    uris = {**job.uris, "painter": painter}
    return replace(
        job, transform=laid.transform, candidate=best.candidate, background=background, scores=scores, uris=uris
    )


def _refuse_without_room(error: ServingError, settings: OutpaintSettings) -> None:
    """It is the picture's fault, and no server's, where a product leaves no strip free to carry on from."""
    if isinstance(error, NothingToCopy):
        detail = "nowhere in the frame is there enough room beside the product to carry on from"
        raise Rejected("no_scenery", detail, value=0.0, limit=settings.min_scenery) from error


def _lay_frames(job: Job, settings: OutpaintSettings) -> list[Laid]:
    """The frame at every lean that offers scenery along its seams, in order of preference.

    Raises:
        Skipped: see `place_frame`.
        Rejected: `no_scenery`, at every lean; the first one's.
    """
    assert job.image is not None and job.placement is not None
    box = job.cutout.box if job.cutout else None
    places = [place_frame(job.image.size, box, job.placement, settings.framing, lean) for lean in settings.leans]
    frames, refusals = [], []
    for transform in dict.fromkeys(places):
        framed = lay_frame(job, transform)
        try:
            _check_scenery(framed, settings)
            frames.append(Laid(transform, framed))
        except Rejected as refusal:
            refusals.append(refusal)
    if not frames:
        raise refusals[0]
    return frames


def _first_whole(
    client: InferenceClient,
    painter: str,
    frames: list[Laid],
    prompt: str,
    seeds: tuple[int, ...],
    settings: OutpaintSettings,
) -> tuple[Laid, Ranked]:
    """The first frame whose best candidate is not torn; the preferred one is given every seed, the others one each."""
    refusals: list[Rejected] = []
    for laid in frames:
        best = best_candidate(client, painter, laid.framed, prompt, seeds[: None if not refusals else 1], settings)
        try:
            _check_coherence(best, settings)
        except Rejected as refusal:
            refusals.append(refusal)
        else:
            return laid, best
    raise refusals[0]


def lay_frame(job: Job, transform: Transform) -> Framed:
    """The source resampled once and laid on its placement, with the product's matte."""
    assert job.image is not None and job.placement is not None
    size = job.placement.size
    image, known = lay(resample(job.image.pixels, transform.scaled), transform, size)
    product = np.zeros(size, np.uint8)
    if job.cutout is not None:
        matte, _ = lay(resample_matte(job.cutout.alpha, transform.scaled), transform, size, 0.0)
        product = np.rint(matte * 255).astype(np.uint8)
    return Framed(image, product, np.where(known, 255, 0).astype(np.uint8))


def _check_scenery(framed: Framed, settings: OutpaintSettings) -> None:
    kept = framed.known > 0
    scenery = float((framed.product[kept] < 128).mean())
    if scenery < settings.min_scenery:
        detail = "the frame holds hardly anything but the product"
        raise Rejected("no_scenery", detail, value=scenery, limit=settings.min_scenery)
    small = framed.shrunk(bucket_of(Size(*framed.known.shape)))
    along = look_along_seams(small.image, small.product > 127, small.known)
    if along.stuff < settings.min_stuff:
        detail = "beside an edge of the frame there is hardly anything that could be carried on"
        raise Rejected("no_scenery", detail, value=along.stuff, limit=settings.min_stuff)
    if along.cut > settings.max_cut:
        detail = "an edge of the frame cuts things that nobody can complete"
        raise Rejected("no_scenery", detail, value=along.cut, limit=settings.max_cut)


def _check_coherence(best: Ranked, settings: OutpaintSettings) -> None:
    torn = "a painted band shows a broken line or a patch"
    for value, limit, detail in (
        (best.incoherent, settings.max_incoherence, "the pieces of a painted band do not fit together"),
        (best.torn, settings.max_tears, torn),
        (best.visible_tears, settings.max_visible_tears, torn),
    ):
        if value > limit:
            raise Rejected("torn_band", detail, value=value, limit=limit, scores=best.scores)


def best_candidate(
    client: InferenceClient,
    painter: str,
    framed: Framed,
    prompt: str,
    seeds: tuple[int, ...],
    settings: OutpaintSettings,
) -> Ranked:
    """Paint one candidate for each seed and keep the best; equal ones keep their order."""
    small = framed.shrunk(bucket_of(Size(*framed.known.shape)))
    limit = CONTRACTS[painter].max_batch
    candidates: list[Candidate] = []
    for start in range(0, len(seeds), limit):
        batch = seeds[start : start + limit]
        outputs = client.infer(painter, _tensors(small, prompt, batch))
        candidates += [
            Candidate(pixels, guide, seed, prompt)
            for pixels, guide, seed in zip(outputs["CANDIDATE"], outputs["GUIDE"], batch, strict=True)
        ]
    ranked = (_ranked(candidate, small, settings) for candidate in candidates)
    return min(ranked, key=lambda entry: entry.cost)


def _ranked(candidate: Candidate, small: Framed, settings: OutpaintSettings) -> Ranked:
    known = small.known > 0
    seam = windowed_seam_score(candidate.pixels, known)
    strange = strangeness(candidate.pixels, known)
    incoherent = incoherence(candidate.pixels, candidate.guide, known)
    torn = tears(candidate.pixels, candidate.guide, known)
    cost = seam + torn + (settings.strangeness_weight * strange + settings.incoherence_weight * incoherent) / 10.0
    return Ranked(candidate, cost, seam, strange, incoherent, torn, float(1 - known.mean()))


def upscale(client: InferenceClient, painter: str, framed: Framed, candidate: Candidate) -> Pixels:
    """The winner at the placement's size, uint8 [H, W, 3]."""
    tensors = _tensors(framed, candidate.prompt, (candidate.seed,))
    tensors |= {"CANDIDATE": candidate.pixels[None], "GUIDE": candidate.guide[None]}
    return np.asarray(client.infer(f"{painter}_upscale", tensors)["SCENE"][0])


def _tensors(framed: Framed, prompt: str, seeds: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    count = len(seeds)
    return {
        "IMAGE": np.repeat(framed.image[None], count, axis=0),
        "PRODUCT": np.repeat(framed.product[None, ..., None], count, axis=0),
        "KNOWN": np.repeat(framed.known[None, ..., None], count, axis=0),
        "PROMPT": np.array([[prompt.encode()]] * count, dtype=object),
        "SEED": np.array([[seed] for seed in seeds], dtype=np.int64),
    }


def _area(picture: NDArray[Any], size: Size) -> NDArray[Any]:
    return cv2.resize(picture, (size.width, size.height), interpolation=cv2.INTER_AREA)  # type: ignore[no-any-return]
