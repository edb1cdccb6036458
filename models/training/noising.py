"""Batches on their way to noise, and how far a network is from their velocity."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from models.sampling import mixed, shifted
from models.training.base_recipe import Recipe

_KNOWN_WEIGHT = 0.2  # of a cell that was given: the decoder joins it anyway


class Noised(NamedTuple):
    """A batch of a task on its way to noise: latents at a time, the velocity there, what of the conditions is left."""

    task: str
    latents: Tensor
    time: Tensor
    velocity: Tensor
    given: Tensor
    known: Tensor
    text: Tensor
    references: Tensor | None

    def to(self, device: torch.device) -> Noised:
        """The same on another device."""
        moved: list[Any] = [part.to(device) if isinstance(part, Tensor) else part for part in self]
        return Noised(*moved)


def noised(task: str, batch: dict[str, Tensor], recipe: Recipe, number: int) -> Noised:
    """Draw time and noise of batch `number` of a task, and drop conditions; drawn alike every time."""
    generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + number)
    size = (len(batch["target"]), 1, 1, 1)
    # logit-normal times (Esser et al. 2024): the middle counts most, the shift moves it
    time_B = shifted(torch.sigmoid(torch.randn(size, generator=generator)), recipe.shift)
    noise_BCHW = torch.randn(batch["target"].shape, generator=generator)
    luck = torch.rand(size, generator=generator)
    worded, shown = (luck > recipe.drop).float(), (luck > recipe.drop / 2).float()
    return Noised(
        task,
        mixed(batch["target"], noise_BCHW, time_B),
        time_B.flatten(),
        noise_BCHW - batch["target"],
        batch["given"] * shown,
        batch["known"] * shown,
        batch["text"] * worded[..., 0],
        batch["references"] * shown[..., None] if "references" in batch else None,
    )


def loss_of(network: Any, noise: Noised) -> Tensor:
    """Mean squared error of the velocity, most of it where nothing was given; a scalar."""
    square, weight = weighed_errors(network, noise)
    return square.sum() / weight.sum()


def weighed_errors(network: Any, noise: Noised) -> tuple[Tensor, Tensor]:
    """Squared errors of the velocity times what each cell weighs, and those weights: [B, 1, h, w] each."""
    conditions = (noise.given, noise.known, noise.text, noise.references)
    answer = network(noise.latents, noise.time, *conditions, task=noise.task)
    weight = 1.0 - (1.0 - _KNOWN_WEIGHT) * noise.known
    square = (answer.float() - noise.velocity).square().mean(1, keepdim=True)
    return square * weight, weight
