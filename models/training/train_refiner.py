"""Trains the mask refiner; goes on from its checkpoint where there is one.

    python -m models.training.train_refiner --run DIR --clues DIR DIR --steps 4000

`--clues` names folders of `models.data.clues`, each drawn from as often, read anew every `--scan_every` steps. RUN
gets `checkpoint.pt` (network, average, optimiser, step), `losses.jsonl` and `losses.png`. The rate warms up, stays, and
falls to nothing over the last part. The same files, seed and thread count give the same losses, interrupted or not.
`models.export.refiner` takes it on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.command import told
from models.refiner import Refiner
from models.training.averaged import PARTS, State, descend, load_state
from models.training.clue_set import draw
from models.training.losses import matte_loss
from models.training.runs import keep, plot
from transforms.errors import ConfigError


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, but for the data.

    Attributes:
        steps: optimiser steps in all.
        batch: pictures a step.
        side: pixels of a sample's sides, divisible by 32.
        rate: AdamW's.
        fall: share of the steps over which the rate falls.
        average: decay of the weights' moving average, reached after as many steps as it spans.
    """

    steps: int = 2000
    batch: int = 8
    side: int = 256
    rate: float = 2e-3
    weight_decay: float = 0.02
    warm_steps: int = 50
    fall: float = 0.5
    average: float = 0.99
    seed: int = 0


def batch_of(folders: Sequence[Sequence[Path]], recipe: Recipe, step: int) -> tuple[Tensor, Tensor, Tensor]:
    """(pictures with their clues, alpha, weight) of a step: float32 [B, 8 or 1, H, W]."""
    numbers = range(step * recipe.batch, (step + 1) * recipe.batch)
    samples = [draw(folders, recipe.seed, number, recipe.side) for number in numbers]
    shown = np.stack([np.concatenate([sample.pixels, sample.clues], axis=-1) for sample in samples])
    alpha, weight = (
        torch.from_numpy(np.stack([getattr(sample, name) for sample in samples]))[:, None]
        for name in ("alpha", "weight")
    )
    return torch.from_numpy(shown).float().permute(0, 3, 1, 2), alpha, weight


def take_step(state: State[Refiner], recipe: Recipe, folders: Sequence[Sequence[Path]]) -> dict[str, float]:
    """One optimiser step; its loss, and the loss of what the network was given."""
    shown, alpha, weight = batch_of(folders, recipe, state.step)
    state.network.train()
    loss = matte_loss(state.network(shown), alpha, weight)
    descend(state, recipe, loss)
    with torch.no_grad():
        given = matte_loss(torch.logit(shown[:, 3:4] / 255, eps=0.02), alpha, weight)
    return {"loss": float(loss.detach()), "given": float(given)}


def scan(folders: Sequence[Path]) -> list[tuple[Path, ...]]:
    """The files of each folder.

    Raises:
        ConfigError: there are none in one.
    """
    found = [tuple(sorted(folder.glob("*.npz"))) for folder in folders]
    for folder, files in zip(folders, found, strict=True):
        if not files:
            raise ConfigError(f"no clues under {str(folder)!r}: run python -m models.data.clues first")
    return found


def train(state: State[Refiner], recipe: Recipe, clues: Sequence[Path], *, scan_every: int) -> Iterator[dict[str, Any]]:
    """Step until the recipe's end, yielding each step's record; `state` moves along."""
    folders = scan(clues)
    while state.step < recipe.steps:
        if state.step % scan_every == 0:
            folders = scan(clues)
        began, step = time.monotonic(), state.step
        losses = take_step(state, recipe, folders)
        yield {"step": step, **losses, "sec": time.monotonic() - began}


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.training.train_refiner", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint and the records")
    parser.add_argument("--clues", type=Path, nargs="+", required=True, help="folders of models.data.clues")
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--threads", type=int, default=1, help="of torch (default %(default)s)")
    parser.add_argument("--scan_every", type=int, default=100, help="steps between scans of the folder")
    parser.add_argument("--save_every", type=int, default=100, help="steps between checkpoints")
    args = parser.parse_args(arguments)
    recipe = Recipe(**{name: getattr(args, name) for name in asdict(Recipe())})
    torch.set_num_threads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    (args.run / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1) + "\n", encoding="utf-8")
    state = load_state(Refiner, args.run / "checkpoint.pt", recipe)
    keep(state, train(state, recipe, args.clues, scan_every=args.scan_every), args.run, PARTS, args.save_every)
    plot(args.run / "losses.jsonl", args.run / "losses.png", ["loss", "given"], "weighted cross entropy + soft IoU")
    sys.stdout.write(f"{state.step} steps\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
