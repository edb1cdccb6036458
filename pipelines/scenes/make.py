"""One scene: its products arranged, a background painted around them, each one's own pixels laid over it and proven.

The stages' own functions do the work. A scene is made whole or not at all: what one product fails ends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from pipelines.config import Thresholds
from transforms.background import paint_around
from transforms.compose import compose_job
from transforms.errors import CanvasError, Refusal, Rejected
from transforms.inference.interface import InferenceClient
from transforms.laying import Laid, lay_product
from transforms.ops.arrangement import Piece, arrange
from transforms.ops.encode import encode_evidence
from transforms.ops.metadata import COMPOSITE, Credits
from transforms.placements import EXTENSIONS, Placement
from transforms.records import Job, Pixels, ProductImage, Scene
from transforms.storage.once import write_once
from transforms.storage.store import StoreConfig, open_store
from transforms.verify import hold, picture_findings, product_findings
from transforms.work import InternalError
from transforms.write import credits_of, encode_faithfully, uri_of


@dataclass(frozen=True)
class SceneJob:
    """A scene in flight.

    Attributes:
        lead: the scene as a whole: its product names advertiser, group and seed; its scene's mask covers all products.
        jobs: the products in it, each with its own transform, core and scores; from left to right.
        heights: their real heights, None where unknown.
        prompts: what candidates are painted with, in turn.
        seed: that the scene was asked for with; `lead` has the one that it is painted with.
        standing: whether the products stand.
    """

    lead: Job
    jobs: tuple[Job, ...]
    heights: tuple[float | None, ...]
    prompts: tuple[str, ...]
    seed: int
    standing: bool = True

    @property
    def placement(self) -> Placement:
        """Where it is made for."""
        assert self.lead.placement is not None
        return self.lead.placement


class Cause(NamedTuple):
    """Why a scene ended without a creative: in which stage, and by which of its products (None: by the scene)."""

    stage: str
    error: Refusal | CanvasError
    member: int | None = None


class SceneEnded(NamedTuple):
    """How a scene ended, and why: the first cause is the scene's (none: its creative is written)."""

    scene: SceneJob
    causes: tuple[Cause, ...] = ()


class _Unfit(Exception):
    """Some products, or the picture, are beyond a limit; `scene` is how far it came, with all its scores."""

    def __init__(self, scene: SceneJob, causes: Sequence[Cause]) -> None:
        super().__init__(causes[0].stage)
        self.scene, self.causes = scene, tuple(causes)


@dataclass(frozen=True)
class Target:
    """Where creatives go: the folder and how to reach it."""

    output: str
    store: StoreConfig


Step = Callable[[SceneJob], SceneJob]


def steps_of(client: InferenceClient, limits: Thresholds, target: Target | None) -> tuple[tuple[str, Step], ...]:
    """What a scene goes through after its products' own stages; without a target it ends before it writes."""
    steps: tuple[tuple[str, Step], ...] = (
        ("background", partial(paint_scene, client=client, limits=limits)),
        ("compose", partial(compose_scene, limits=limits)),
        ("verify", partial(verify_scene, client=client, limits=limits)),
    )
    return (*steps, ("write", partial(write_scene, target=target, limits=limits))) if target else steps


def run_scene(scene: SceneJob, steps: Sequence[tuple[str, Step]]) -> SceneEnded:
    """Run `steps` until one ends the scene. Unknown exceptions become failures of their stage."""
    for name, step in steps:
        started = time.perf_counter()
        try:
            scene = step(scene)
        except _Unfit as unfit:
            return SceneEnded(_timed(unfit.scene, name, started), unfit.causes)
        except (Refusal, CanvasError) as error:
            scores = error.scores if isinstance(error, Refusal) else {}
            return SceneEnded(_timed(_scored(scene, scores), name, started), (Cause(name, error),))
        except Exception as error:
            unknown = InternalError(f"{type(error).__name__}: {error}")
            unknown.__cause__ = error
            return SceneEnded(_timed(scene, name, started), (Cause(name, unknown),))
        scene = _timed(scene, name, started)
    return SceneEnded(scene)


def _scored(scene: SceneJob, scores: object) -> SceneJob:
    return replace(scene, lead=replace(scene.lead, scores={**scene.lead.scores, **dict(scores)}))  # type: ignore[call-overload]


def _timed(scene: SceneJob, name: str, started: float) -> SceneJob:
    spent = {name: (time.perf_counter() - started) * 1000}
    return replace(scene, lead=replace(scene.lead, timings_msec={**scene.lead.timings_msec, **spent}))


def paint_scene(scene: SceneJob, *, client: InferenceClient, limits: Thresholds) -> SceneJob:
    """Arrange the products, and paint the best background around them.

    Raises:
        Skipped: they do not fit; see `arrange`.
        Rejected, ServingError: see `transforms.background.paint_background_job`.
    """
    pieces = [_piece(job, height) for job, height in zip(scene.jobs, scene.heights, strict=True)]
    transforms = arrange(pieces, scene.placement, standing=scene.standing)
    jobs = tuple(replace(job, transform=how) for job, how in zip(scene.jobs, transforms, strict=True))
    laid = _laid_together(jobs, scene.placement)
    painted = paint_around(client, laid, scene.lead.product, scene.prompts, limits.background)
    lead = replace(scene.lead, candidate=painted.candidate, background=painted.background)
    lead = replace(lead, scores={**lead.scores, **painted.scores}, uris={**lead.uris, "painter": painted.painter})
    return replace(scene, lead=lead, jobs=jobs)


