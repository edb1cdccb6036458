"""Trains the stager; goes on from its checkpoint where there is one.

    python -m models.training.train_stager --run DIR --stagings DIR --steps 3000

`--stagings` is a folder of `models.data.stagings`, read anew every `--scan_every` steps. RUN gets `checkpoint.pt`
(network, average, optimiser, step), `losses.jsonl` and `losses.png`. The rate warms up, stays, and falls to nothing
over the last part. The same files, seed and thread count give the same losses, interrupted or not.
`models.export.stager` takes it on.
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

import torch
from torch import Tensor

from models.command import told
from models.stager import Stager, levels_of
from models.training.averaged import PARTS, State, descend, load_state
from models.training.runs import keep, plot
from models.training.staging_set import Batch, draw, scan
from transforms.ops.staging import FLOOR_LEVELS

_SMALL = 6.0  # levels: below, an error counts by its square, so that what cannot be known is answered by its mean
_EDGES = 0.5  # weight of the error's slope: a shadow's edge is seen before its depth


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, but for the data.

    Attributes:
        steps: optimiser steps in all.
        batch: pictures a step.
        rate: AdamW's.
        fall: share of the steps over which the rate falls.
        average: decay of the weights' moving average, reached after as many steps as it spans.
        bf16: whether layers run in bfloat16.
    """

    steps: int = 3000
    batch: int = 8
    rate: float = 2e-3
    weight_decay: float = 0.02
    warm_steps: int = 50
    fall: float = 0.5
    average: float = 0.995
    bf16: bool = False
    seed: int = 0


def loss_of(painted: Tensor, batch: Batch) -> Tensor:
    """How far `painted` [B, 3, H, W] in [0, 255] is from the scene where no product is, a scalar in levels."""
    error = painted - batch.scene
    far = torch.nn.functional.smooth_l1_loss(error, torch.zeros_like(error), beta=_SMALL, reduction="none")
    loss = (far * batch.weight).sum() / (3 * batch.weight.sum())
    for axis in (2, 3):
        length = error.shape[axis] - 1
        both = batch.weight.narrow(axis, 1, length) * batch.weight.narrow(axis, 0, length)
        slope = (error.narrow(axis, 1, length) - error.narrow(axis, 0, length)).abs()
        loss = loss + _EDGES * (slope * both).sum() / (3 * both.sum().clamp(min=1))
    return loss


def take_step(state: State[Stager], recipe: Recipe, batch: Batch) -> dict[str, float]:
    """One optimiser step; its loss, and the loss of the empty set."""
    ground = batch.shown[:, :3]
    state.network.train()
    with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bf16):
        change = state.network(batch.shown)
    loss = loss_of(levels_of(ground, change.float(), FLOOR_LEVELS), batch)
    descend(state, recipe, loss)
    with torch.no_grad():
        given = loss_of(ground, batch)
    return {"loss": float(loss.detach()), "given": float(given)}


def train(state: State[Stager], recipe: Recipe, stagings: Path, *, scan_every: int) -> Iterator[dict[str, Any]]:
    """Step until the recipe's end, yielding each step's record; `state` moves along."""
    files = scan(stagings / "train")
    while state.step < recipe.steps:
        if state.step % scan_every == 0:
            files = scan(stagings / "train")
        began, step = time.monotonic(), state.step
        losses = take_step(state, recipe, draw(files, recipe.seed, step, recipe.batch))
        yield {"step": step, **losses, "sec": time.monotonic() - began}


def _truth(word: str) -> bool:
    return {"true": True, "false": False}[word.lower()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.training.train_stager", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint and the records")
    parser.add_argument("--stagings", type=Path, required=True, help="folder of models.data.stagings")
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name}", type=_truth if isinstance(value, bool) else type(value), default=value)
    parser.add_argument("--threads", type=int, default=1, help="of torch (default %(default)s)")
    parser.add_argument("--scan_every", type=int, default=100, help="steps between scans of the folder")
    parser.add_argument("--save_every", type=int, default=100, help="steps between checkpoints")
    args = parser.parse_args(arguments)
    recipe = Recipe(**{name: getattr(args, name) for name in asdict(Recipe())})
    torch.set_num_threads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    (args.run / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1) + "\n", encoding="utf-8")
    state = load_state(Stager, args.run / "checkpoint.pt", recipe)
    keep(state, train(state, recipe, args.stagings, scan_every=args.scan_every), args.run, PARTS, args.save_every)
    plot(args.run / "losses.jsonl", args.run / "losses.png", ["loss", "given"], "distance from the scene, levels")
    sys.stdout.write(f"{state.step} steps\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
