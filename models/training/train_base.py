"""Trains the base, or a variant of it, on packed latents; goes on from its checkpoint where there is one.

    python -m models.training.train_base --run DIR --packed DIR --autoencoder DIR --steps 20000
    python -m models.training.train_base --run DIR2 --packed DIR --start DIR/model --variants background --steps 2000
    python -m models.training.train_base --run DIR3 --packed DIR --start DIR/model --variants outpaint --lora 16 ...
    torchrun --nproc_per_node 8 -m models.training.train_base --run DIR --packed DIR --bf16 true ...

The first line trains one network on every task, the second a variant: the same network and script, other data; the
third a variant as a low-rank delta, whose `model/` is small and belongs to that base alone. Stages go from small to
large pictures (`--stages`), editing tasks are there from the first step. `accelerate` brings the same script to one GPU
and to many.

RUN gets `state/` (to go on from), `losses.jsonl`, `losses.png`, `samples/<step>.png` (held-out pairs: what is given,
what the average of the weights paints, what was asked) and at the end `model/`: the averaged weights with their card.
The same packed files, seed, processes and thread count give the same losses, interrupted or not.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from models.autoencoder import Autoencoder, joined, read_autoencoder
from models.canvas import Canvas, read_canvas
from models.checkpoint import write_checkpoint
from models.deltas import KIND, add_delta, delta_of
from models.registry import SPECS, VARIANTS, Sampling
from models.sampling import draw_noise, mixed, sample, shifted
from models.training.packing import Packed, read_facts, unit
from models.training.runs import Records, average_into, plot
from models.training.sheets import write_sheet
from models.training.train_autoencoder import to_bytes
from transforms.errors import ConfigError

_KNOWN_WEIGHT = 0.2  # of a cell that was given: the decoder joins it anyway
_HELD_OUT_BATCHES = 4


class Stage(NamedTuple):
    """A part of the training: pictures with shorter sides within least..most, its share of the steps, its batch."""

    least: int
    most: int
    share: float
    batch: int


def parse_stages(text: str) -> tuple[Stage, ...]:
    """`least-most:share:batch`, comma-separated.

    >>> parse_stages("0-320:1:16")
    (Stage(least=0, most=320, share=1.0, batch=16),)
    """
    try:
        parts = [part.split(":") for part in text.split(",")]
        return tuple(
            Stage(int(sides.split("-")[0]), int(sides.split("-")[1]), float(share), int(batch))
            for sides, share, batch in parts
        )
    except (ValueError, IndexError) as error:
        raise ConfigError(f"stages {text!r} are not least-most:share:batch, comma-separated") from error


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, but for the data.

    Attributes:
        spec: a name in `models.registry.SPECS`.
        variants: tasks, comma-separated; "all" is the base's mixture.
        steps: optimiser steps in all.
        stages: see `parse_stages`.
        shift: of the timesteps that are trained, towards noise.
        drop: how often a pair goes without its words; half as often without anything.
        fall: share of the steps over which the rate falls to nothing.
        average: decay of the weights' moving average.
        bf16: whether layers run in bfloat16.
        lora: rank of the delta on `--start` that alone is trained; 0 trains the whole network.
    """

    spec: str = "canvas-s"
    variants: str = "all"
    steps: int = 2000
    stages: str = "0-320:1:16"
    shift: float = 2.0
    drop: float = 0.15
    rate: float = 4e-4
    weight_decay: float = 0.01
    warm_steps: int = 50
    fall: float = 0.3
    average: float = 0.999
    bf16: bool = False
    lora: int = 0
    seed: int = 0

    def tasks(self) -> tuple[str, ...]:
        """The variants that are trained."""
        return tuple(VARIANTS) if self.variants == "all" else tuple(self.variants.split(","))

    def rate_at(self, step: int) -> float:
        """The rate of `step` as a share of `rate`."""
        left = (self.steps - step) / max(1.0, self.steps * self.fall)
        return min(1.0, (step + 1) / self.warm_steps, left)

    def stage_at(self, step: int) -> Stage:
        """The stage that `step` belongs to."""
        stages, end = parse_stages(self.stages), 0.0
        total = sum(stage.share for stage in stages)
        for stage in stages:
            end += stage.share / total * self.steps
            if step < end:
                return stage
        return stages[-1]


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


