"""Trains the base, or a variant of it, on packed latents; goes on from its checkpoint where there is one.

    python -m models.training.train_base --run DIR --packed DIR --autoencoder DIR --steps 20000
    python -m models.training.train_base --run DIR2 --packed DIR --start DIR/model --variants background --steps 2000
    python -m models.training.train_base --run DIR3 --packed DIR --start DIR/model --variants outpaint --lora 16 ...
    torchrun --nproc_per_node 8 -m -- models.training.train_base --run DIR --packed DIR --bf16 true ...

The first line trains one network on every task, the second a variant: the same network and script, other data; the
third a variant as a low-rank delta, whose `model/` is small and belongs to that base alone. Stages go from small to
large pictures (`--stages`), editing tasks are there from the first step. `accelerate` brings the same script to one GPU
and to many; with `--sharded true` each process keeps a part of the weights (`models.training.processes`).

RUN gets `checkpoint.pt` (to go on from), `losses.jsonl`, `losses.png`, `samples/<step>.png` (held-out pairs: what is
given, what the average of the weights paints, what was asked) and at the end `model/`: the averaged weights with their
card; the main process alone writes. The same packed files, seed, processes and thread count give the same losses,
interrupted or not.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

from models.autoencoder import Autoencoder, read_autoencoder
from models.canvas import Canvas
from models.checkpoint import write_checkpoint
from models.command import told
from models.deltas import KIND, delta_of
from models.registry import VARIANTS
from models.training.base_recipe import Recipe, Stage
from models.training.base_state import State, load_state, save_state
from models.training.noising import loss_of, noised
from models.training.packing import Packed, read_facts
from models.training.processes import accelerator_of, zero_unused
from models.training.runs import Records, average_into, plot
from models.training.samples import sheet
from transforms.errors import ConfigError

_HELD_OUT_BATCHES = 4


@dataclass
class Data:
    """The packed pairs of each stage, opened when it begins."""

    folders: tuple[Path, ...]
    tasks: tuple[str, ...]
    opened: dict[Stage, Packed] = field(default_factory=dict)

    def of(self, stage: Stage) -> Packed:
        """The training pairs of `stage`."""
        if stage not in self.opened:
            self.opened[stage] = Packed(self.folders, "train", self.tasks, stage.least, stage.most)
        return self.opened[stage]


def take_step(state: State, recipe: Recipe, data: Data, accelerator: Accelerator) -> dict[str, Any]:
    """One optimiser step; its record."""
    began, stage = time.monotonic(), recipe.stage_at(state.step)
    for group in state.optimizer.param_groups:
        group["lr"] = recipe.rate * recipe.rate_at(state.step)
    number = state.step * accelerator.num_processes + accelerator.process_index
    task, batch = data.of(stage).batch(recipe.seed, number, stage.batch)
    drawn = noised(task, batch, recipe, number).to(accelerator.device)
    with accelerator.autocast():
        loss = loss_of(state.network, drawn)
    accelerator.backward(loss)
    zero_unused(state.network)
    accelerator.clip_grad_norm_(state.network.parameters(), 1.0)
    state.optimizer.step()
    state.optimizer.zero_grad()
    average_into(state.average, state.own, state.step, recipe.average)
    state.step += 1
    mean = float(accelerator.reduce(loss.detach(), "mean"))
    side = batch["target"].shape[2] * 16
    return {"step": state.step - 1, "loss": mean, "height": side, "sec": time.monotonic() - began}


def train(state: State, recipe: Recipe, data: Data, accelerator: Accelerator) -> Iterator[dict[str, Any]]:
    """Step until the recipe's end, yielding each step's record; `state` moves along."""
    state.network.train()
    while state.step < recipe.steps:
        yield take_step(state, recipe, data, accelerator)


@torch.no_grad()
def measure(network: Canvas, held_out: Packed, recipe: Recipe) -> dict[str, float]:
    """The loss of each variant on held-out pairs, at drawn times that never change."""
    losses: dict[str, list[float]] = {}
    how = Recipe(drop=0.0, shift=recipe.shift, seed=recipe.seed + 1)
    for file in range(len(held_out.paths)):
        rows, task = np.arange(min(4, held_out.counts[file])), held_out.variant(file)
        batch = held_out.rows(file, rows, np.zeros(len(rows), np.int64))
        for number in range(_HELD_OUT_BATCHES):
            losses.setdefault(task, []).append(float(loss_of(network, noised(task, batch, how, number))))
    return {f"{variant}_loss": float(np.mean(values)) for variant, values in losses.items()}


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.train_base", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint and the records")
    parser.add_argument("--packed", type=Path, nargs="+", required=True, help="folders of models.training.pack_latents")
    parser.add_argument("--autoencoder", type=Path, help="its checkpoint, to look at samples")
    parser.add_argument("--start", type=Path, help="a finished run's `model`, whose weights are taken over")
    for name, value in asdict(Recipe()).items():
        kind = _truth if isinstance(value, bool) else type(value)
        parser.add_argument(f"--{name}", type=kind, default=value)
    parser.add_argument("--sharded", type=_truth, default=False, help="whether processes keep parts of the weights")
    parser.add_argument("--threads", type=int, default=1, help="of torch on the CPU (default %(default)s)")
    parser.add_argument("--save_every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--sheet_every", type=int, default=500, help="steps between sheets of samples")
    parser.add_argument("--sheet_rows", type=int, default=4, help="held-out pairs a sheet of each packed file")
    return parser.parse_args(arguments)


def _truth(word: str) -> bool:
    return {"true": True, "false": False}[word.lower()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    args = _arguments(arguments)
    recipe = Recipe(**{name: getattr(args, name) for name in asdict(Recipe())})
    unknown = sorted(set(recipe.tasks()) - VARIANTS.keys())
    if unknown:
        raise ConfigError(f"no variant {unknown[0]!r}; known: {', '.join(VARIANTS)}")
    torch.set_num_threads(args.threads)
    accelerator = accelerator_of(recipe.bf16, args.sharded)
    if accelerator.is_main_process:
        (args.run / "samples").mkdir(parents=True, exist_ok=True)
    data = Data(tuple(args.packed), recipe.tasks())
    state = load_state(args.run, recipe, args.start, data.of(recipe.stage_at(0)).moments(recipe.carries), accelerator)
    held_out = Packed(args.packed, "held_out", recipe.tasks(), 0, recipe.stage_at(0).most)
    autoencoder = read_autoencoder(args.autoencoder)[0] if args.autoencoder else None
    _run(state, recipe, data, held_out, autoencoder, accelerator, args)
    averaged = state.averaged(kept=accelerator.is_main_process)
    if averaged is not None:
        finish(averaged, state, recipe, held_out, args)
    accelerator.wait_for_everyone()  # who leaves early may keep the others from closing the group
    accelerator.end_training()
    return 0


def _run(
    state: State,
    recipe: Recipe,
    data: Data,
    held_out: Packed,
    autoencoder: Autoencoder | None,
    accelerator: Accelerator,
    args: argparse.Namespace,
) -> None:
    main_process = accelerator.is_main_process
    with Records(args.run / "losses.jsonl", state.step) if main_process else nullcontext() as records:
        for record in train(state, recipe, data, accelerator):
            last = state.step == recipe.steps
            if records is not None:
                records.add(record)
            if autoencoder is not None and (state.step % args.sheet_every == 0 or last):
                averaged = state.averaged(kept=main_process)
                if averaged is not None:
                    target = args.run / "samples" / f"{state.step:06d}.png"
                    sheet(averaged, autoencoder, held_out, target, args.sheet_rows)
            if state.step % args.save_every == 0 or last:
                save_state(args.run, state, accelerator)


def finish(network: Canvas, state: State, recipe: Recipe, held_out: Packed, args: argparse.Namespace) -> None:
    """Write `network` into `model/`, its curve, and say where."""
    base = {"base": state.base} if recipe.lora else {}
    card = write_checkpoint(
        args.run / "model",
        delta_of(network) if recipe.lora else dict(network.state_dict()),
        kind=KIND if recipe.lora else "canvas",
        spec=asdict(network.spec),
        data={**read_facts(args.packed), **base},
        recipe=asdict(recipe),
        metrics=measure(network, held_out, recipe),
    )
    plot(args.run / "losses.jsonl", args.run / "losses.png", ("loss",), "loss: squared error of the velocity")
    sys.stdout.write(f"{state.step} steps: {args.run / 'model'} {dict(card.metrics)}\n")


if __name__ == "__main__":
    sys.exit(told(main))
