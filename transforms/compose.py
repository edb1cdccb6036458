"""The compose stage: the source's own pixels over what was painted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np

from transforms.errors import ConfigError
from transforms.ops.compositing import compose_over, core_of, core_share
from transforms.ops.geometry import lay, resample, resample_matte
from transforms.records import Job, Scene
from transforms.stage import StageTransform
from transforms.work import Run


@dataclass(frozen=True)
class ComposeSettings:
    """How a cutout is laid over its scene.

    Attributes:
        core_erosion_px: how far inside the mask the source's pixels begin, 0..2.
    """

    core_erosion_px: int = 1

    def __post_init__(self) -> None:
        if self.core_erosion_px not in (0, 1, 2):
            raise ConfigError(f"compose: core_erosion_px {self.core_erosion_px} is not 0, 1 or 2")


@dataclass
class ComposeScenes(StageTransform):
    """Lays the source's pixels over every painted background or extension."""

    settings: ComposeSettings = ComposeSettings()
    name: ClassVar[str] = "compose"
    per_placement: ClassVar[bool] = True

    def step(self) -> Run:
        """See `StageTransform.step`."""
        return partial(compose_job, settings=self.settings)


def compose_job(job: Job, *, settings: ComposeSettings) -> Job:
    """Fill in `scene`; the score `core_share` is the share of the product's mask that is the source, bit for bit."""
    scene = _on_background(job, settings) if job.task == "background" else _extended(job)
    return replace(job, scene=scene, scores={**job.scores, "core_share": core_share(scene.core, scene.mask)})


def _on_background(job: Job, settings: ComposeSettings) -> Scene:
    assert job.image and job.cutout and job.transform and job.placement and job.background is not None
    transform, size = job.transform, job.placement.size
    source, known = lay(resample(job.image.pixels, transform.scaled), transform, size)
    foreground, _ = lay(resample(job.cutout.foreground, transform.scaled), transform, size)
    alpha, _ = lay(resample_matte(job.cutout.alpha, transform.scaled), transform, size, 0.0)
    mask = alpha >= 0.5
    core = core_of(mask, alpha, settings.core_erosion_px) & known
    return Scene(compose_over(source, foreground, alpha, job.background, core), core, mask, mask)


def _extended(job: Job) -> Scene:
    """An extended scene: the whole kept frame is the source's own."""
    assert job.image and job.transform and job.placement and job.background is not None
    transform, size = job.transform, job.placement.size
    source, known = lay(resample(job.image.pixels, transform.scaled), transform, size)
    pixels = np.where(known[..., None], source, job.background)
    mask = np.zeros(size, bool)
    if job.cutout is not None:
        alpha, _ = lay(resample_matte(job.cutout.alpha, transform.scaled), transform, size, 0.0)
        mask = alpha >= 0.5
    return Scene(pixels, known, mask, known)
