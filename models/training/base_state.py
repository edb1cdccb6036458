"""The state of a base's training: made, gone on from, kept beside its place and moved there."""

from __future__ import annotations

import shutil
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from models.canvas import Canvas, read_canvas
from models.deltas import add_delta
from models.preconditioning import Moments
from models.registry import SPECS
from models.training.base_recipe import Recipe
from transforms.errors import ConfigError


@dataclass
class State:
    """What a checkpoint holds; accelerate keeps network and optimiser, this keeps the rest.

    `base` is the digest of the weights that a delta belongs to, "" where whole networks are trained.
    """

    network: Any
    average: Canvas
    optimizer: Any
    step: int = 0
    base: str = ""

    def state_dict(self) -> dict[str, Any]:
        """For accelerate."""
        return {"average": self.average.state_dict(), "step": self.step, "base": self.base}

    def load_state_dict(self, held: dict[str, Any]) -> None:
        """For accelerate; ConfigError where the run is a delta on another base."""
        if held.get("base", "") != self.base:
            raise ConfigError(
                f"the run began on the base {held.get('base', '')[:12] or 'none'}, --start and --lora now say"
                f" {self.base[:12] or 'none'}: give the command that it began with, or name another --run"
            )
        self.average.load_state_dict(held["average"])
        self.step = held["step"]


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
    average = deepcopy(network).eval().to(accelerator.device)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.rate, betas=(0.9, 0.95), weight_decay=recipe.weight_decay)
    network, optimizer = accelerator.prepare(network, optimizer)
    state = State(network, average, optimizer, base=card.sha256 if card and recipe.lora else "")
    accelerator.register_for_checkpointing(state)
    return state


def load_state(run: Path, recipe: Recipe, start: Path | None, moments: Moments, accelerator: Accelerator) -> State:
    """The state of RUN's checkpoint, or a new one where there is none."""
    state = new_state(recipe, start, moments, accelerator)
    if (run / "state").is_dir():
        accelerator.load_state(str(run / "state"))
    return state


def save_state(run: Path, accelerator: Accelerator) -> None:
    """Write a checkpoint beside its place and move it there, so that a cut leaves the old one."""
    beside, place, old = (run / name for name in ("state.writing", "state", "state.old"))
    accelerator.save_state(str(beside))
    if accelerator.is_main_process:
        shutil.rmtree(old, ignore_errors=True)
        if place.exists():
            place.rename(old)
        beside.rename(place)
        shutil.rmtree(old, ignore_errors=True)
    accelerator.wait_for_everyone()
