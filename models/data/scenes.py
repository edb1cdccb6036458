"""Scenes with products, each with every picture that training pairs it with.

    python -m models.data.scenes --furniture DIR --out DIR --count 2000 --surrounds DIR --processes 2

Writes OUT/<scene>/: scene.webp, empty.webp (without its products), registered.webp (products alone, studio light, same
camera, straight alpha), coverage.png (their exact alpha), product<n>.webp (each alone, other pose), later.webp (two
seconds later; every second scene, none with `--still`) and about.json (what was drawn and measured). A scene depends on
its seed and number alone. A finished one is not rendered again: it gets `empty.webp` alone where that is missing. One
that was cut off leaves only OUT/.part-*, which the next run removes. Needs `bpy==5.0.1`.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2

from models.command import told
from models.data.descriptions import describe
from models.data.drawn_scenes import draw_scene
from models.data.furniture import read_libraries
from models.data.layouts import Stock, stock_of
from models.data.passes import Pictures, photograph, photograph_empty
from models.data.scene import Scene
from models.data.shards import webp
from models.data.staged_sets import draw_staged

ABOUT, EMPTY = "about.json", "empty.webp"

_LOG = logging.getLogger("scenes")
_LATER = (0, 1)  # of every four scenes


@dataclass(frozen=True)
class Order:
    """What to render: see the command line."""

    furniture: Path
    out: Path
    seed: int
    side: int
    samples: int
    threads: int
    surrounds: Path | None
    still: bool = False
    sets: bool = False


def render_one(order: Order, stock: Stock, number: int) -> bool:
    """Render scene `number`, or what it lacks, unless it is there; true where something was rendered now."""
    scene = _drawn(order, stock, number)
    folder = order.out / scene.key
    if folder.exists():
        return not (folder / EMPTY).exists() and _render_empty(order, scene, folder)
    later = not order.still and number % 4 in _LATER
    pictures = photograph(scene, order.surrounds, later=later, threads=order.threads)
    part = order.out / f".part-{scene.key}"
    shutil.rmtree(part, ignore_errors=True)
    write_pictures(pictures, scene, stock, part)
    part.rename(folder)
    return True


def _drawn(order: Order, stock: Stock, number: int) -> Scene:
    how = (number, order.seed, stock, order.samples, order.side)
    return draw_staged(*how, order.furniture) if order.sets else draw_scene(*how)


def _render_empty(order: Order, scene: Scene, folder: Path) -> bool:
    """Give a scene that was rendered before its picture without products."""
    exposure = json.loads((folder / ABOUT).read_text())["camera"]["exposure_ev"]
    picture = photograph_empty(scene, order.surrounds, exposure, threads=order.threads)
    part = order.out / f".part-{scene.key}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    (part / EMPTY).write_bytes(webp(picture))
    (part / EMPTY).rename(folder / EMPTY)
    part.rmdir()
    return True


def write_pictures(pictures: Pictures, scene: Scene, stock: Stock, folder: Path) -> None:
    """Write every picture of `scene` and what is known about it under `folder`."""
    folder.mkdir(parents=True)
    named = {"scene": pictures.scene, "registered": pictures.registered, "later": pictures.later}
    named["empty"] = pictures.empty
    named |= {f"product{number}": product for number, product in enumerate(pictures.products)}
    for name, pixels in named.items():
        if pixels is not None:
            (folder / f"{name}.webp").write_bytes(webp(pixels))
    cv2.imwrite(str(folder / "coverage.png"), pictures.coverage)
    (folder / ABOUT).write_text(json.dumps(describe(scene, pictures, stock.kinds), indent=1, ensure_ascii=False))


def _render_share(order: Order, numbers: Sequence[int]) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stock = stock_of(read_libraries(order.furniture))
    for number in numbers:
        if render_one(order, stock, number):
            _LOG.info("rendered %s", number)


def _shares(numbers: Iterable[int], processes: int) -> list[list[int]]:
    every = list(numbers)
    return [every[start::processes] for start in range(processes)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.data.scenes", description=__doc__)
    parser.add_argument("--furniture", type=Path, required=True, help="folder of unpacked furniture libraries")
    parser.add_argument("--out", type=Path, required=True, help="folder of the scenes")
    parser.add_argument("--count", type=int, required=True, help="scenes of the seed")
    parser.add_argument("--start", type=int, default=0, help="number of the first (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="from which scenes are drawn (default %(default)s)")
    parser.add_argument("--side", type=int, default=304, help="pixels of the longer side (default %(default)s)")
    parser.add_argument("--samples", type=int, default=6, help="rays a pixel (default %(default)s)")
    parser.add_argument("--surrounds", type=Path, help="folder of environment pictures, <name>.exr; even light without")
    parser.add_argument("--still", action="store_true", help="render no frame two seconds later: a third faster")
    parser.add_argument("--sets", action="store_true", help="one product each in the studio's shipped sets")
    parser.add_argument("--processes", type=int, default=1, help="scenes rendered at once (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of each renderer (default %(default)s)")
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    for part in args.out.glob(".part-*"):
        shutil.rmtree(part)
    drawn = args.seed, args.side, args.samples, args.threads, args.surrounds, args.still, args.sets
    order = Order(args.furniture, args.out, *drawn)
    shares = _shares(range(args.start, args.start + args.count), args.processes)
    if args.processes == 1:
        _render_share(order, shares[0])
        return 0
    with multiprocessing.get_context("spawn").Pool(args.processes) as pool:
        pool.map(partial(_render_share, order), shares)
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
