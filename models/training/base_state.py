"""The state of a base's training: made, kept in one file, gone on from."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from models.canvas import PRECONDITIONING, Canvas, read_canvas
from models.deltas import add_delta
from models.preconditioning import Moments, upgraded
from models.registry import SPECS
from models.training.base_recipe import Recipe
from models.training.processes import part, spread, whole
from models.training.runs import save
from transforms.errors import ConfigError

CHECKPOINT = "checkpoint.pt"


@dataclass
class State:
    """What a checkpoint holds; where processes keep parts, each of the tensors is this process's part.

    `network` and `optimizer` are as `spread` answers them. `base` is the digest of the weights that a delta belongs to,
    "" where whole networks are trained.
    """

    network: Any
    average: Canvas
    optimizer: Any
    step: int = 0
    base: str = ""

    @property
    def own(self) -> Any:
        """The network itself, out of what averages its gradients."""
        return getattr(self.network, "module", self.network)

    def state_dict(self, kept: bool = True) -> dict[str, Any]:
        """All of it with whole tensors on the CPU; every process must call it, `kept` says which ones want them."""
        parts = {name: getattr(self, name).state_dict() for name in ("own", "average", "optimizer")}
        return {**whole(parts, kept), "step": self.step, "base": self.base}

    def load_state_dict(self, held: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, of any number of processes.

        Raises:
            ConfigError: the run is a delta on another base.
        """
        if held["base"] != self.base:
            raise ConfigError(
                f"the run began on the base {held['base'][:12] or 'none'}, --start and --lora now say"
                f" {self.base[:12] or 'none'}: give the command that it began with, or name another --run"
            )
        for name in ("own", "average"):
            network = getattr(self, name)
            network.load_state_dict(_parts(upgraded(held[name], PRECONDITIONING), network.state_dict()))
        trained = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        moments = {  # copies, since the optimiser would keep what lies in a file that is going to be replaced
            number: {
                name: (part(value, trained[number]) if value.dim() else value).clone() for name, value in of_one.items()
            }
            for number, of_one in held["optimizer"]["state"].items()
        }
        self.optimizer.load_state_dict({**held["optimizer"], "state": moments})
        self.step = held["step"]

    def averaged(self, kept: bool = True) -> Canvas | None:
        """The average as a whole network on the CPU, None where not `kept`; every process must call it."""
        tensors = whole(self.average.state_dict(), kept)
        if not kept:
            return None
        network = deepcopy(self.average)
        network.load_state_dict(tensors, assign=True)
        return network.cpu()


def _parts(tensors: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: part(tensors[name], tensor) for name, tensor in own.items()}


def new_state(recipe: Recipe, start: Path | None, moments: Moments, accelerator: Accelerator) -> State:
    """The state before the first step.

    Args:
        recipe: of the run.
        start: a finished run's `model` folder, whose weights are taken over, its moments too.
        moments: of the targets, for a network that begins anew.
        accelerator: that the network is prepared for.
    """
    torch.manual_seed(recipe.seed)
    if start is None and recipe.spec not in SPECS:
        raise ConfigError(f"no spec {recipe.spec!r}; known: {', '.join(SPECS)}")
    if start is None and recipe.lora:
        raise ConfigError("--lora trains a delta on a finished base: name its `model` folder with --start")
    network, card = read_canvas(start) if start else (Canvas(SPECS[recipe.spec]), None)
    network.train()
    if start is None:
        network.preconditioning.fit(moments)
    if recipe.lora:
        add_delta(network, recipe.lora)
    average = deepcopy(network).eval()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.rate, betas=(0.9, 0.95), weight_decay=recipe.weight_decay)
    prepared, stepped = spread(network, optimizer, accelerator)
    state = State(prepared, average, stepped, base=card.sha256 if card and recipe.lora else "")
    average.load_state_dict({name: tensor.clone() for name, tensor in state.own.state_dict().items()}, assign=True)
    return state


def load_state(run: Path, recipe: Recipe, start: Path | None, moments: Moments, accelerator: Accelerator) -> State:
    """The state of RUN's checkpoint, or a new one where there is none."""
    state = new_state(recipe, start, moments, accelerator)
    if (run / CHECKPOINT).exists():
        # mapped, so that a process that keeps parts reads no more than those
        state.load_state_dict(torch.load(run / CHECKPOINT, map_location="cpu", weights_only=True, mmap=True))
    return state


def save_state(run: Path, state: State, accelerator: Accelerator) -> None:
    """Write RUN's checkpoint from the main process; a cut leaves the old one. Every process must call it."""
    held = state.state_dict(kept=accelerator.is_main_process)
    if accelerator.is_main_process:
        save(held, run / CHECKPOINT)
    accelerator.wait_for_everyone()
