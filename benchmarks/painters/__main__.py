"""Which painter is better? The served ones beside what any editor can do, on the same inputs, prompts and seeds.

    python -m benchmarks.painters --products DIR... --photos DIR... --real DIR... --out DIR [--canvas DIR] [--count N]

PRODUCTS hold <product>/white.jpg with alpha.png (`benchmarks.render_products`) or RGBA cutouts; PHOTOS photographs with
products in them, of a checkout of clothing-dataset the held-out senders' only; REAL what a background should look like:
rooms, or folders of scenes (*/scene.*). CANVAS is a folder of `models.export.canvas`; without it those painters are
absent. Painters run in this process, behind the served contracts.

OUT keeps pictures and rows.jsonl: given again, the command paints only what is missing, and prints the tables of all.
It also writes sheets/, 64 pictures of each drawn by chance, and pairs_*.csv for `pipelines.rating`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2

from benchmarks.local_painters import LocalClient
from benchmarks.painters.entrants import ENTRANTS
from benchmarks.painters.figures import Figures, complete, figures_of
from benchmarks.painters.originals import outpaint_originals, real_features, real_paths
from benchmarks.painters.outputs import rating_command, write_pairs, write_sheet
from benchmarks.painters.run import Comparison, Row, painted_rows
from benchmarks.painters.tables import background_table, leaders, outpaint_table
from models.evaluation.embedding import Embedder
from transforms.errors import CanvasError, ConfigError


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 0 done, 2 bad usage."""
    options = _parser().parse_args(argv)
    cv2.setNumThreads(1)
    try:
        _compare(options)
    except CanvasError as error:
        sys.stderr.write(f"error: {error}\n  remedy: {error.remedy}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.painters", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = sorted({each.name for task in ENTRANTS.values() for each in task})
    add = parser.add_argument
    add("--products", type=Path, nargs="+", default=[], help="held-out products, for backgrounds")
    add("--photos", type=Path, nargs="+", default=[], help="held-out photographs, for outpainting")
    add("--real", type=Path, nargs="+", default=[], help="pictures that backgrounds are compared with")
    add("--out", type=Path, required=True, help="folder of pictures, rows, sheets and pairs")
    add("--canvas", type=Path, help="folder of exported Canvas weights")
    add("--count", type=int, default=64, help="inputs of each task (default %(default)s)")
    add("--painters", nargs="+", default=[], choices=names, metavar="NAME", help=f"only these: {', '.join(names)}")
    add("--seed", type=int, default=0, help="of inputs, prompts and painters (default %(default)s)")
    return parser


def _compare(options: argparse.Namespace) -> None:
    what = Comparison(
        tuple(options.products),
        tuple(options.photos),
        options.out,
        options.count,
        tuple(options.painters),
        options.canvas,
        options.seed,
    )
    tasks = [task for task, folders in (("background", what.products), ("outpaint", what.photographs)) if folders]
    if not tasks or options.count < 2:
        raise ConfigError("nothing to compare", remedy="name --products or --photos, and a --count of 2 or more")
    if "background" in tasks and not options.real:
        raise ConfigError("backgrounds need pictures to be compared with", remedy="name --real")
    client, embed = LocalClient(what.canvas), Embedder()
    for task in tasks:
        if not what.entrants(task):
            continue
        by = complete(_told(what, task, client, embed))
        told = _backgrounds if task == "background" else _extensions
        sys.stdout.write(told(what, by, options.real, embed))
        for rows in by.values():
            write_sheet(what.out, rows, what.seed)
        if len(by) > 1:
            pairs = write_pairs(what.out, task, by, what.seed)
            sys.stdout.write(f"\nblind pairs: {rating_command(what.out, task, pairs)}\n\n")


def _told(what: Comparison, task: str, client: LocalClient, embed: Embedder) -> list[Row]:
    """The rows, with a line of progress for each input."""
    rows: list[Row] = []
    for row in painted_rows(what, task, client, embed):
        if not rows or rows[-1]["input"] != row["input"]:
            sys.stderr.write(f"{task} {len({each['input'] for each in rows}) + 1}/{what.count} {row['input']}\n")
        rows.append(row)
    if len({row["input"] for row in rows}) < 2:
        raise ConfigError(f"{task}: fewer than two inputs can be used", remedy="name larger folders")
    return rows


def _backgrounds(what: Comparison, by: dict[str, list[Row]], folders: Sequence[Path], embed: Embedder) -> str:
    paths = real_paths(folders)
    real, floor = real_features(paths, what.out, embed, what.seed)
    found = figures_of(by, real, what.out, paired=False, seed=what.seed)
    text = background_table(found, [each.name for each in what.absent("background")])
    note = f"kernel distance x 1000 to {len(paths)} real pictures; of their own halves {floor}\n"
    return f"\nbackground, {found[0].count} inputs\n\n{text}\n{note}\n" + _sentences("background", found)


def _extensions(what: Comparison, by: dict[str, list[Row]], folders: Sequence[Path], embed: Embedder) -> str:
    del folders
    rows, real = [], []
    for direction in ("to_portrait", "to_landscape"):
        part = {name: [row for row in found if row["placement"] == direction] for name, found in by.items()}
        if len(next(iter(part.values()))) < 2:
            continue
        features, own = outpaint_originals(what, next(iter(part.values())), embed)
        found = figures_of(part, features, what.out, paired=True, seed=what.seed)
        rows += [(direction, one) for one in found]
        real.append((direction, own))
    features, _ = outpaint_originals(what, next(iter(by.values())), embed)
    whole = figures_of(by, features, what.out, paired=True, seed=what.seed)
    text = outpaint_table(rows, real, [each.name for each in what.absent("outpaint")])
    note = "kernel distance x 1000 to the photographs' own uncropped originals, twins left out\n"
    return f"\noutpaint, {whole[0].count} inputs\n\n{text}\n{note}\n" + _sentences("outpaint", whole)


def _sentences(task: str, found: Sequence[Figures]) -> str:
    return "".join(f"- {sentence}\n" for sentence in leaders(task, found))


if __name__ == "__main__":
    sys.exit(main())
