"""What a network is shown and how its answer becomes a velocity, so that noise passes around it.

From a latent's own value alone the best linear guess of the picture is known: its channel's mean, and of the deviation
as much as picture stands against noise. Where something is given in register with the picture, the mean moves towards
it as far as the two go together, and the less is left to guess: a small network need not carry over what is given.
A network that has only what is left to say starts where that guess ends, is
shown and asked for unit variance at every time, and cannot lose at little noise what it sees anyway. This is table 1
of Karras et al. 2022 (arXiv 2206.00364) for a straight path and for each channel's own spread.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

_MOST_CARRIED = 0.98  # something is left to say, and nothing is divided by zero


class Moments(NamedTuple):
    """Of latents over pictures and places: float32 [32] each.

    Attributes:
        mean: of each channel.
        spread: its standard deviation.
        carried: its correlation with what is given there, where that is known.
    """

    mean: Tensor
    spread: Tensor
    carried: Tensor


class Prior(NamedTuple):
    """Mean and deviation of a picture before its latent is seen: as [B, 32, h, w] broadcasts."""

    mean: Tensor
    spread: Tensor


class Preconditioning(nn.Module):
    """Keeps the moments with the weights; 0, 1 and 0 until `fit` is called."""

    mean: Tensor
    spread: Tensor
    carried: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("spread", torch.ones(1, channels, 1, 1))
        self.register_buffer("carried", torch.zeros(1, channels, 1, 1))

    def fit(self, moments: Moments) -> None:
        """Take over `moments` of the pictures that will be learnt."""
        self.mean.copy_(moments.mean.view_as(self.mean))
        self.spread.copy_(moments.spread.clamp(min=1e-3).view_as(self.spread))
        self.carried.copy_(moments.carried.clamp(0, _MOST_CARRIED).view_as(self.carried))

    def prior(self, given: Tensor, known: Tensor) -> Prior:
        """What is known of pictures of which `given` [B, 32, h, w] is, as far as `known` [B, 1, h, w] says."""
        share = known * self.carried
        return Prior(self.mean + share * (given - self.mean), self.spread * (1 - share.square()).sqrt())

    def shown(self, latents: Tensor, time: Tensor, prior: Prior) -> Tensor:
        """Latents [B, 32, h, w] at `time` [B, 1, 1, 1] with unit variance."""
        return _deviation(latents, time, prior) / _total(time, prior).sqrt()

    def standard(self, pictures: Tensor) -> Tensor:
        """Latents of pictures without noise, [B, 32, h, w], with unit variance."""
        return (pictures - self.mean) / self.spread

    def velocity(self, latents: Tensor, time: Tensor, answer: Tensor, prior: Prior) -> Tensor:
        """The velocity `noise - picture` where `answer` is the picture's unit remainder: [B, 32, h, w].

        The picture is `mean + (1 - t) s^2 / total * deviation + s t / sqrt(total) * answer`, and the velocity
        `(latent - picture) / t`; written so that nothing is divided by t.
        """
        total, square = _total(time, prior), prior.spread.square()
        linear = (time - (1 - time) * square) / total * _deviation(latents, time, prior) - prior.mean
        return linear - prior.spread / total.sqrt() * answer


def _deviation(latents: Tensor, time: Tensor, prior: Prior) -> Tensor:
    return latents - (1 - time) * prior.mean


def _total(time: Tensor, prior: Prior) -> Tensor:
    """The variance of a noisy latent: as [B, 32, h, w] broadcasts."""
    return (1 - time).square() * prior.spread.square() + time.square()
