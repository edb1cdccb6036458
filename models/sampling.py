"""The one sampler of training, evaluation and serving: rectified flow (Liu et al. 2022; Lipman et al. 2022).

A latent at time t in [0, 1] is `(1 - t) * picture + t * noise`; networks predict the velocity `noise - picture`.
Everything here is plain arithmetic that numpy arrays and torch tensors share, so nothing of it exists twice.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.registry import Sampling

Array = TypeVar("Array", bound=Any)
# (latents, time) -> velocity with the conditions, and without them or None where one pass is enough
Predict = Callable[[Array, float], tuple[Array, Array | None]]


def shifted(time: Any, shift: float) -> Any:
    """Time moved towards noise, as larger pictures need it (Esser et al. 2024, section 5.3.2).

    >>> shifted(0.5, 3.0)
    0.75
    """
    return shift * time / (1.0 + (shift - 1.0) * time)


def timesteps(steps: int, shift: float) -> tuple[float, ...]:
    """`steps` + 1 falling times from 1 to 0.

    >>> timesteps(2, 1.0)
    (1.0, 0.5, 0.0)
    """
    return tuple(float(shifted(1.0 - number / steps, shift)) for number in range(steps + 1))


def draw_noise(seed: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Standard normal noise of one candidate: it depends on its seed alone (Philox, Salmon et al. 2011)."""
    generator = np.random.Generator(np.random.Philox(key=seed % 2**64))
    return generator.standard_normal(shape, np.float32)


def mixed(picture: Array, noise: Array, time: Array) -> Array:
    """The latent at `time`, which broadcasts against both."""
    return (1.0 - time) * picture + time * noise


def guided(conditional: Array, unconditional: Array, guidance: float, rescale: float) -> Array:
    """Classifier-free guidance (Ho & Salimans 2022) whose spread is brought back to the conditional velocity's.

    The second part is Lin et al. 2023, equations 15 and 16: without it strong guidance burns colours.

    Args:
        conditional: velocities [B, C, H, W] with the conditions.
        unconditional: without them.
        guidance: 1 answers `conditional`.
        rescale: share of the answer that is rescaled, 0..1.
    """
    pushed = unconditional + guidance * (conditional - unconditional)
    ratio = _spread(conditional) / (_spread(pushed) + 1e-6)
    return pushed * (rescale * ratio + (1.0 - rescale))


def _spread(velocity: Array) -> Array:
    """Standard deviation of each item, [B, 1, 1, 1]."""
    centred = velocity - velocity.mean(axis=(1, 2, 3), keepdims=True)
    return (centred * centred).mean(axis=(1, 2, 3), keepdims=True) ** 0.5


def sample(predict: Predict[Array], noise: Array, how: Sampling) -> Array:
    """Noise [B, C, H, W] carried to pictures by Euler's method.

    Args:
        predict: the network at one time: both velocities, or the conditional one alone and None.
        noise: of each candidate, standard normal.
        how: steps, guidance, temperature.
    """
    latents, times = noise * how.temperature, timesteps(how.steps, how.shift)
    for now, later in pairwise(times):
        conditional, unconditional = predict(latents, now)
        velocity = conditional
        if unconditional is not None:
            velocity = guided(conditional, unconditional, how.guidance, how.rescale)
        latents = latents + (later - now) * velocity
    return latents
