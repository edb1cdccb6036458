"""One network and the moving average of its weights under AdamW: how the refiner and the stager are trained."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar, cast

import torch
from torch import Tensor, nn

from models.training.runs import average_into, restore

PARTS = ("network", "average", "optimizer")  # of a checkpoint, beside the step
_CLIPPED = 5.0  # norm of the gradients at most

Network = TypeVar("Network", bound=nn.Module)


class Descent(Protocol):
    """The part of a recipe that is asked for here.

    Attributes:
        steps: optimiser steps in all.
        rate: AdamW's.
        warm_steps: over which the rate rises.
        fall: share of the steps over which it falls to nothing.
        average: decay of the weights' moving average, reached after as many steps as it spans.
        seed: of the network's first weights.
    """

    @property
    def steps(self) -> int: ...
    @property
    def rate(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def warm_steps(self) -> int: ...
    @property
    def fall(self) -> float: ...
    @property
    def average(self) -> float: ...
    @property
    def seed(self) -> int: ...


@dataclass
class State(Generic[Network]):
    """What a checkpoint holds."""

    network: Network
    average: Network
    optimizer: torch.optim.Optimizer
    step: int = 0


def rate_at(recipe: Descent, step: int) -> float:
    """The rate of `step`: it rises, stays, and falls to nothing over the last part."""
    left = (recipe.steps - step) / max(1, recipe.steps * recipe.fall)
    return recipe.rate * min(1.0, (step + 1) / recipe.warm_steps, left)


def load_state(make: Callable[[], Network], path: Path, recipe: Descent) -> State[Network]:
    """The state of a checkpoint, or that of a network newly made where there is none."""
    torch.manual_seed(recipe.seed)
    network = cast(Network, make().to(memory_format=torch.channels_last))  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=recipe.rate, betas=(0.9, 0.95), weight_decay=recipe.weight_decay
    )
    state = State(network, deepcopy(network).eval(), optimizer)
    restore(state, path, PARTS)
    return state


def descend(state: State[Network], recipe: Descent, loss: Tensor) -> None:
    """One optimiser step down `loss`, a scalar that `state.network` answered for."""
    for group in state.optimizer.param_groups:
        group["lr"] = rate_at(recipe, state.step)
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), _CLIPPED)
    state.optimizer.step()
    average_into(state.average, state.network, state.step, recipe.average)
    state.step += 1
