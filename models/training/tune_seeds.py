"""Finds the seeds that an exported variant does best with, and puts them beside its weights.

    python -m models.training.tune_seeds --weights triton_repo/canvas_background/1/weights --cutouts DIR --rooms DIR \
        --run DIR --sizes 608x416,512x512 --inputs 24 --seeds 256 --best 32 [--reward models/weights/reward]

Every input (a held-out product before a room, composed as for training) is painted with every seed and scored: as the
job ranks candidates, by the trained reward too where one is named, or by how well an extended frame joins. Noise of one
seed differs from size to size, so each size has a table of its own. What a table brings is told on inputs that did not
choose it: the seeds of each half of the inputs are tried on the other half. Where that is no gain, nothing is written.

RUN gets `scores.jsonl`, a line an input; the command goes on from it. The weights get `seeds.json` beside them, which
their card names; the server hands the tables to its clients, and the digest of the model is another one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.command import told
from models.data.examples import Example, bucket_name, bucket_size
from models.export.cards import NAME, add_file, check_files
from models.export.repository import SEEDS
from models.filling import GREY
from models.serving.judge import Judge, load_judge
from models.serving.painter import Painter, load_painter
from models.training.composed import compose_examples
from models.training.masking import draw_frame
from transforms.errors import ConfigError
from transforms.inference.contracts import CONTRACTS
from transforms.ops.ranking import rank_candidates
from transforms.ops.seams import strangeness, windowed_seam_score
from transforms.records import Size

Bytes = NDArray[np.uint8]
Rewards = NDArray[np.float64]  # [inputs, seeds]
Score = Callable[["Input", Sequence[Bytes]], list[float]]

_STRANGENESS_WEIGHT = 0.05  # as `transforms.outpaint` ranks


class Input(NamedTuple):
    """What a painter is asked: image [h, w, 3], the product's matte and what is known [h, w], all uint8; the words."""

    key: str
    image: Bytes
    product: Bytes
    known: Bytes
    prompt: str


class Table(NamedTuple):
    """The best seeds, and what they gain over all: where they were chosen, and on inputs that did not choose them."""

    seeds: tuple[int, ...]
    gain: float
    gain_elsewhere: float


def input_of(example: Example, variant: str, number: int) -> Input:
    """What the variant is asked about an example; frames are drawn alike every time."""
    alpha = example.coverage
    if variant == "outpaint":
        rng = np.random.Generator(np.random.Philox(key=[7, number]))
        known = (draw_frame(rng, *alpha.shape) * 255).astype(np.uint8)
        image = np.where(known[..., None] > 0, example.scene, np.uint8(0))
    else:
        colors = example.scene if example.registered is None else example.registered[..., :3]
        share = alpha[..., None].astype(np.float32) / 255
        image = np.rint(colors * share + GREY * (1 - share)).astype(np.uint8)
        known = np.where(alpha == 255, 255, 0).astype(np.uint8)
    return Input(example.key, image, alpha, known, example.captions[0])


def score_of(variant: str, judge: Judge | None) -> Score:
    """How a variant's candidates are scored: larger is better."""

    def by_ranking(asked: Input, candidates: Sequence[Bytes]) -> list[float]:
        rewards = [0.0] * len(candidates)
        for ranking in rank_candidates(asked.image, asked.product, candidates):
            rewards[ranking.candidate] = ranking.reward
        if judge is not None:
            verdicts = [judge(asked.image, asked.product, candidate) for candidate in candidates]
            rewards = [
                reward * (1 - said.product) * (1 - said.background)
                for reward, said in zip(rewards, verdicts, strict=True)
            ]
        return rewards

    def by_seam(asked: Input, candidates: Sequence[Bytes]) -> list[float]:
        known = asked.known > 0
        return [-windowed_seam_score(one, known) - _STRANGENESS_WEIGHT * strangeness(one, known) for one in candidates]

    return by_seam if variant == "outpaint" else by_ranking


def rewards_of(asked: Input, paint: Painter, score: Score, seeds: int) -> list[float]:
    """The scores of one input painted with the seeds 0, 1, ..."""
    found: list[float] = []
    for start in range(0, seeds, paint.batch):
        batch = list(range(start, min(start + paint.batch, seeds)))
        images, known = (np.repeat(plane[None], len(batch), axis=0) for plane in (asked.image, asked.known))
        found += score(asked, list(paint(images, known, [asked.prompt] * len(batch), batch)))
    return found


def choose(rewards: Rewards, best: int) -> Table:
    """The `best` seeds by their mean over the inputs, best first.

    Args:
        rewards: [inputs, seeds], at least two inputs.
        best: how many are kept.
    """
    halves = rewards[0::2], rewards[1::2]
    elsewhere = [other[:, _order(half)[:best]].mean() - other.mean() for half, other in (halves, halves[::-1])]
    chosen = _order(rewards)[:best]
    gain = float(rewards[:, chosen].mean() - rewards.mean())
    return Table(tuple(int(seed) for seed in chosen), gain, float(np.mean(elsewhere)))


