"""The autoencoder beside others, on held-out pictures: PSNR, and what an image costs on the CPU.

    python benchmarks/autoencoder.py --model RUN/model --photos DIR [DIR ...] [--taesd CHECKOUT] [--sheet FILE.png]

`--taesd` is a checkout of github.com/madebyollin/taesd (MIT): its TAEF2, 8x with 32 channels, is the yardstick: it
keeps four times as many numbers of a picture as ours, 16x with 32 channels. The linear code is ours before its first
step; the linear part is what ours answers without its decoder's network: no worse than the whole means a dead decoder.
`--model RUN/checkpoint.pt` looks at a run that is under way.
For an outpainting decoder, `unknown` is the PSNR of a half beside a known one, from exact latents and from latents that
are disturbed as in its training.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.autoencoder import Autoencoder, read_autoencoder
from models.training.pictures import find_pictures
from models.training.runs import load
from models.training.sheets import write_sheet
from models.training.train_autoencoder import Recipe, disturbed, to_bytes, to_unit
from transforms.errors import ConfigError

Through = Callable[[Tensor], Tensor]
_FITTED = 64  # crops that the linear code is fitted to: as many cells as a training begins with


def load_taesd(checkout: Path) -> Through:
    """TAEF2 of a checkout, pictures [B, 3, H, W] in [-1, 1] there and back."""
    spec = importlib.util.spec_from_file_location("taesd", checkout / "taesd.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.TAESD(str(checkout / "taef2_encoder.pth"), str(checkout / "taef2_decoder.pth")).eval()
    return lambda pictures: network.decoder(network.encoder((pictures + 1) / 2)) * 2 - 1


def through(network: Autoencoder) -> Through:
    """Ours, nothing known."""
    return lambda pictures: network.decoder(network.encoder(pictures), pictures, torch.zeros_like(pictures[:, :1]))


def linear(pictures: Tensor) -> Through:
    """The linear code of principal components that ours begins with, from `pictures`."""
    network = Autoencoder().eval()
    network.begin_linear(pictures)
    return through(network)


def linear_part(network: Autoencoder) -> Through:
    """Ours, its decoder's network left out."""
    return lambda pictures: network.decoder.linear_part(network.encoder(pictures))


def read_model(path: Path) -> tuple[Autoencoder, Mapping[str, Any]]:
    """The averaged weights of a finished run's folder or of a checkpoint under way, and the recipe where it is told."""
    if path.is_dir():
        network, card = read_autoencoder(path)
        return network, card.recipe
    held = load(path)
    if held is None:
        raise ConfigError(f"there is no {str(path)!r}", remedy="name a run's `model` folder or its checkpoint.pt")
    network = Autoencoder()
    network.load_state_dict(held["average"])
    return network.eval(), {}


def decibels(painted: Tensor, truth: Tensor, where: Tensor | None = None) -> float:
    """PSNR of pictures in [-1, 1], over the pixels of `where` [H, W]."""
    square = ((painted.clamp(-1, 1) - truth) / 2).square().mean((0, 1))
    return float(-10 * torch.log10(square.mean() if where is None else square[where].mean()))


@torch.no_grad()
def beside_known(network: Autoencoder, truth: Tensor, noise: float) -> Tensor:
    """Print how a half is decoded beside a known one, from exact latents and from disturbed ones."""
    known = torch.zeros_like(truth[:, :1])
    known[..., :128] = 1
    half, near = known[0, 0] == 0, torch.zeros(256, 256, dtype=torch.bool)
    near[:, 128:136] = True
    exact = network.encoder(truth)
    for name, latents in (("exact", exact), ("disturbed", disturbed(exact, Recipe(guided=True, noise=noise), 0))):
        part = network.decoder.linear_part(latents)
        print(f"unknown, {name} latents, {'by the linear part':21} {decibels(part, truth, half):6.2f} dB, ", end="")
        print(f"8 px at the join {decibels(part, truth, near):6.2f} dB")
        for told, mask in (("alone", torch.zeros_like(known)), ("beside what is known", known)):
            answers = network.decoder(latents, truth, mask)
            print(f"unknown, {name} latents, {told:21} {decibels(answers, truth, half):6.2f} dB, ", end="")
            print(f"8 px at the join {decibels(answers, truth, near):6.2f} dB")
    return answers * (1 - known) + truth * known


@torch.no_grad()
def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python benchmarks/autoencoder.py", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument("--taesd", type=Path)
    parser.add_argument("--count", type=int, default=32, help="held-out crops of 256 x 256 (default %(default)s)")
    parser.add_argument("--sheet", type=Path, help="PNG: truth above every answer")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    own, held_out = (find_pictures(args.photos, None, None, split) for split in ("train", "held_out"))
    truth = to_unit(np.stack([held_out.crop(1, number, 256) for number in range(args.count)]))
    network, recipe = read_model(args.model)
    fitted = to_unit(np.stack([own.crop(2, number, 256) for number in range(_FITTED)]))
    coders = {"linear 16x": linear(fitted), "its linear part": linear_part(network), "ours 16x": through(network)}
    coders |= {"TAEF2 8x": load_taesd(args.taesd)} if args.taesd else {}
    rows = [truth[:6]]
    for name, coder in coders.items():
        began = time.process_time()
        answers = torch.cat([coder(part) for part in truth.split(4)])
        seconds = (time.process_time() - began) / len(truth)
        print(f"{name:15} {decibels(answers, truth):6.2f} dB {seconds:7.3f} CPU s an image of 256 x 256")
        rows.append(answers[:6])
    if recipe.get("guided"):
        rows.append(beside_known(network, truth, float(recipe["noise"]))[:6])
    if args.sheet:
        write_sheet([[to_bytes(picture) for picture in row] for row in rows], args.sheet)


if __name__ == "__main__":
    main()
