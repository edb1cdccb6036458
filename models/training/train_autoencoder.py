"""Trains the autoencoder on crops of pictures; goes on from its checkpoint where there is one.

    python -m models.training.train_autoencoder --run DIR --photos DIR [DIR ...] --cutouts DIR --rooms DIR --steps 4000
    python -m models.training.train_autoencoder --run DIR2 --start DIR --guided true ...

The first line trains both halves. The second keeps the encoder of a finished run and trains the decoder further, with
masks and masked pictures beside the latents: the outpainting decoder. Latents are disturbed there, as those that a
generator makes will be, so the decoder learns to take colours over from what is known.

RUN gets `checkpoint.pt`, `losses.jsonl`, `losses.png`, `samples/<step>.png` (held-out pictures above their
reconstructions) and at the end `model/`: the averaged weights with their card. The same files, seed and thread count
give the same losses, interrupted or not.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.autoencoder import Autoencoder, joined
from models.checkpoint import Card, read_card, read_checkpoint, write_checkpoint
from models.command import told
from models.training.features import Features
from models.training.masking import draw_known
from models.training.pictures import Pictures, find_pictures
from models.training.runs import Records, average_into, load, plot, save
from models.training.sheets import write_sheet

_BEGIN = 256  # crops whose cells the linear maps begin with


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, but for the data.

    Attributes:
        steps: optimiser steps in all.
        batch: crops a step.
        side: pixels of a crop's sides, divisible by 16.
        guided: whether the decoder alone is trained, with masks.
        noise: greatest disturbance of a latent, in standard deviations of its channel.
        spread: how far channels keep their weight in the picture as their latents' deviation, see
            `Autoencoder.normalise`.
        linear_rate: rate of the linear maps, as a share of `rate`. They begin at their best; optimisers that move every
            weight alike spoil them within a few steps.
        features, gradients: what those losses weigh beside the mean absolute difference.
        fall: share of the steps over which the rate falls to nothing.
        average: decay of the weights' moving average.
        bf16: whether layers run in bfloat16; worth it where the processor has instructions for it, ruinous elsewhere.
    """

    steps: int = 4000
    batch: int = 8
    side: int = 128
    guided: bool = False
    noise: float = 0.1
    spread: float = 0.5
    features: float = 0.05
    gradients: float = 1.0
    rate: float = 5e-4
    linear_rate: float = 0.02
    weight_decay: float = 0.0
    warm_steps: int = 100
    fall: float = 0.4
    average: float = 0.995
    bf16: bool = False
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The rate of `step` as a share of `rate`."""
        left = (self.steps - step) / max(1.0, self.steps * self.fall)
        return min(1.0, (step + 1) / self.warm_steps, left)


@dataclass
class State:
    """What a checkpoint holds."""

    network: Autoencoder
    average: Autoencoder
    optimizer: torch.optim.Optimizer
    step: int = 0

    def held(self) -> dict[str, Any]:
        """For `models.training.runs.save`."""
        parts = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer")}
        return {**parts, "step": self.step}


def new_state(recipe: Recipe, start: Path | None, pictures: Pictures) -> State:
    """The state before the first step; `start` is a finished run's `model` folder, whose weights are taken over."""
    torch.manual_seed(recipe.seed)
    network = Autoencoder()
    if start is not None:
        network.load_state_dict(read_checkpoint(start, "autoencoder").tensors)
    else:
        drawn = (pictures.crop(recipe.seed, number, recipe.side) for number in range(_BEGIN))
        network.begin_linear(to_unit(np.stack(list(drawn))))
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.encoder.requires_grad_(not recipe.guided)
    trained = [(".linear." in name, each) for name, each in network.named_parameters() if each.requires_grad]
    groups = [
        {"params": [each for linear, each in trained if linear is kind], "share": share}
        for kind, share in ((False, 1.0), (True, recipe.linear_rate))
    ]
    optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.95), weight_decay=recipe.weight_decay)
    return State(network, deepcopy(network).eval(), optimizer)


def load_state(path: Path, recipe: Recipe, start: Path | None, pictures: Pictures) -> State:
    """The state of a checkpoint, or a new one where there is none."""
    state, held = new_state(recipe, start, pictures), load(path)
    if held is not None:
        for name in ("network", "average", "optimizer"):
            getattr(state, name).load_state_dict(held[name])
        state.step = held["step"]
    return state


