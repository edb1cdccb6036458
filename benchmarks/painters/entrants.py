"""Who is compared, and how each paints: served painters through their stage, baselines in the place of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from benchmarks.local_painters import LocalClient
from models.evaluation.baselines import blur_fill, edge_stretch, plain_white
from transforms.background import BackgroundSettings, paint_background
from transforms.compose import ComposeSettings, compose_job
from transforms.inference.contracts import bucket_of
from transforms.laying import lay_product
from transforms.ops.framing import FramingLimits, place_frame, place_product
from transforms.ops.geometry import lay, resample
from transforms.outpaint import OutpaintSettings, lay_frame, outpaint
from transforms.records import Job, Mask, Pixels, Size

Fill = Callable[[Pixels, Mask], Pixels]


@dataclass(frozen=True)
class Entrant:
    """One column of the comparison.

    Attributes:
        name: in tables and folders.
        painter: the served one, "" for a baseline.
        room: whether its prompts name rooms; otherwise colours and surfaces.
        fill: a baseline's function.
    """

    name: str
    painter: str = ""
    room: bool = False
    fill: Fill | None = None


ENTRANTS: Mapping[str, tuple[Entrant, ...]] = {
    "background": (
        Entrant("studio", "studio"),
        Entrant("studio_room", "studio", room=True),
        Entrant("canvas_staging", "canvas_staging", room=True),
        Entrant("canvas_background", "canvas_background"),
        Entrant("canvas_background_room", "canvas_background", room=True),
        Entrant("blur_fill", fill=blur_fill),
        Entrant("edge_stretch", fill=edge_stretch),
        Entrant("white", fill=plain_white),
    ),
    "outpaint": (
        Entrant("patchmatch", "patchmatch"),
        Entrant("canvas_outpaint", "canvas_outpaint"),
        Entrant("blur_fill", fill=blur_fill),
        Entrant("edge_stretch", fill=edge_stretch),
    ),
}
# Nothing is refused: what a stage would not let through is painted all the same, and told of as a share.
_BACKGROUND = BackgroundSettings(min_reward=0.0)
_OUTPAINT = OutpaintSettings(
    min_scenery=0.0,
    min_stuff=0.0,
    max_cut=1.0,
    max_incoherence=1e9,
    max_tears=1e9,
    max_visible_tears=1e9,
    framing=FramingLimits(max_upscale=4.0),
)


class Painted(NamedTuple):
    """A composed job; all candidates as they would look, uint8 [n, h, w, 3]; CPU seconds of painting."""

    job: Job
    candidates: list[Pixels]
    seconds: float


def paint(entrant: Entrant, job: Job, client: LocalClient) -> Painted:
    """Paint and compose one job.

    Raises:
        Skipped: the product does not fit the placement; for every painter alike.
    """
    client.candidates.clear()
    started = time.process_time()
    painted = _filled(job, entrant.fill) if entrant.fill is not None else _served(job, entrant.painter, client)
    seconds = time.process_time() - started
    composed = compose_job(painted, settings=ComposeSettings())
    return Painted(composed, [_shown(composed, each) for each in client.candidates], seconds)


def _served(job: Job, painter: str, client: LocalClient) -> Job:
    if job.task == "background":
        return paint_background(job, client, replace(_BACKGROUND, painters=(painter,)))
    return outpaint(job, client, replace(_OUTPAINT, painters=(painter,)))


def _filled(job: Job, fill: Fill) -> Job:
    assert job.image is not None and job.cutout is not None and job.placement is not None
    if job.task == "outpaint":
        transform = place_frame(job.image.size, job.cutout.box, job.placement, _OUTPAINT.framing)
        framed = lay_frame(job, transform)
        return replace(job, transform=transform, background=fill(framed.image, framed.known > 0))
    transform = place_product(job.image.size, job.cutout.box, job.placement, _BACKGROUND.framing)
    laid, known = lay(resample(job.image.pixels, transform.scaled), transform, job.placement.size)
    return replace(job, transform=transform, background=fill(laid, known))


def _shown(job: Job, candidate: Pixels) -> Pixels:
    """A background's candidate with its product before it; an extension's as it is."""
    if job.task == "outpaint":
        return candidate
    assert job.cutout is not None and job.transform is not None and job.placement is not None
    small = lay_product(job.cutout, job.transform, job.placement.size).shrunk(bucket_of(Size(*job.placement.size)))
    alpha = small.product[..., None] / np.float32(255)
    return np.rint(small.image * alpha + candidate * (1 - alpha)).astype(np.uint8)
