"""Trains super-resolution by three on photographs made small; goes on from its checkpoint where there is one.

    python -m models.training.train_upscaler --run DIR --photos DIR [DIR ...] --steps 3000

RUN gets `checkpoint.pt` (network, average, optimiser, step), `losses.jsonl`, `losses.png` and `recipe.json`. One
photograph in six is held out. `models.export.upscaler` takes the run on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.command import told
from models.data.degradations import degrade, draw_crop, photographs, read_large
from models.training.runs import average_into, keep, plot, restore
from models.upscaler import SCALE, Upscaler, UpscalerSpec
from transforms.errors import ConfigError


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, but for the photographs.

    Attributes:
        steps: optimiser steps in all.
        batch: pairs a step.
        side: pixels of a small picture's sides.
        rate: Adam's, warmed up over `warm_steps`, then falling along a cosine to nothing.
        kept: photographs in memory at once; every `fresh_every` steps others are read.
        average: decay of the weights' moving average.
    """

    steps: int = 3000
    batch: int = 8
    side: int = 48
    rate: float = 1e-3
    warm_steps: int = 50
    kept: int = 40
    fresh_every: int = 250
    average: float = 0.998
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The rate of `step`."""
        return float(self.rate * min(1.0, (step + 1) / self.warm_steps) * 0.5 * (1 + np.cos(np.pi * step / self.steps)))


_PARTS = ("network", "average", "optimizer")


@dataclass
class State:
    """What a checkpoint holds."""

    network: Upscaler
    average: Upscaler
    optimizer: torch.optim.Optimizer
    step: int = 0


def load_state(path: Path, recipe: Recipe, spec: UpscalerSpec) -> State:
    """The state of a checkpoint, or a new one where there is none."""
    torch.manual_seed(recipe.seed)
    network = Upscaler(spec).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.rate, betas=(0.9, 0.99))
    state = State(network, deepcopy(network).eval(), optimizer)
    restore(state, path, _PARTS)
    return state


def read_photos(files: Sequence[Path], recipe: Recipe, step: int) -> list[NDArray[np.uint8]]:
    """The photographs of the part of the run that `step` lies in; too small ones are left out."""
    rng = np.random.Generator(np.random.Philox(key=[recipe.seed, step // recipe.fresh_every]))
    chosen = rng.permutation(len(files))[: recipe.kept]
    photos = [read_large(files[number]) for number in sorted(chosen)]
    return [photo for photo in photos if min(photo.shape[:2]) > SCALE * recipe.side]


def batch_of(photos: Sequence[NDArray[np.uint8]], recipe: Recipe, step: int) -> tuple[Tensor, Tensor]:
    """(small [B, 3, h, w], large [B, 3, 3h, 3w]) of a step, float32 in [0, 1]."""
    rng = np.random.Generator(np.random.Philox(key=[recipe.seed, 2**32 + step]))
    drawn = [
        degrade(rng, draw_crop(rng, photos[int(rng.integers(len(photos)))], SCALE * recipe.side))
        for _ in range(recipe.batch)
    ]
    small, large = (
        torch.from_numpy(np.stack(pixels)).float().permute(0, 3, 1, 2) / 255 for pixels in zip(*drawn, strict=True)
    )
    return small.contiguous(memory_format=torch.channels_last), large


def take_step(state: State, recipe: Recipe, photos: Sequence[NDArray[np.uint8]]) -> float:
    """One optimiser step; its loss: the mean absolute difference."""
    for group in state.optimizer.param_groups:
        group["lr"] = recipe.rate_at(state.step)
    small, large = batch_of(photos, recipe, state.step)
    state.network.train()
    loss = (state.network(small) - large).abs().mean()
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), 0.5)
    state.optimizer.step()
    average_into(state.average, state.network, state.step, recipe.average)
    state.step += 1
    return float(loss.detach())


def train(state: State, recipe: Recipe, files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Step until the recipe's end, yielding each step's record; `state` moves along."""
    photos: list[NDArray[np.uint8]] = []
    while state.step < recipe.steps:
        if not photos or state.step % recipe.fresh_every == 0:
            photos = read_photos(files, recipe, state.step)
        began, step = time.monotonic(), state.step
        loss = take_step(state, recipe, photos)
        yield {"step": step, "loss": loss, "sec": time.monotonic() - began}


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.train_upscaler", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint and the records")
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of large photographs")
    for name, value in {**asdict(Recipe()), **asdict(UpscalerSpec())}.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--threads", type=int, default=1, help="of torch (default %(default)s)")
    parser.add_argument("--save_every", type=int, default=100, help="steps between checkpoints")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    args = _arguments(arguments)
    recipe = Recipe(**{field.name: getattr(args, field.name) for field in fields(Recipe)})
    spec = UpscalerSpec(**{field.name: getattr(args, field.name) for field in fields(UpscalerSpec)})
    torch.set_num_threads(args.threads)
    files = photographs(args.photos, held_out=False)
    if not files:
        raise ConfigError(f"no pictures under {', '.join(map(str, args.photos))}: name folders of large photographs")
    args.run.mkdir(parents=True, exist_ok=True)
    told = {"recipe": asdict(recipe), "spec": asdict(spec), "photographs": len(files)}
    (args.run / "recipe.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    state = load_state(args.run / "checkpoint.pt", recipe, spec)
    keep(state, train(state, recipe, files), args.run, _PARTS, args.save_every)
    plot(args.run / "losses.jsonl", args.run / "losses.png", ["loss"], "mean absolute difference")
    sys.stdout.write(f"{state.step} steps: {args.run / 'checkpoint.pt'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
