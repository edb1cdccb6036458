"""Large pretrained painters: diffusers checkpoints of known families, from a folder or the hub, under one signature.

    painter = load_painter("/models/flux-kontext", device="cuda", dtype="bfloat16")
    scenes = painter.paint(Asked(image, mask, "warm oak floor, soft light"), seeds=(1, 2))

A family is told by its checkpoint's own `model_index.json`. Weights are never part of this project; their licences are
their owners' (FLUX.1 Kontext and Fill [dev] are non-commercial without a licence from Black Forest Labs).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.errors import ConfigError

Bytes = NDArray[np.uint8]

INDEX = "model_index.json"


@dataclass(frozen=True)
class Family:
    """Checkpoints that are called alike.

    Attributes:
        name: for messages.
        pipeline: diffusers' class that paints with them.
        multiple: what height and width are to be divisible by.
        steps, guidance: its authors' defaults, taken where a request names none.
        true_guidance: the scale of a second pass, for families whose guidance is distilled: 0 where a negative prompt
            goes with `guidance` itself, None where there is no negative prompt at all.
        extra: further arguments of every call.
    """

    name: str
    pipeline: str
    multiple: int
    steps: int
    guidance: float
    true_guidance: float | None
    extra: tuple[tuple[str, Any], ...] = ()


_KONTEXT = Family(
    "FLUX.1 Kontext", "FluxKontextInpaintPipeline", 16, 28, 3.5, 2.0, (("strength", 1.0), ("_auto_resize", False))
)
_FILL = Family("FLUX.1 Fill", "FluxFillPipeline", 16, 50, 30.0, None)
_SDXL = Family("SDXL", "StableDiffusionXLInpaintPipeline", 8, 30, 7.5, 0.0, (("strength", 0.9999),))
_SD = Family("Stable Diffusion", "StableDiffusionInpaintPipeline", 8, 30, 7.5, 0.0, (("strength", 1.0),))
# by `_class_name` of a checkpoint's model_index.json
FAMILIES: Mapping[str, Family] = {
    "FluxKontextPipeline": _KONTEXT,
    "FluxKontextInpaintPipeline": _KONTEXT,
    "FluxFillPipeline": _FILL,
    "StableDiffusionXLPipeline": _SDXL,
    "StableDiffusionXLInpaintPipeline": _SDXL,
    "StableDiffusionPipeline": _SD,
    "StableDiffusionInpaintPipeline": _SD,
}


@dataclass(frozen=True, eq=False)
class Asked:
    """What is to be painted.

    Attributes:
        image: uint8 [h, w, 3].
        mask: uint8 [h, w], 255 where to paint; the rest of `image` is kept.
        prompt, negative_prompt: words; an empty negative prompt asks for nothing.
        steps, guidance: None takes the family's own.
    """

    image: Bytes
    mask: Bytes
    prompt: str
    negative_prompt: str = ""
    steps: int | None = None
    guidance: float | None = None


@dataclass(frozen=True)
class PretrainedPainter:
    """A loaded checkpoint."""

    family: Family
    pipeline: Any

    def paint(self, asked: Asked, seeds: tuple[int, ...]) -> Bytes:
        """One candidate for each seed, uint8 [n, h, w, 3]; kept pixels are the image's own, bit for bit.

        Each seed is painted by itself, from noise of its own, so that a result does not depend on its batch mates.

        Raises:
            ValueError: sizes that the family cannot paint, or a negative prompt where it knows none; or the checkpoint
                painted values that are not finite.
        """
        self._check(asked)
        kept = (asked.mask < 128)[..., None]
        painted = [np.where(kept, asked.image, self._paint(asked, seed)) for seed in seeds]
        return np.stack(painted).astype(np.uint8)

    def _check(self, asked: Asked) -> None:
        height, width = asked.mask.shape
        if asked.image.shape != (height, width, 3):
            raise ValueError(f"image {asked.image.shape} and mask {asked.mask.shape} differ in size")
        if height % self.family.multiple or width % self.family.multiple:
            multiple = self.family.multiple
            raise ValueError(f"{self.family.name} paints sides divisible by {multiple}, not {height}x{width}")
        if asked.negative_prompt and self.family.true_guidance is None:
            raise ValueError(f"{self.family.name} takes no negative prompt: leave it empty")

    def _paint(self, asked: Asked, seed: int) -> Bytes:
        import torch
        from PIL import Image

        height, width = asked.mask.shape
        answer = self.pipeline(
            prompt=asked.prompt,
            image=Image.fromarray(asked.image),
            mask_image=Image.fromarray(asked.mask),
            height=height,
            width=width,
            num_inference_steps=asked.steps or self.family.steps,
            guidance_scale=self.family.guidance if asked.guidance is None else asked.guidance,
            generator=torch.Generator("cpu").manual_seed(seed),
            output_type="np",
            **self._negative(asked.negative_prompt, height * width),
            **dict(self.family.extra),
        )
        if not np.isfinite(answer.images[0]).all():  # half precision overflows in some checkpoints; it shows as black
            raise ValueError(f"{self.family.name} painted values that are not finite: serve it with --dtype float32")
        return np.rint(np.clip(answer.images[0], 0, 1) * 255).astype(np.uint8)

    def _negative(self, words: str, area: int) -> dict[str, Any]:
        own: dict[str, Any] = {"max_area": area} if self.family is _KONTEXT else {}
        if words:
            own["negative_prompt"] = words
            if self.family.true_guidance:
                own["true_cfg_scale"] = self.family.true_guidance
        return own


def family_of(index: Mapping[str, Any], where: str) -> Family:
    """The family of a checkpoint by its `model_index.json`.

    Raises:
        ConfigError: it is of none that this project knows.
    """
    name = index.get("_class_name", "")
    if name not in FAMILIES:
        raise ConfigError(
            f"checkpoint {where!r} is a {name or 'file without _class_name'}; known: {', '.join(FAMILIES)}"
        )
    return FAMILIES[name]


def read_index(source: str) -> dict[str, Any]:
    """The `model_index.json` of a folder, or of a hub id (which asks the network, unless it was fetched before).

    Raises:
        ConfigError: there is none.
    """
    folder = Path(source)
    if folder.is_dir():
        path = folder / INDEX
        if not path.is_file():
            raise ConfigError(f"checkpoint {source!r} holds no {INDEX}: name the folder that diffusers saved")
    elif folder.is_absolute() or source.count("/") != 1:
        raise ConfigError(f"checkpoint {source!r} is neither a folder nor a hub id (owner/name)")
    else:
        path = _fetched(source)
    index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return index


def _fetched(source: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(source, INDEX))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ConfigError(f"checkpoint {source!r} cannot be fetched from the hub: {type(error).__name__}") from error


def load_painter(source: str, *, device: str = "cpu", dtype: str = "float32") -> PretrainedPainter:
    """A painter from a folder or a hub id; nothing in a checkpoint is run as code, and only safetensors are read.

    Args:
        source: the folder, or `owner/name`.
        device: torch's name of it.
        dtype: `float32`, `float16` or `bfloat16`.

    Raises:
        ConfigError: no checkpoint, an unknown family or dtype, or files that do not load.
    """
    import diffusers
    import torch

    family = family_of(read_index(source), source)
    if dtype not in ("float32", "float16", "bfloat16"):
        raise ConfigError(f"dtype {dtype!r} is none of float32, float16, bfloat16")
    try:
        pipeline = getattr(diffusers, family.pipeline).from_pretrained(
            source, torch_dtype=getattr(torch, dtype), use_safetensors=True, **_without_checker(family)
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ConfigError(f"checkpoint {source!r} does not load as {family.pipeline}: {error}") from error
    pipeline.set_progress_bar_config(disable=True)
    return PretrainedPainter(family, pipeline.to(device))


def _without_checker(family: Family) -> dict[str, Any]:
    """The pipeline judges every creative by `unsafe_image`; a checker that blackens pictures would hide why."""
    return {"safety_checker": None, "requires_safety_checker": False} if family is _SD else {}
