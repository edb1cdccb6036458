"""The figures of one painted picture: those of the verify stage, by its own operations, and what the prompt asks."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from benchmarks.painters.prompts import Asked
from models.evaluation.agreement import backdrop_of, color_in, ground_of, roughness_in
from transforms.background import BackgroundSettings
from transforms.inference.contracts import bucket_of
from transforms.inference.interface import InferenceClient
from transforms.ops.expansion import expansion
from transforms.ops.geometry import lay, resample
from transforms.ops.halo import outline_of
from transforms.ops.seams import seam_delta_e, seam_score, strangeness, windowed_seam_score
from transforms.ops.things import look_along_seams
from transforms.outpaint import OutpaintSettings, lay_frame
from transforms.records import Job, Mask, Pixels, Size
from transforms.verify import VerifyLimits

_LIMITS = VerifyLimits()
_SEEN = 320
# How the pieces of a band fit together, as the stage scores it; baselines copy none and have no such score.
_PIECES = ("incoherence", "tears", "visible_tears")


def measure(job: Job, asked: Asked | None, client: InferenceClient) -> dict[str, Any]:
    """The figures of a composed job as plain values; `shipped` is whether the stages' limits would let it through."""
    assert job.scene is not None
    figures: dict[str, Any] = {"expansion": expansion_of(job, client)}
    figures |= _outpainted(job) if job.task == "outpaint" else _background(job, asked)
    beyond = [name for name, limit in _limits().items() if figures.get(name, limit) > limit]
    beyond += ["contrast"] if figures.get("contrast", _LIMITS.min_contrast) < _LIMITS.min_contrast else []
    beyond += ["reward"] if figures.get("reward", 1.0) < BackgroundSettings().min_reward else []
    extends = figures.pop("extends", True)
    return {**figures, "beyond": beyond if extends else [*beyond, "no_scenery"], "shipped": extends and not beyond}


def expansion_of(job: Job, client: InferenceClient) -> float:
    """Growth of the product as the verify stage measures it, as a share of its area."""
    assert job.scene is not None
    scene = job.scene
    alpha = client.infer("segmenter", {"IMAGE": _small(scene.pixels)[None]})["ALPHA"][0, ..., 0]
    laid = _small(scene.mask.astype(np.float32)) >= 0.5
    where = _small(scene.kept.astype(np.float32)) <= 0.0 if job.task == "outpaint" else None
    return expansion(alpha >= 0.5, laid, where)


def seams_of(pixels: Pixels, known: Mask) -> dict[str, float]:
    """What shows along the sides of a frame."""
    return {
        "seam_score": seam_score(pixels, known),
        "seam_window": windowed_seam_score(pixels, known),
        "seam_delta_e": seam_delta_e(pixels, known),
        "strangeness": strangeness(pixels, known),
    }


def seam_shows(figures: dict[str, Any]) -> bool:
    """Whether a seam measure lies beyond the verify stage's limit."""
    return any(figures[name] > _limits()[name] for name in ("seam_score", "seam_window", "seam_delta_e"))


def elsewhere(known: Mask, rng: np.random.Generator) -> Mask:
    """The kept rectangle of `known` at a random place, bool [h, w], off the border where it was so."""
    rows, columns = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
    shift = [
        int(rng.integers(-first + (first > 0), room - last - (last < room - 1))) if last - first + 1 < room else 0
        for first, last, room in (
            (int(rows[0]), int(rows[-1]), known.shape[0]),
            (int(columns[0]), int(columns[-1]), known.shape[1]),
        )
    ]
    moved: Mask = np.roll(known, shift, axis=(0, 1))
    return moved


def _limits() -> dict[str, float]:
    return {
        "expansion": _LIMITS.max_expansion,
        "seam_score": _LIMITS.max_seam_score,
        "seam_window": _LIMITS.max_seam_window,
        "seam_delta_e": _LIMITS.max_seam_delta_e,
        "strangeness": _LIMITS.max_strangeness,
        "halo": _LIMITS.max_halo,
        **{name: getattr(OutpaintSettings(), f"max_{name}") for name in _PIECES},
    }


def _background(job: Job, asked: Asked | None) -> dict[str, Any]:
    assert job.scene is not None and job.image is not None and job.transform is not None and job.placement is not None
    scene = job.scene
    original, covered = lay(resample(job.image.pixels, job.transform.scaled), job.transform, job.placement.size)
    outline = outline_of(scene.pixels, original, scene.mask, covered)
    backdrop = backdrop_of(scene.mask)
    where = ground_of(scene.mask) if asked is not None and asked.room else backdrop
    return {
        "halo": outline.halo,
        "contrast": outline.contrast,
        "reward": job.scores.get("background_reward", 1.0),
        "colour": [float(value) for value in color_in(scene.pixels, where)],
        "roughness": roughness_in(scene.pixels, backdrop),
    }


def _outpainted(job: Job) -> dict[str, Any]:
    assert job.scene is not None and job.transform is not None
    figures: dict[str, Any] = seams_of(job.scene.pixels, job.scene.kept)
    figures |= {name: job.scores[f"outpaint_{name}"] for name in _PIECES if f"outpaint_{name}" in job.scores}
    framed = lay_frame(job, job.transform)
    small = framed.shrunk(bucket_of(Size(*framed.known.shape)))
    along, limits = look_along_seams(small.image, small.product > 127, small.known), OutpaintSettings()
    figures["extends"] = bool(along.stuff >= limits.min_stuff and along.cut <= limits.max_cut)
    return figures


def _small(picture: Any) -> Any:
    return cv2.resize(picture, (_SEEN, _SEEN), interpolation=cv2.INTER_AREA)
