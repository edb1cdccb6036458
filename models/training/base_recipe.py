"""What decides how a base or a variant is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from models.registry import VARIANTS
from transforms.errors import ConfigError


class Stage(NamedTuple):
    """A part of the training: pictures with shorter sides within least..most, its share of the steps, its batch."""

    least: int
    most: int
    share: float
    batch: int


def parse_stages(text: str) -> tuple[Stage, ...]:
    """`least-most:share:batch`, comma-separated.

    >>> parse_stages("0-320:1:16")
    (Stage(least=0, most=320, share=1.0, batch=16),)
    """
    try:
        parts = [part.split(":") for part in text.split(",")]
        return tuple(
            Stage(int(sides.split("-")[0]), int(sides.split("-")[1]), float(share), int(batch))
            for sides, share, batch in parts
        )
    except (ValueError, IndexError) as error:
        raise ConfigError(f"stages {text!r} are not least-most:share:batch, comma-separated") from error


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, but for the data.

    Attributes:
        spec: a name in `models.registry.SPECS`.
        variants: tasks, comma-separated; "all" is the base's mixture.
        steps: optimiser steps in all.
        stages: see `parse_stages`.
        shift: of the timesteps that are trained, towards noise. What is usual (3; Esser et al. 2024), times the spread
            of the latents' strongest channels (3): less shows the network hardly any noise that hides a picture's
            colours, and it does not learn to take them from what is given.
        drop: how often a pair goes without its words; half as often without anything.
        fall: share of the steps over which the rate falls to nothing.
        average: decay of the weights' moving average.
        carries: what the prior of a network that begins anew takes over of what is given, see
            `models.preconditioning`: as far as it goes together with the answer in "each" task by itself, in all of
            them together ("joint"), or "nothing". With `--start` it is as in the weights that are taken over.
        bf16: whether layers run in bfloat16.
        lora: rank of the delta on `--start` that alone is trained; 0 trains the whole network.
    """

    spec: str = "canvas-s"
    variants: str = "all"
    steps: int = 2000
    stages: str = "0-320:1:16"
    shift: float = 8.0
    drop: float = 0.15
    rate: float = 4e-4
    weight_decay: float = 0.01
    warm_steps: int = 50
    fall: float = 0.3
    average: float = 0.999
    carries: str = "each"
    bf16: bool = False
    lora: int = 0
    seed: int = 0

    def tasks(self) -> tuple[str, ...]:
        """The variants that are trained."""
        return tuple(VARIANTS) if self.variants == "all" else tuple(self.variants.split(","))

    def rate_at(self, step: int) -> float:
        """The rate of `step` as a share of `rate`."""
        left = (self.steps - step) / max(1.0, self.steps * self.fall)
        return min(1.0, (step + 1) / self.warm_steps, left)

    def stage_at(self, step: int) -> Stage:
        """The stage that `step` belongs to."""
        stages, end = parse_stages(self.stages), 0.0
        total = sum(stage.share for stage in stages)
        for stage in stages:
            end += stage.share / total * self.steps
            if step < end:
                return stage
        return stages[-1]
