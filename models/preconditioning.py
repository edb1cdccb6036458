"""What a network is shown and how its answer becomes a velocity, so that noise passes around it.

From a latent's own value alone the best linear guess of the picture is known: its channel's mean, and of the deviation
as much as picture stands against noise. A network that has only what is left to say starts where that guess ends, is
shown and asked for unit variance at every time, and cannot lose at little noise what it sees anyway. This is table 1
of Karras et al. 2022 (arXiv 2206.00364) for a straight path and for each channel's own spread.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Moments(NamedTuple):
    """Mean and standard deviation of latents over pictures and places: float32 [32] each."""

    mean: Tensor
    spread: Tensor


class Preconditioning(nn.Module):
    """Keeps the moments with the weights; 0 and 1 until `fit` is called."""

    mean: Tensor
    spread: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("spread", torch.ones(1, channels, 1, 1))

    def fit(self, moments: Moments) -> None:
        """Take over `moments` of the pictures that will be learnt."""
        self.mean.copy_(moments.mean.view_as(self.mean))
        self.spread.copy_(moments.spread.clamp(min=1e-3).view_as(self.spread))

    def shown(self, latents: Tensor, time: Tensor) -> Tensor:
        """Latents [B, 32, h, w] at `time` [B, 1, 1, 1] with unit variance."""
        return self._deviation(latents, time) / self._total(time).sqrt()

    def standard(self, pictures: Tensor) -> Tensor:
        """Latents of pictures without noise, [B, 32, h, w], with unit variance."""
        return (pictures - self.mean) / self.spread

    def velocity(self, latents: Tensor, time: Tensor, answer: Tensor) -> Tensor:
        """The velocity `noise - picture` where `answer` is the picture's unit remainder: [B, 32, h, w].

        The picture is `mean + (1 - t) s^2 / total * deviation + s t / sqrt(total) * answer`, and the velocity
        `(latent - picture) / t`; written so that nothing is divided by t.
        """
        total, square = self._total(time), self.spread.square()
        linear = (time - (1 - time) * square) / total * self._deviation(latents, time) - self.mean
        return linear - self.spread / total.sqrt() * answer

    def _deviation(self, latents: Tensor, time: Tensor) -> Tensor:
        return latents - (1 - time) * self.mean

    def _total(self, time: Tensor) -> Tensor:
        """The variance of a noisy latent: [B, 32, 1, 1]."""
        return (1 - time).square() * self.spread.square() + time.square()