@dataclass
class Data:
    """The packed pairs of each stage, opened when it begins."""

    folder: Path
    tasks: tuple[str, ...]
    opened: dict[Stage, Packed] = field(default_factory=dict)

    def of(self, stage: Stage) -> Packed:
        """The training pairs of `stage`."""
        if stage not in self.opened:
            self.opened[stage] = Packed(self.folder, "train", self.tasks, stage.least, stage.most)
        return self.opened[stage]


def new_state(recipe: Recipe, start: Path | None, accelerator: Accelerator) -> State:
    """The state before the first step; `start` is a finished run's `model` folder, whose weights are taken over."""
    torch.manual_seed(recipe.seed)
    if start is None and recipe.spec not in SPECS:
        raise ConfigError(f"no spec {recipe.spec!r}; known: {', '.join(SPECS)}")
    if start is None and recipe.lora:
        raise ConfigError("--lora trains a delta on a finished base: name its `model` folder with --start")
    network, card = read_canvas(start) if start else (Canvas(SPECS[recipe.spec]), None)
    network.train()
    if recipe.lora:
        add_delta(network, recipe.lora)
    average = deepcopy(network).eval().to(accelerator.device)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.rate, betas=(0.9, 0.95), weight_decay=recipe.weight_decay)
    network, optimizer = accelerator.prepare(network, optimizer)
    state = State(network, average, optimizer, base=card.sha256 if card and recipe.lora else "")
    accelerator.register_for_checkpointing(state)
    return state


def load_state(run: Path, recipe: Recipe, start: Path | None, accelerator: Accelerator) -> State:
    """The state of RUN's checkpoint, or a new one where there is none."""
    state = new_state(recipe, start, accelerator)
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


class Noised(NamedTuple):
    """A batch on its way to noise: latents at a time, the velocity there, and what of the conditions is left."""

    latents: Tensor
    time: Tensor
    velocity: Tensor
    given: Tensor
    known: Tensor
    text: Tensor
    references: Tensor | None

    def to(self, device: torch.device) -> Noised:
        """The same on another device."""
        moved: list[Any] = [None if part is None else part.to(device) for part in self]
        return Noised(*moved)


def noised(batch: dict[str, Tensor], recipe: Recipe, number: int) -> Noised:
    """Draw time and noise of batch `number`, and drop conditions; drawn alike every time."""
    generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + number)
    size = (len(batch["target"]), 1, 1, 1)
    # logit-normal times (Esser et al. 2024): the middle counts most, the shift moves it
    time_B = shifted(torch.sigmoid(torch.randn(size, generator=generator)), recipe.shift)
    noise_BCHW = torch.randn(batch["target"].shape, generator=generator)
    luck = torch.rand(size, generator=generator)
    worded, shown = (luck > recipe.drop).float(), (luck > recipe.drop / 2).float()
    return Noised(
        mixed(batch["target"], noise_BCHW, time_B),
        time_B.flatten(),
        noise_BCHW - batch["target"],
        batch["given"] * shown,
        batch["known"] * shown,
        batch["text"] * worded[..., 0],
        batch["references"] * shown[..., None] if "references" in batch else None,
    )


def loss_of(network: Any, noise: Noised) -> Tensor:
    """Mean squared error of the velocity, most of it where nothing was given; a scalar."""
    answer = network(noise.latents, noise.time, noise.given, noise.known, noise.text, noise.references)
    weight = 1.0 - (1.0 - _KNOWN_WEIGHT) * noise.known
    square = (answer.float() - noise.velocity).square().mean(1, keepdim=True)
    return (square * weight).sum() / weight.sum()


def take_step(state: State, recipe: Recipe, data: Data, accelerator: Accelerator) -> dict[str, Any]:
    """One optimiser step; its record."""
    began, stage = time.monotonic(), recipe.stage_at(state.step)
    for group in state.optimizer.param_groups:
        group["lr"] = recipe.rate * recipe.rate_at(state.step)
    number = state.step * accelerator.num_processes + accelerator.process_index
    batch = data.of(stage).batch(recipe.seed, number, stage.batch)
    drawn = noised(batch, recipe, number).to(accelerator.device)
    with accelerator.autocast():
        loss = loss_of(state.network, drawn)
    accelerator.backward(loss)
    accelerator.clip_grad_norm_(state.network.parameters(), 1.0)
    state.optimizer.step()
    state.optimizer.zero_grad()
    average_into(state.average, accelerator.unwrap_model(state.network), state.step, recipe.average)
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
    for file in range(len(held_out.paths)):
        rows = np.arange(min(4, held_out.counts[file]))
        batch = held_out.rows(file, rows, np.zeros(len(rows), np.int64))
        for number in range(_HELD_OUT_BATCHES):
            drawn = noised(batch, Recipe(drop=0.0, shift=recipe.shift, seed=recipe.seed + 1), number)
            losses.setdefault(held_out.variant(file), []).append(float(loss_of(network, drawn)))
    return {f"{variant}_loss": float(np.mean(values)) for variant, values in losses.items()}


