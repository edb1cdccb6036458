"""Trains the reward on defects of known kind and strength; goes on from its checkpoint where there is one.

    python -m models.training.train_reward --run DIR --cutouts DIR [--rooms DIR] [--without smeared seam]

RUN gets `bank.npz` and `held_out.npz` (clean compositions, made once, of different products), `checkpoint.pt`
(network, average, optimiser, step), `losses.jsonl`, `losses.png` and `recipe.json`. Kinds named with `--without` are
never shown: what the model says of them is what it may say of defects that nobody thought of.
`models.export.reward` calibrates and takes the run on.
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

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.command import told
from models.data.defects import KINDS
from models.data.reward_bank import draw, files_of, make_bank
from models.data.training_set import read_rooms
from models.reward import Reward
from models.training.runs import average_into, keep, plot, restore
from transforms.errors import ConfigError


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, but for the pictures.

    Attributes:
        compositions: clean ones that defects are made in; a third as many are held out.
        steps: optimiser steps in all.
        batch: pairs a step.
        width: channels after the network's first stage.
        rate: AdamW's, warmed up over `warm_steps`, then falling along a cosine to nothing.
        average: decay of the weights' moving average.
    """

    compositions: int = 600
    steps: int = 800
    batch: int = 24
    width: int = 24
    rate: float = 2e-3
    weight_decay: float = 0.02
    warm_steps: int = 50
    average: float = 0.99
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The rate of `step`."""
        return float(self.rate * min(1.0, (step + 1) / self.warm_steps) * 0.5 * (1 + np.cos(np.pi * step / self.steps)))


_PARTS = ("network", "average", "optimizer")


@dataclass
class State:
    """What a checkpoint holds."""

    network: Reward
    average: Reward
    optimizer: torch.optim.Optimizer
    step: int = 0


def load_state(path: Path, recipe: Recipe) -> State:
    """The state of a checkpoint, or a new one where there is none."""
    torch.manual_seed(recipe.seed)
    network = Reward(recipe.width).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=recipe.rate, betas=(0.9, 0.95), weight_decay=recipe.weight_decay
    )
    state = State(network, deepcopy(network).eval(), optimizer)
    restore(state, path, _PARTS)
    return state


def batch_of(bank: NDArray[np.uint8], recipe: Recipe, step: int, kinds: Sequence[str]) -> tuple[Tensor, Tensor]:
    """(pairs uint8 [B, 160, 160, 7], truth float32 [B, 2]) of a step."""
    numbers = range(step * recipe.batch, (step + 1) * recipe.batch)
    samples = [draw(bank, recipe.seed, number, kinds) for number in numbers]
    return torch.from_numpy(np.stack([sample.planes for sample in samples])), torch.tensor([s.truth for s in samples])


def loss_of(logits: Tensor, truth: Tensor) -> Tensor:
    """Mean cross entropy of both heads, each over the pictures without a defect of the other's; a scalar.

    A sample has one defect at most. Were all of them counted, a head would lower its loss by seeing the other's
    defects, and calling those pictures sound, instead of looking for its own.

    Args:
        logits: float32 [B, 2].
        truth: float32 [B, 2], 0 or 1.
    """
    counted = 1 - truth.flip(1)
    losses = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return (losses * counted).sum() / counted.sum().clamp(min=1)


def take_step(state: State, recipe: Recipe, bank: NDArray[np.uint8], kinds: Sequence[str]) -> float:
    """One optimiser step; see `loss_of` for what it returns."""
    for group in state.optimizer.param_groups:
        group["lr"] = recipe.rate_at(state.step)
    pairs, truth = batch_of(bank, recipe, state.step, kinds)
    state.network.train()
    loss = loss_of(state.network.logits(pairs), truth)
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), 2.0)
    state.optimizer.step()
    average_into(state.average, state.network, state.step, recipe.average)
    state.step += 1
    return float(loss.detach())


def train(state: State, recipe: Recipe, bank: NDArray[np.uint8], kinds: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Step until the recipe's end, yielding each step's record; `state` moves along."""
    while state.step < recipe.steps:
        began, step = time.monotonic(), state.step
        loss = take_step(state, recipe, bank, kinds)
        yield {"step": step, "loss": loss, "sec": time.monotonic() - began}


def read_bank(path: Path, args: argparse.Namespace, recipe: Recipe, *, held_out: bool) -> NDArray[np.uint8]:
    """The compositions kept at `path`, made where they are not.

    Raises:
        ConfigError: they were made by another recipe, which the card would then misquote.
    """
    count, seed = (recipe.compositions // 3, recipe.seed + 1) if held_out else (recipe.compositions, recipe.seed)
    if not path.exists():
        files = files_of(args.cutouts, held_out=held_out)
        bank = make_bank(files, read_rooms(args.rooms), count, seed)
        np.savez_compressed(path, bank=bank, asked=np.array([count, seed]))
    kept = np.load(path)
    if "asked" in kept and kept["asked"].tolist() != [count, seed]:
        made = "{} compositions of seed {}".format(*kept["asked"])
        raise ConfigError(f"{str(path)!r} holds {made}, not {count} of {seed}: say so, or name another --run")
    return np.asarray(kept["bank"])


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.train_reward", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint and the records")
    parser.add_argument("--cutouts", type=Path, required=True, help="of models.data.cutouts")
    parser.add_argument("--rooms", type=Path, help="photographs of rooms")
    parser.add_argument("--without", nargs="*", default=[], help=f"kinds never shown, of {', '.join(KINDS)}")
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--threads", type=int, default=1, help="of torch (default %(default)s)")
    parser.add_argument("--save_every", type=int, default=100, help="steps between checkpoints")
    return parser.parse_args(arguments)


def kinds_without(left_out: Sequence[str]) -> tuple[str, ...]:
    """The kinds of defect that are shown.

    Raises:
        ConfigError: an unknown kind, or a head is left without any.
    """
    unknown = [kind for kind in left_out if kind not in KINDS]
    if unknown:
        raise ConfigError(f"--without: no kind {unknown[0]!r}; there are {', '.join(KINDS)}")
    kinds = tuple(kind for kind in KINDS if kind not in left_out)
    if len({KINDS[kind][0] for kind in kinds}) < 2:
        raise ConfigError("--without: leave each of product and background at least one kind")
    return kinds


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    args = _arguments(arguments)
    recipe = Recipe(**{field.name: getattr(args, field.name) for field in fields(Recipe)})
    kinds = kinds_without(args.without)
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    bank = read_bank(args.run / "bank.npz", args, recipe, held_out=False)
    read_bank(args.run / "held_out.npz", args, recipe, held_out=True)
    told = {"recipe": asdict(recipe), "without": list(args.without), "compositions": len(bank)}
    (args.run / "recipe.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    state = load_state(args.run / "checkpoint.pt", recipe)
    keep(state, train(state, recipe, bank, kinds), args.run, _PARTS, args.save_every)
    plot(args.run / "losses.jsonl", args.run / "losses.png", ["loss"], "cross entropy of both heads")
    sys.stdout.write(f"{state.step} steps: {args.run / 'checkpoint.pt'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
