"""The family as literal tables: which networks there are, how large, and what each variant is asked.

Variants share the network; what differs is which pictures of an example are conditions and which is the target. A
prompt begins with its variant's name, so one base knows which task is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Body = Literal["unet", "dit"]
Prediction = Literal["remainder", "velocity"]
LATENT_CHANNELS, STRIDE = 32, 16  # of the autoencoder
TEXT_TOKENS, TEXT_WIDTH = 32, 128  # of the text encoder
MOST_REFERENCES, REFERENCE_SIDE = 8, 64  # condition pictures beside the registered one, and their pixels


@dataclass(frozen=True)
class CanvasSpec:
    """Sizes of a base network.

    Attributes:
        body: `unet`, convolutions with attention at the lower level; `dit`, the transformer of FLUX.1 Kontext.
        widths: of the U-Net's levels, the first at the latents' own size; or (heads x 64,) of the transformer.
        depth: residual blocks a level; or double-stream blocks, with twice as many single-stream ones.
        predicts: what the body answers. `remainder`: what a linear guess leaves of the picture (see
            `models.preconditioning`), so that a small network need not carry the noise through. `velocity`: all of it.
    """

    body: Body = "unet"
    widths: tuple[int, ...] = (96, 192)
    depth: int = 1
    predicts: Prediction = "remainder"


SPECS: Mapping[str, CanvasSpec] = {
    "canvas-rehearsal": CanvasSpec("unet", (32, 64), 1),  # to see that everything runs
    "canvas-xs": CanvasSpec("unet", (64, 128), 1),
    "canvas-s": CanvasSpec("unet", (96, 192), 1),
    "canvas-m": CanvasSpec("unet", (192, 384), 2),
    "canvas-l": CanvasSpec("unet", (320, 640, 960), 2),
    "canvas-dit-s": CanvasSpec("dit", (192,), 3),
    "canvas-dit-l": CanvasSpec("dit", (1024,), 12),
}


@dataclass(frozen=True)
class Variant:
    """A task.

    Attributes:
        name: also the first words of its prompts.
        registered: what is given in register with the target: the products alone on grey, a frame of the scene, the
            scene at a third of its size, the whole scene, nothing, or the empty set with the products laid in as they
            were photographed elsewhere.
        references: whether each product's own picture is given as well.
        target: the scene, the same two seconds later, or the scene with the products' own pixels laid over: what they
            do to the set alone.
        keeps: whether what is given is part of the answer: the decoder then paints around it.
        share: of a base's training.
        guidance: scale of the two-pass guidance; 1 is one pass.
        drops: what its second pass does without: the words, or words and pictures.
        fills: whether what is not known is given as a smooth continuation of what is (`models.filling`), else as grey.
            A network that trained little carries colours on from the former and not from the latter.
    """

    name: str
    registered: Literal["products", "frame", "small", "scene", "nothing", "staged"]
    references: bool
    target: Literal["scene", "later", "staged"]
    keeps: bool
    share: float
    guidance: float
    drops: Literal["text", "all"]
    fills: bool = False


VARIANTS: Mapping[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant("background", "products", False, "scene", True, 0.38, 3.0, "text"),
        Variant("outpaint", "frame", False, "scene", True, 0.3325, 1.5, "all", fills=True),
        Variant("super_resolution", "small", False, "scene", False, 0.095, 1.0, "text"),
        Variant("scene_synthesis", "nothing", True, "scene", False, 0.095, 3.0, "text"),
        Variant("image_to_motion", "scene", False, "later", False, 0.0475, 1.0, "text"),
        Variant("staging", "staged", False, "staged", False, 0.05, 1.0, "text"),
    )
}


@dataclass(frozen=True)
class Sampling:
    """How a picture is sampled.

    Attributes:
        steps: network evaluations, or pairs of them where guidance is above 1.
        shift: of the timesteps; above 1 spends more of them where noise is strong. The last step answers for all the
            noise that is left, and must begin where training looked: with a shift of 8 (`Recipe.shift`) hardly below
            0.6. With 20 the last of six steps begins at 0.80, with 6 at 0.55, where noise stays in the picture.
        guidance: scale of the two-pass guidance.
        rescale: share of the guided velocity that is brought back to the conditional one's spread.
        negative: what the second pass is told.
        temperature: of the noise that a candidate begins with, 0..1 (Kingma & Dhariwal 2018, section 6). Below 1
            pictures are softer and more alike; at 0 all are one, the network's mean. At 1 a network that was trained
            little leaves noise in them.
    """

    steps: int = 6
    shift: float = 20.0
    guidance: float = 1.5
    rescale: float = 1.0
    negative: str = ""
    temperature: float = 1.0


def prompt_of(variant: str, words: str) -> str:
    """The text that is encoded: the task, then the words.

    >>> prompt_of("background", "oak floor")
    'background: oak floor'
    """
    return f"{variant}: {words}".strip()
