"""Which body the base should have: what an evaluation of each costs on this CPU, and with `--packed` what it learns.

    python benchmarks/canvas_bodies.py [--specs canvas-s,canvas-dit-s] [--packed DIR --seconds 120]

CPU seconds of one evaluation of one picture, forward and in training, at a quarter-size and a full-size bucket. With
packed latents each body is then trained for the same CPU time on the same batches, and its held-out loss is told.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from accelerate import Accelerator

from models.canvas import Canvas
from models.registry import SPECS, TEXT_TOKENS, TEXT_WIDTH
from models.training.base_recipe import Recipe
from models.training.base_state import new_state
from models.training.packing import Packed
from models.training.train_base import Data, measure, take_step

GRIDS = ((19, 13), (38, 26))
ROUNDS = 3


def costs(network: Canvas, rows: int, columns: int) -> tuple[float, float]:
    """CPU seconds of (an evaluation, a training step) of one picture: the least of a few rounds."""
    latents, given = torch.randn(2, 1, 32, rows, columns)
    inputs = (latents, torch.rand(1), given, torch.rand(1, 1, rows, columns), torch.randn(1, TEXT_TOKENS, TEXT_WIDTH))
    answers, steps = [], []
    for _ in range(ROUNDS):
        began = time.process_time()
        answer = network(*inputs, task="background")
        answers.append(time.process_time() - began)
        answer.square().mean().backward()
        steps.append(time.process_time() - began)
    return min(answers), min(steps)


def learnt(spec: str, packed: Path, seconds: float) -> tuple[int, float]:
    """(steps, held-out loss) after so much CPU time of training."""
    recipe = Recipe(spec=spec, variants="background,outpaint", steps=1_000_000, stages="0-320:1:8", average=0.98)
    accelerator = Accelerator()
    data = Data((packed,), recipe.tasks())
    state = new_state(recipe, None, data.of(recipe.stage_at(0)).moments(recipe.carries), accelerator)
    began = time.process_time()
    while time.process_time() - began < seconds:
        take_step(state, recipe, data, accelerator)
    told = measure(state.average, Packed([packed], "held_out", recipe.tasks(), 0, 320), recipe)
    return state.step, sum(told.values()) / len(told)


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python benchmarks/canvas_bodies.py", description=__doc__)
    parser.add_argument("--specs", default="canvas-s,canvas-dit-s")
    parser.add_argument("--packed", type=Path)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for name in args.specs.split(","):
        network = Canvas(SPECS[name])
        millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6
        print(f"{name}: {millions:.1f} M parameters")
        for rows, columns in GRIDS:
            answer, step = costs(network, rows, columns)
            print(f"  {rows * 16}x{columns * 16}: {answer:.3f} CPU s an evaluation, {step:.3f} s a training step")
        if args.packed:
            steps, loss = learnt(name, args.packed, args.seconds)
            print(f"  after {args.seconds:.0f} CPU s of training: {steps} steps, held-out loss {loss:.4f}")


if __name__ == "__main__":
    main()
