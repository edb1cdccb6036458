"""How far bases or variants are from the velocity on the same held-out pairs, task by task.

    python -m benchmarks.canvas_losses --canvas RUN/model OTHER/model ... --packed DIR ... [--draws 16]

Each pair is shown to every network at the same times and with the same noise. A row is a task: its held-out pairs, each
network's loss, and for every network after the first its loss less the first's, with the 95 % interval of a bootstrap
over pairs: what an interval that holds 0 tells may be chance. Times are drawn as the first network's recipe says.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.canvas import Canvas, read_canvas
from models.evaluation.intervals import mean_of
from models.registry import VARIANTS
from models.training.base_recipe import Recipe
from models.training.noising import Noised, noised, weighed_errors
from models.training.packing import Packed

_BATCH = 16


@torch.no_grad()
def losses_of(networks: Sequence[Canvas], held_out: Packed, shift: float, draws: int) -> NDArray[np.float64]:
    """The loss of each network on each pair, the mean of `draws` times and noises: [networks, pairs]."""
    recipe, found = Recipe(drop=0.0, shift=shift, seed=1), []
    for file, count in enumerate(held_out.counts):
        for first in range(0, count, _BATCH):
            rows = np.arange(first, min(first + _BATCH, count))
            batch = held_out.rows(file, rows, np.zeros(len(rows), np.int64))
            shown = [noised(held_out.variant(file), batch, recipe, number) for number in range(draws)]
            found.append([np.mean([_each(network, noise) for noise in shown], axis=0) for network in networks])
    return np.concatenate(found, axis=1)


def _each(network: Canvas, noise: Noised) -> NDArray[np.float64]:
    square, weight = (part.sum((1, 2, 3)).double() for part in weighed_errors(network, noise))
    return (square / weight).numpy()


def line_of(task: str, losses: NDArray[np.float64]) -> str:
    """A row of the table, of [networks, pairs]."""
    differences = [mean_of(list(other - losses[0])) for other in losses[1:]]
    told = [f"{each.value:+.3f} ({each.low:+.3f} to {each.high:+.3f})" for each in differences]
    return (
        f"| {' | '.join([f'`{task}`', str(losses.shape[1]), *(f'{mean:.3f}' for mean in losses.mean(1)), *told])} |\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.canvas_losses", description=__doc__)
    parser.add_argument("--canvas", type=Path, nargs="+", required=True, help="`model` folders of runs of train_base")
    parser.add_argument("--packed", type=Path, nargs="+", required=True, help="folders of pack_latents")
    parser.add_argument("--draws", type=int, default=16, help="times and noises of each pair (default %(default)s)")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    read = [read_canvas(folder) for folder in args.canvas]
    shift = read[0][1].recipe.get("shift", Recipe().shift)
    names = [folder.parent.name if folder.name == "model" else folder.name for folder in args.canvas]
    heads = ["task", "pairs", *names, *(f"{name} less {names[0]}" for name in names[1:])]
    sys.stdout.write(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|\n")
    packed = {path.name.rpartition("-")[0] for folder in args.packed for path in (folder / "held_out").iterdir()}
    for task in (task for task in VARIANTS if task in packed):
        held_out = Packed(args.packed, "held_out", (task,), 0, 100_000)
        sys.stdout.write(line_of(task, losses_of([network for network, _ in read], held_out, shift, args.draws)))
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
