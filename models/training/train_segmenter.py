"""Trains the segmenter on composed pictures; goes on from its checkpoint where there is one.

    python -m models.training.train_segmenter --run DIR --cutouts DIR --renders DIR --rooms DIR --street DIR \
        --garments DIR --steps 2000 [--start models/weights/product_segmenter/product_segmenter.onnx]

RUN gets `checkpoint.pt` (network, average, optimiser, step), `losses.jsonl` and `losses.png`. The rate warms up, stays,
and falls to nothing over the last third, which sees the pictures at full size; so a run may be made longer by
starting it again with more `--steps` before that part. The folders are read anew every `--scan_every` steps. The same
files, seed and thread count give the same losses, interrupted or not. `--start` goes on from an exported network, such
as the one that ships. `models.export.segmenter` takes it on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.command import told
from models.data.training_set import Folders, TrainingSet, scan
from models.training.losses import matte_loss
from models.training.network import Segmenter, new_segmenter
from models.training.runs import average_into, keep, plot, restore
from models.training.unfolding import load_shipped


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, but for the data.

    Attributes:
        steps: optimiser steps in all.
        batch: pictures a step.
        side, final_side: pixels of a picture's sides, before and during the fall of the rate.
        rate: AdamW's rate for new layers; `encoder_share` of it for the encoder's.
        fall: share of the steps over which the rate falls.
        average: decay of the weights' moving average, reached after as many steps as it spans.
    """

    steps: int = 2000
    batch: int = 8
    side: int = 256
    final_side: int = 320
    rate: float = 1.5e-3
    encoder_share: float = 0.25
    weight_decay: float = 0.02
    warm_steps: int = 50
    fall: float = 0.33
    average: float = 0.995
    seed: int = 0

    def falls_from(self) -> int:
        """The step from which the rate falls."""
        return round(self.steps * (1 - self.fall))

    def rate_at(self, step: int) -> float:
        """The rate of `step` as a share of `rate`."""
        left = (self.steps - step) / max(1, self.steps - self.falls_from())
        return min(1.0, (step + 1) / self.warm_steps, left)

    def side_at(self, step: int) -> int:
        """The side of `step`'s pictures."""
        return self.side if step < self.falls_from() else self.final_side


_PARTS = ("network", "average", "optimizer")


@dataclass
class State:
    """What a checkpoint holds."""

    network: Segmenter
    average: Segmenter
    optimizer: torch.optim.Optimizer
    step: int = 0


def new_state(recipe: Recipe, network: Segmenter | None = None) -> State:
    """The state before the first step: of a new network, or of `network`."""
    torch.manual_seed(recipe.seed)
    network = (network or new_segmenter()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    encoder = [p for p in network.blocks.parameters() if p.requires_grad]
    known = {id(p) for p in encoder}
    fresh = [p for p in network.parameters() if p.requires_grad and id(p) not in known]
    groups = [{"params": fresh, "share": 1.0}, {"params": encoder, "share": recipe.encoder_share}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.95), weight_decay=recipe.weight_decay)
    return State(network, deepcopy(network).eval(), optimizer)


def load_state(path: Path, recipe: Recipe, network: Segmenter | None = None) -> State:
    """The state of a checkpoint, or a new one where there is none."""
    state = new_state(recipe, network)
    restore(state, path, _PARTS)
    return state


def batch_of(data: TrainingSet, recipe: Recipe, step: int) -> tuple[Tensor, Tensor, Tensor]:
    """(images, alpha, weight) of a step: float32 [B, 3 or 1, H, W]."""
    numbers = range(step * recipe.batch, (step + 1) * recipe.batch)
    samples = [data.draw(recipe.seed, number, recipe.side_at(step)) for number in numbers]
    images = torch.from_numpy(np.stack([sample.pixels for sample in samples])).float().permute(0, 3, 1, 2)
    alpha, weight = (
        torch.from_numpy(np.stack([getattr(sample, name) for sample in samples]))[:, None]
        for name in ("alpha", "weight")
    )
    return images.contiguous(memory_format=torch.channels_last), alpha, weight


def take_step(state: State, recipe: Recipe, data: TrainingSet) -> float:
    """One optimiser step; its loss."""
    for group in state.optimizer.param_groups:
        group["lr"] = recipe.rate * group["share"] * recipe.rate_at(state.step)
    images, alpha, weight = batch_of(data, recipe, state.step)
    state.network.train()
    loss = matte_loss(state.network(images), alpha, weight)
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), 5.0)
    state.optimizer.step()
    average_into(state.average, state.network, state.step, recipe.average)
    state.step += 1
    return float(loss.detach())


def train(state: State, recipe: Recipe, folders: Folders, *, scan_every: int) -> Iterator[dict[str, Any]]:
    """Step until the recipe's end, yielding each step's record; `state` moves along."""
    data = scan(folders)
    while state.step < recipe.steps:
        if state.step % scan_every == 0:
            data = scan(folders, data.rooms)
        began, step, side = time.monotonic(), state.step, recipe.side_at(state.step)
        loss = take_step(state, recipe, data)
        yield {"step": step, "loss": loss, "side": side, "sec": time.monotonic() - began}


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.train_segmenter", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint and the records")
    parser.add_argument("--cutouts", type=Path, required=True)
    for name in ("renders", "rooms", "street", "garments"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--start", type=Path, help="an exported network to go on from; default: ImageNet's encoder")
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--threads", type=int, default=1, help="of torch (default %(default)s)")
    parser.add_argument("--scan_every", type=int, default=100, help="steps between scans of the folders")
    parser.add_argument("--save_every", type=int, default=100, help="steps between checkpoints")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    args = _arguments(arguments)
    recipe = Recipe(**{name: getattr(args, name) for name in asdict(Recipe())})
    folders = Folders(args.cutouts, args.renders, args.rooms, args.street, args.garments)
    torch.set_num_threads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    checkpoint = args.run / "checkpoint.pt"
    told = asdict(recipe)
    network = None
    if args.start:
        network = load_shipped(args.start, batch_of(scan(folders), recipe, 0)[0])
        told["start"] = sha256(args.start.read_bytes()).hexdigest()
    (args.run / "recipe.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    state = load_state(checkpoint, recipe, network)
    keep(state, train(state, recipe, folders, scan_every=args.scan_every), args.run, _PARTS, args.save_every)
    plot(args.run / "losses.jsonl", args.run / "losses.png", ["loss"], "weighted cross entropy + soft IoU")
    sys.stdout.write(f"{state.step} steps: {checkpoint}\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