def _order(rewards: Rewards) -> NDArray[np.int64]:
    return np.argsort(-rewards.mean(axis=0), kind="stable")


def measure(args: argparse.Namespace, variant: str, sizes: Sequence[Size], digest: str) -> dict[str, Rewards]:
    """The rewards of each size by its name; those that RUN holds already are not painted again."""
    judge = load_judge(args.reward) if args.reward else None
    judged_by = _digest(args.reward) if args.reward else "ranking"
    path: Path = args.run / "scores.jsonl"
    args.run.mkdir(parents=True, exist_ok=True)
    about = {"weights": digest, "judged_by": judged_by, "seeds": args.seeds}
    held = {line["input"]: line for line in _lines(path) if {name: line[name] for name in about} == about}
    score = score_of(variant, judge)
    paint: Painter | None = None
    found: dict[str, list[list[float]]] = {bucket_name(size): [] for size in sizes}
    examples = compose_examples(args.cutouts, args.rooms, "held_out", args.inputs * len(sizes), buckets=sizes)
    for number, example in enumerate(examples):
        key = f"{example.key}-{example.bucket}"
        if key not in held:
            paint = paint or load_painter(args.weights, CONTRACTS[f"canvas_{variant}"].fixed_batch)
            rewards = rewards_of(input_of(example, variant, number), paint, score, args.seeds)
            held[key] = {"input": key, **about, "rewards": rewards}
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(held[key]) + "\n")
        found[example.bucket].append(held[key]["rewards"])
    return {bucket: np.array(rows) for bucket, rows in found.items()}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def _digest(folder: Path) -> str:
    """Of weights, whatever seeds lie beside them."""
    files = check_files(folder)["files"]
    return sha256(
        json.dumps({name: files[name]["sha256"] for name in sorted(files) if name != SEEDS}).encode()
    ).hexdigest()


def tables_of(rewards: dict[str, Rewards], best: int) -> dict[str, Table]:
    """The table of each size."""
    return {bucket: choose(rows, best) for bucket, rows in rewards.items()}


def write_tables(weights: Path, tables: dict[str, Table], facts: dict[str, Any]) -> bool:
    """Put the tables that gain something elsewhere beside the weights; whether there was one."""
    kept = {bucket: table for bucket, table in tables.items() if table.gain_elsewhere > 0}
    if kept:
        said = {
            "seeds": {bucket: table.seeds for bucket, table in kept.items()},
            "gain": {bucket: round(table.gain, 5) for bucket, table in kept.items()},
            "gain_elsewhere": {bucket: round(table.gain_elsewhere, 5) for bucket, table in kept.items()},
            **facts,
        }
        add_file(weights, SEEDS, (json.dumps(said, indent=1) + "\n").encode())
    return bool(kept)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.tune_seeds", description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="folder of models.export.canvas; gets the table")
    parser.add_argument("--cutouts", type=Path, required=True, help="folder of models.data.cutouts")
    parser.add_argument("--rooms", type=Path, help="folder of photographs of rooms")
    parser.add_argument("--run", type=Path, required=True, help="folder of the scores")
    parser.add_argument("--sizes", default="608x416", help="height x width, comma-separated (default %(default)s)")
    parser.add_argument("--inputs", type=int, default=24, help="of each size (default %(default)s)")
    parser.add_argument("--seeds", type=int, default=256, help="that are tried (default %(default)s)")
    parser.add_argument("--best", type=int, default=32, help="that are kept (default %(default)s)")
    parser.add_argument("--reward", type=Path, help="folder of models.export.reward: a trained reward joins in")
    args = parser.parse_args(arguments)
    if args.inputs < 2 or not 0 < args.best < args.seeds:
        raise ConfigError("tuning needs two inputs of each size at least, and more seeds tried than kept")
    return args


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    args = _arguments(arguments)
    variant = check_files(args.weights)["recipe"]["variant"]
    sizes = [bucket_size(name) for name in args.sizes.split(",")]
    rewards = measure(args, variant, sizes, _digest(args.weights))
    tables = tables_of(rewards, args.best)
    for bucket, table in tables.items():
        spread = float(rewards[bucket].std())
        sys.stdout.write(
            f"{bucket}: {len(table.seeds)} of {args.seeds} seeds gain {table.gain:+.4f} where they were chosen,"
            f" {table.gain_elsewhere:+.4f} elsewhere; scores spread by {spread:.4f}\n"
        )
    facts = {
        "tried": args.seeds,
        "inputs": args.inputs,
        "judged_by": _digest(args.reward) if args.reward else "ranking",
    }
    if not write_tables(args.weights, tables, facts):
        sys.stdout.write("no table gains anything on inputs that did not choose it: nothing was written\n")
        return 1
    sys.stdout.write(f"{args.weights / SEEDS}; {NAME} names it: serve the folder anew\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