def crops(pictures: Pictures, recipe: Recipe, first: int) -> Tensor:
    """The batch of crops from number `first` on, float32 [B, 3, H, W] in [-1, 1]."""
    drawn = [pictures.crop(recipe.seed, first + number, recipe.side) for number in range(recipe.batch)]
    return to_unit(np.stack(drawn))


def to_unit(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> Tensor:
    """uint8 [B, H, W, 3] -> float32 [B, 3, H, W] in [-1, 1]."""
    unit = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    return unit.contiguous(memory_format=torch.channels_last)


def masks(recipe: Recipe, first: int) -> Tensor:
    """What is known of each crop, float32 [B, 1, H, W]; nothing, where the decoder is not guided."""
    if not recipe.guided:
        return torch.zeros(recipe.batch, 1, recipe.side, recipe.side)
    rngs = (np.random.Generator(np.random.Philox(key=[recipe.seed + 1, first + n])) for n in range(recipe.batch))
    return torch.from_numpy(np.stack([draw_known(rng, recipe.side) for rng in rngs])[:, None])


def disturbed(latents: Tensor, recipe: Recipe, step: int) -> Tensor:
    """Latents as a generator would make them: noise in every cell and, for a guided decoder, a shift of the whole."""
    generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
    spread = latents.detach().std(dim=(0, 2, 3), keepdim=True)
    amount = torch.rand(len(latents), 1, 1, 1, generator=generator) * recipe.noise * spread
    noise = torch.randn(latents.shape, generator=generator)
    if recipe.guided:
        noise = noise + torch.randn(*latents.shape[:2], 1, 1, generator=generator)
    return latents + amount * noise


def loss_of(painted: Tensor, truth: Tensor, recipe: Recipe, features: Features | None) -> Tensor:
    """Mean absolute difference of colours, of their differences at three scales, and of features; a scalar."""
    whole = functional.l1_loss(painted, truth)
    here, there = painted, truth
    for _ in range(3):
        for axis in (2, 3):
            whole = whole + recipe.gradients / 3 * functional.l1_loss(here.diff(dim=axis), there.diff(dim=axis))
        here, there = functional.avg_pool2d(here, 2), functional.avg_pool2d(there, 2)
    if features is not None:
        pairs = zip(features(painted), features(truth), strict=True)
        whole = whole + recipe.features * sum(
            (functional.l1_loss(mine, true) for mine, true in pairs), start=torch.zeros(())
        )
    return whole


def take_step(state: State, recipe: Recipe, pictures: Pictures, features: Features | None) -> float:
    """One optimiser step; its loss."""
    for group in state.optimizer.param_groups:
        group["lr"] = recipe.rate * recipe.rate_at(state.step) * group["share"]
    first = state.step * recipe.batch
    truth, known = crops(pictures, recipe, first), masks(recipe, first)
    with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bf16):
        latents = state.network.encoder(truth)
        painted = state.network.decoder(disturbed(latents, recipe, state.step), truth, known)
        loss = loss_of(joined(painted.float(), truth, known), truth, recipe, features)
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), 1.0)
    state.optimizer.step()
    average_into(state.average, state.network, state.step, recipe.average)
    state.step += 1
    return float(loss.detach())


def train(state: State, recipe: Recipe, pictures: Pictures) -> Iterator[dict[str, Any]]:
    """Step until the recipe's end, yielding each step's record; `state` moves along."""
    features = Features() if recipe.features > 0 else None
    while state.step < recipe.steps:
        began, step = time.monotonic(), state.step
        loss = take_step(state, recipe, pictures, features)
        yield {"step": step, "loss": loss, "sec": time.monotonic() - began}


@torch.no_grad()
def measure(network: Autoencoder, pictures: Pictures, recipe: Recipe, batches: int = 4) -> dict[str, float]:
    """PSNR in dB on held-out crops: of the whole picture, of what the decoder's linear part alone answers and, for a
    guided decoder, of what it did not know."""
    errors: dict[str, list[float]] = {"psnr_db": [], "linear_part_psnr_db": [], "unknown_psnr_db": []}
    for number in range(batches):
        truth, known = crops(pictures, recipe, number * recipe.batch), masks(recipe, number * recipe.batch)
        latents = network.encoder(truth)
        square = _square_error(network.decoder(latents, truth, known), truth)
        errors["psnr_db"].append(float(square.mean()))
        errors["unknown_psnr_db"].append(float((square * (1 - known)).sum() / (1 - known).sum().clamp(min=1)))
        errors["linear_part_psnr_db"].append(float(_square_error(network.decoder.linear_part(latents), truth).mean()))
    if not recipe.guided:
        del errors["unknown_psnr_db"]
    return {name: float(-10 * np.log10(np.mean(values))) for name, values in errors.items()}