@torch.no_grad()
def paint(network: Canvas, batch: dict[str, Tensor], seeds: Sequence[int], sampling: Sampling, variant: str) -> Tensor:
    """Latents [B, 32, h, w] of a batch of conditions, by the sampler that serves."""
    told = {name: batch.get(name) for name in ("given", "known", "text", "references")}
    untold = {**told, "text": torch.zeros_like(batch["text"])}
    if VARIANTS[variant].drops == "all":
        untold |= {name: torch.zeros_like(batch[name]) for name in ("given", "known")}

    def predict(latents: Tensor, now: float) -> tuple[Tensor, Tensor | None]:
        when = torch.full((len(latents),), now)
        once = sampling.guidance == 1.0
        return network(latents, when, **told), None if once else network(latents, when, **untold)

    noise = torch.from_numpy(np.stack([draw_noise(seed, tuple(batch["target"].shape[1:])) for seed in seeds]))
    how = sampling
    return sample(predict, noise, steps=how.steps, shift=how.shift, guidance=how.guidance, rescale=how.rescale)


@torch.no_grad()
def sheet(network: Canvas, autoencoder: Autoencoder, held_out: Packed, target: Path, each: int) -> None:
    """Held-out pairs of each variant as rows of a PNG: given, painted, asked for; the same pairs and seeds always."""
    lines = []
    for file in range(len(held_out.paths)):
        rows = np.arange(min(each, held_out.counts[file]))
        variant = VARIANTS[held_out.variant(file)]
        batch, pixels = held_out.rows(file, rows, np.zeros(len(rows), np.int64)), held_out.pixels(file, rows)
        given, known = unit(pixels["given_pixels"]), torch.from_numpy(pixels["known_pixels"])[:, None].float() / 255
        known = known if variant.keeps else torch.zeros_like(known)
        seeds = [int(row) for row in rows]
        latents = paint(network, batch, seeds, Sampling(guidance=variant.guidance), variant.name)
        painted = joined(autoencoder.decoder(latents, given, known), given, known)
        triples = zip(given, painted, unit(pixels["target_pixels"]), strict=True)
        lines.append([to_bytes(picture) for triple in triples for picture in triple])
    write_sheet(lines, target)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.train_base", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint and the records")
    parser.add_argument("--packed", type=Path, required=True, help="folder of models.training.pack_latents")
    parser.add_argument("--autoencoder", type=Path, help="its checkpoint, to look at samples")
    parser.add_argument("--start", type=Path, help="a finished run's `model`, whose weights are taken over")
    for name, value in asdict(Recipe()).items():
        kind = _truth if isinstance(value, bool) else type(value)
        parser.add_argument(f"--{name}", type=kind, default=value)
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
    accelerator = Accelerator(mixed_precision="bf16" if recipe.bf16 else "no")
    (args.run / "samples").mkdir(parents=True, exist_ok=True)
    state = load_state(args.run, recipe, args.start, accelerator)
    held_out = Packed(args.packed, "held_out", recipe.tasks(), 0, recipe.stage_at(0).most)
    autoencoder = read_autoencoder(args.autoencoder)[0] if args.autoencoder else None
    _run(state, recipe, Data(args.packed, recipe.tasks()), held_out, autoencoder, accelerator, args)
    if accelerator.is_main_process:
        finish(state, recipe, held_out, args)
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
    with Records(args.run / "losses.jsonl", state.step) as records:
        for record in train(state, recipe, data, accelerator):
            last = state.step == recipe.steps
            if accelerator.is_main_process:
                records.add(record)
                if autoencoder is not None and (state.step % args.sheet_every == 0 or last):
                    own = deepcopy(state.average).cpu()
                    sheet(own, autoencoder, held_out, args.run / "samples" / f"{state.step:06d}.png", args.sheet_rows)
            if state.step % args.save_every == 0 or last:
                save_state(args.run, accelerator)


def finish(state: State, recipe: Recipe, held_out: Packed, args: argparse.Namespace) -> None:
    """Write `model/`, its curve, and say where."""
    network = deepcopy(state.average).cpu()
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
    sys.exit(main())