def _piece(job: Job, height: float | None) -> Piece:
    assert job.image is not None and job.cutout is not None
    return Piece(job.image.size, job.cutout.box, height)


def _laid_together(jobs: Sequence[Job], placement: Placement) -> Laid:
    found: Laid | None = None
    for job in jobs:
        assert job.cutout is not None and job.transform is not None
        laid = lay_product(job.cutout, job.transform, placement.size)
        found = laid if found is None else Laid(*map(partial(_over, laid.product), laid, found))
    assert found is not None
    return found


def _over(alpha: Pixels, front: Pixels, back: Pixels) -> Pixels:
    where = alpha > 0
    return np.where(where[..., None] if front.ndim == 3 else where, front, back)


def compose_scene(scene: SceneJob, *, limits: Thresholds) -> SceneJob:
    """Each product's own pixels over the background, one after the other."""
    pixels, jobs = scene.lead.background, []
    for job in scene.jobs:
        job = compose_job(replace(job, background=pixels), settings=limits.compose)
        assert job.scene is not None
        pixels = job.scene.pixels
        jobs.append(job)
    assert pixels is not None
    scenes = [replace(job.scene, pixels=pixels) for job in jobs if job.scene]
    core, mask = (np.logical_or.reduce([getattr(each, name) for each in scenes]) for name in ("core", "mask"))
    whole = replace(scene.lead, background=None, scene=Scene(pixels, core, mask, mask))
    parts = tuple(replace(job, background=None, scene=each) for job, each in zip(jobs, scenes, strict=True))
    return replace(scene, lead=whole, jobs=parts)


def verify_scene(scene: SceneJob, *, client: InferenceClient, limits: Thresholds) -> SceneJob:
    """Hold every product against the limits in the finished picture, then the picture as a whole.

    Everything is measured, whatever fails first.

    Raises:
        _Unfit: something is beyond its limit.
    """
    causes: list[Cause] = []
    jobs = tuple(_held(job, limits, causes, number) for number, job in enumerate(scene.jobs))
    lead = scene.lead
    try:
        lead = hold(lead, list(picture_findings(lead, client, limits.verify)))
    except Rejected as refusal:
        lead = replace(lead, scores={**lead.scores, **refusal.scores})
        causes.append(Cause("verify", refusal))
    differing = sum(job.scores.get("product_pixels_differing", 0.0) for job in jobs)
    lead = replace(lead, scores={**lead.scores, "product_pixels_differing": differing})
    scene = replace(scene, lead=lead, jobs=jobs)
    if causes:
        raise _Unfit(scene, causes)
    return scene


def _held(job: Job, limits: Thresholds, causes: list[Cause], number: int) -> Job:
    try:
        return hold(job, list(product_findings(job, limits.verify)))
    except Rejected as refusal:
        causes.append(Cause("verify", refusal, number))
        return replace(job, scores={**job.scores, **refusal.scores})


def write_scene(scene: SceneJob, *, target: Target, limits: Thresholds) -> SceneJob:
    """Encode the scene and store it once, after the evidence of each product.

    Raises:
        Rejected, StorageError: see `transforms.write.write_job`.
    """
    lead, store = scene.lead, open_store(target.output, target.store)
    assert lead.scene is not None
    credits_ = credits_together([_image(job) for job in scene.jobs], lead.uris["painter"])
    parts = [job.scene for job in scene.jobs if job.scene is not None]
    bounds = limits.encoder, limits.encoded
    creative, scores = encode_faithfully(lead.scene, scene.placement, credits_, *bounds, parts)
    jobs = []
    for number, job in enumerate(scene.jobs):
        assert job.scene is not None
        evidence = uri_of(target.output, "scene_evidence", lead, f"{number}.png")
        data = encode_evidence(job.scene.core, job.scene.mask, job.scene.kept)
        write_once(store, evidence, data, content_type="image/png")
        jobs.append(replace(job, uris={**job.uris, "evidence": evidence, "painter": lead.uris["painter"]}))
    uri = uri_of(target.output, "scenes", lead, EXTENSIONS[creative.file_format])
    written = write_once(store, uri, creative.data, content_type=f"image/{creative.file_format}")
    creative = replace(creative, uri=uri, digest=written.digest)
    label = {"label": credits_.digital_source_type}
    lead = replace(lead, creative=creative, uris={**lead.uris, **label}, scores={**lead.scores, **scores})
    finished = tuple(replace(job, creative=creative, uris={**job.uris, **label}) for job in jobs)
    return replace(scene, lead=lead, jobs=finished)


def _image(job: Job) -> ProductImage:
    assert job.image is not None
    return job.image


def credits_together(images: Sequence[ProductImage], painter: str) -> Credits:
    """Everyone who is credited in one of the sources, and the label that is true of all."""
    found = [credits_of(image.facts, painter=painter) for image in images]
    artists, owners = (
        "; ".join(dict.fromkeys(filter(None, (getattr(each, name) for each in found))))
        for name in ("artist", "copyright")
    )
    labels = [each.digital_source_type for each in found]
    return Credits(artists, owners, next((label for label in labels if label != COMPOSITE), COMPOSITE))
