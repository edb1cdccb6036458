"""How a variant is best sampled: where the sampler's last step begins, and how much noise it begins with.

    python -m benchmarks.canvas_sampling --canvas RUN/model --variant V --packed DIR [DIR ...] \
        [--delta RUN/model] [--shifts 6,20,60] [--temperatures 0.3,1] [--steps 6] [--guidance 1]

paints held-out pairs and prints for each setting: `error`, the root mean square distance from what was asked for, in
deviations of each channel, where nothing was given; and `roughness`, how much neighbouring cells differ, as a share of
how much they do in real ones: above 1 is noise that was left, far below is blur. The last step goes from its time to a
picture in one go, so a network answers there for all the noise that is left; `last` is that time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.canvas import Canvas, read_canvas
from models.deltas import read_merged
from models.registry import VARIANTS, Sampling
from models.sampling import timesteps
from models.training.packing import Packed
from models.training.samples import paint


def roughness(latents: Tensor, unknown: Tensor) -> Tensor:
    """Mean square difference of neighbours where both are unknown; a scalar."""
    found = []
    for axis in (2, 3):
        both = torch.minimum(
            unknown.narrow(axis, 0, unknown.shape[axis] - 1), unknown.narrow(axis, 1, unknown.shape[axis] - 1)
        )
        found.append((latents.diff(dim=axis).square().mean(1, keepdim=True) * both).sum() / both.sum().clamp(min=1))
    return torch.stack(found).mean()


@torch.no_grad()
def figures_of(network: Canvas, held_out: Packed, variant: str, how: Sampling, each: int) -> tuple[float, float]:
    """(error, roughness) over the first `each` pairs of every file."""
    errors, roughs, real = [], [], []
    spread = network.preconditioning.spread
    for file in range(len(held_out.paths)):
        rows = np.arange(min(each, held_out.counts[file]))
        batch = held_out.rows(file, rows, np.zeros(len(rows), np.int64))
        painted = paint(network, batch, [int(row) for row in rows], how, variant)
        unknown = 1 - batch["known"] if VARIANTS[variant].keeps else torch.ones_like(batch["known"])
        off = ((painted - batch["target"]) / spread).square().mean(1, keepdim=True)
        errors.append(float((off * unknown).sum() / unknown.sum()))
        roughs.append(float(roughness(painted / spread, unknown)))
        real.append(float(roughness(batch["target"] / spread, unknown)))
    return float(np.mean(errors)) ** 0.5, float(np.mean(roughs)) / float(np.mean(real))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.canvas_sampling", description=__doc__)
    parser.add_argument("--canvas", type=Path, required=True, help="`model` folder of a run of train_base")
    parser.add_argument("--delta", type=Path, help="`model` folder of a run with --lora on that canvas")
    parser.add_argument("--variant", choices=list(VARIANTS), required=True)
    parser.add_argument("--packed", type=Path, nargs="+", required=True, help="folders of pack_latents")
    parser.add_argument("--shifts", default="6,20,60", help="of the sampler's times (default %(default)s)")
    parser.add_argument("--temperatures", default="0.3,1", help="of the noise (default %(default)s)")
    parser.add_argument("--steps", type=int, default=Sampling.steps, help="of the sampler (default %(default)s)")
    parser.add_argument("--guidance", type=float, default=1.0, help="scale of the two passes (default %(default)s)")
    parser.add_argument("--each", type=int, default=8, help="pairs of every packed file (default %(default)s)")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    network = (read_merged(args.canvas, args.delta) if args.delta else read_canvas(args.canvas))[0].eval()
    held_out = Packed(args.packed, "held_out", (args.variant,), 0, 100_000)
    sys.stdout.write("| temperature | shift | last | error | roughness |\n|---|---|---|---|---|\n")
    settings = product(map(float, args.temperatures.split(",")), map(float, args.shifts.split(",")))
    for temperature, shift in settings:
        how = Sampling(args.steps, shift, args.guidance, temperature=temperature)
        error, rough = figures_of(network, held_out, args.variant, how, args.each)
        last = timesteps(args.steps, shift)[-2]
        sys.stdout.write(f"| {temperature:g} | {shift:g} | {last:.2f} | {error:.3f} | {rough:.2f} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