def _square_error(painted: Tensor, truth: Tensor) -> Tensor:
    """Of pictures in [-1, 1], in shares of the whole range, a mean over the colours: [B, 1, H, W]."""
    return ((painted.clamp(-1, 1) - truth) / 2).square().mean(1, keepdim=True)


@torch.no_grad()
def sheet(network: Autoencoder, pictures: Pictures, recipe: Recipe, target: Path) -> None:
    """Held-out crops, what is known of them where that counts, and how they come back: rows of a PNG."""
    truth, known = crops(pictures, recipe, 0), masks(recipe, 0)
    painted = joined(network.decoder(network.encoder(truth), truth, known), truth, known)
    shown = [truth, truth * known, painted] if recipe.guided else [truth, painted]
    write_sheet([[to_bytes(picture) for picture in row] for row in shown], target)


def to_bytes(picture: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """float32 [3, H, W] in [-1, 1] -> uint8 [H, W, 3]."""
    return ((picture.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()


@torch.no_grad()
def normalise(network: Autoencoder, pictures: Pictures, recipe: Recipe, batches: int = 8) -> None:
    """Let the latents of training pictures have mean 0 and, over the channels, variance 1."""
    cells = [network.encoder(crops(pictures, recipe, number * recipe.batch)) for number in range(batches)]
    latents = torch.cat(cells).transpose(0, 1).flatten(1)
    network.normalise(latents.mean(1), latents.std(1), recipe.spread)


def finish(state: State, recipe: Recipe, own: Pictures, held_out: Pictures, args: argparse.Namespace) -> Card:
    """Write `model/`: the averaged weights, and what they are."""
    network = deepcopy(state.average)
    if not recipe.guided:
        normalise(network, own, recipe)
    data: dict[str, Any] = {"photos": len(own.photos), "cutouts": len(own.cutouts), "rooms": len(own.rooms)}
    if recipe.guided and args.start:
        data["encoder_of"] = read_card(args.start).sha256
    return write_checkpoint(
        args.run / "model",
        dict(network.state_dict()),
        kind="autoencoder",
        spec=asdict(network.spec),
        recipe=asdict(recipe),
        data={**data, "licence": args.licence},
        metrics=measure(network, held_out, recipe),
    )


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.train_autoencoder", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint and the records")
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="folders of photographs")
    parser.add_argument("--cutouts", type=Path, help="folder of models.data.cutouts")
    parser.add_argument("--rooms", type=Path, help="folder of photographs of rooms")
    parser.add_argument("--licence", default="not stated", help="of the pictures, for the card")
    parser.add_argument("--start", type=Path, help="a finished run's `model`, whose weights are taken over")
    for name, value in asdict(Recipe()).items():
        kind = _truth if isinstance(value, bool) else type(value)
        parser.add_argument(f"--{name}", type=kind, default=value)
    parser.add_argument("--threads", type=int, default=1, help="of torch (default %(default)s)")
    parser.add_argument("--save_every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--sheet_every", type=int, default=500, help="steps between sheets of samples")
    return parser.parse_args(arguments)


def _truth(word: str) -> bool:
    return {"true": True, "false": False}[word.lower()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    args = _arguments(arguments)
    recipe = Recipe(**{name: getattr(args, name) for name in asdict(Recipe())})
    own, held_out = (find_pictures(args.photos, args.cutouts, args.rooms, split) for split in ("train", "held_out"))
    torch.set_num_threads(args.threads)
    (args.run / "samples").mkdir(parents=True, exist_ok=True)
    state = load_state(args.run / "checkpoint.pt", recipe, args.start, own)
    with Records(args.run / "losses.jsonl", state.step) as records:
        for record in train(state, recipe, own):
            records.add(record)
            last = state.step == recipe.steps
            if state.step % args.save_every == 0 or last:
                save(state.held(), args.run / "checkpoint.pt")
            if state.step % args.sheet_every == 0 or last:
                sheet(state.average, held_out, recipe, args.run / "samples" / f"{state.step:06d}.png")
    card = finish(state, recipe, own, held_out, args)
    plot(args.run / "losses.jsonl", args.run / "losses.png", ("loss",), "loss: colours, gradients, features")
    sys.stdout.write(f"{state.step} steps: {args.run / 'model'} {dict(card.metrics)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
