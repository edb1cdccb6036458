"""What a network is shown and how its answer becomes a velocity, so that noise passes around it.

From a latent's own value alone the best linear guess of the picture is known: its channel's mean, and of the deviation
as much as picture stands against noise. Where something is given in register with the picture, the mean moves towards
it as far as the two go together, and the less is left to guess: a small network need not carry over what is given.
How far that is differs by task: an enlargement is nearly its picture, a frame of two seconds ago goes with the later
one far less. So each task has a correlation of its own; a base may be trained with one for all of them.
A network that has only what is left to say starts where that guess ends, is shown and asked for unit variance at every
time, and cannot lose at little noise what it sees anyway. This is table 1 of Karras et al. 2022 (arXiv 2206.00364) for
a straight path and for each channel's own spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.registry import VARIANTS

_MOST_CARRIED = 0.98  # something is left to say, and nothing is divided by zero


class Moments(NamedTuple):
    """Of latents over pictures and places: float32 [32] each.

    Attributes:
        mean: of each channel.
        spread: its standard deviation.
        carried: of each task, the correlation with what is given there, where that is known.
    """

    mean: Tensor
    spread: Tensor
    carried: Mapping[str, Tensor]


class Prior(NamedTuple):
    """Mean and deviation of a picture before its latent is seen: as [B, 32, h, w] broadcasts."""

    mean: Tensor
    spread: Tensor


class Preconditioning(nn.Module):
    """Keeps the moments with the weights; 0, 1 and 0 until `fit` is called.

    `carried_<task>` are the correlations, one for each task that there is: a task that was not fitted carries nothing.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("spread", torch.ones(1, channels, 1, 1))
        for task in VARIANTS:
            self.register_buffer(f"carried_{task}", torch.zeros(1, channels, 1, 1))

    def fit(self, moments: Moments) -> None:
        """Take over `moments` of the pictures that will be learnt."""
        self.mean.copy_(moments.mean.view_as(self.mean))
        self.spread.copy_(moments.spread.clamp(min=1e-3).view_as(self.spread))
        for task, correlation in moments.carried.items():
            carried = self.get_buffer(f"carried_{task}")
            carried.copy_(correlation.clamp(0, _MOST_CARRIED).view_as(carried))

    def prior(self, given: Tensor, known: Tensor, task: str) -> Prior:
        """What `task` knows of pictures of which `given` [B, 32, h, w] is, as far as `known` [B, 1, h, w] says."""
        share = known * self.get_buffer(f"carried_{task}")
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


def upgraded(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """`weights` as they are named today; those of the preconditioning begin with `prefix`.

    Where one correlation was fitted to all tasks together it becomes each task's; weights from before there was any
    carry nothing, and so do tasks that are newer than the weights.
    """
    named, mean = dict(weights), weights.get(f"{prefix}mean")
    joint = named.pop(f"{prefix}carried", None if mean is None else torch.zeros_like(mean))
    if joint is not None:
        for task in VARIANTS:
            named.setdefault(f"{prefix}carried_{task}", joint.clone())
    return named


def correlation(one: Tensor, other: Tensor) -> Tensor:
    """How far deviations [C, N] go together, channel by channel: [C], 0 where there are none."""
    squares = one.square().sum(1) * other.square().sum(1)
    return (one * other).sum(1) / squares.sqrt().clamp(min=1e-6)


def _deviation(latents: Tensor, time: Tensor, prior: Prior) -> Tensor:
    return latents - (1 - time) * prior.mean


def _total(time: Tensor, prior: Prior) -> Tensor:
    """The variance of a noisy latent: as [B, 32, h, w] broadcasts."""
    return (1 - time).square() * prior.spread.square() + time.square()
