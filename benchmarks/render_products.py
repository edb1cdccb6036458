"""Renders furniture models for mask benchmarks: the same product before up to three backdrops, with exact alpha.

    python -m benchmarks.render_products --furniture DIR --out DIR --count 150

Writes OUT/<product>/{white,plain,scene}.jpg, alpha.png (grey, 8 bit) and about.json. Products come in an order drawn
from the seed, so any prefix of a run is a fair sample; a finished product is not rendered again. Needs `bpy==5.0.1`.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.framing import View
from models.data.furniture import FurnitureModel, read_libraries
from models.data.render import render, render_alpha
from models.data.shots import Backdrop, Color, Finish, Floor, Light, Placed, Room, Shot, Sweep, Wall

_LOG = logging.getLogger("render_products")
_PEOPLE = "Reallusion"
_WHITE_SHARE = 0.15
_NEAR_WHITE: Color = (0.94, 0.94, 0.93)
_FINISHES: tuple[Finish, ...] = ("ceramic", "plastic", "fabric", "wood")
_FLOORS: tuple[Floor, ...] = ("wood", "tile", "carpet", "concrete")
_WALLS: tuple[Wall, ...] = ("paint", "brick", "plaster", "slats")
_BACKDROPS = ("white", "plain", "scene")
_JPEG_QUALITY = 92


def main() -> None:
    """Render until `--count` products are there."""
    args = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    models = [model for model in read_libraries(args.furniture) if not model.key.startswith(_PEOPLE)]
    order = np.random.default_rng(args.seed).permutation(len(models))
    for number in order[args.skip : args.skip + args.count]:
        model = models[number]
        folder = args.out / model.key.replace("/", "__")
        if not folder.exists():
            _render_product(model, folder, args)
            _LOG.info("rendered %s", model.key)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--furniture", type=Path, required=True, help="folder of unpacked furniture libraries")
    parser.add_argument("--out", type=Path, required=True, help="a folder a product is written under it")
    parser.add_argument("--skip", type=int, default=0, help="products of the order to leave out, for a set of its own")
    parser.add_argument("--count", type=int, default=150, help="products to have at the end")
    parser.add_argument("--side", type=int, default=640, help="pixels of the longer side")
    parser.add_argument("--backdrops", nargs="+", choices=_BACKDROPS, default=_BACKDROPS, help="pictures a product")
    parser.add_argument("--samples", type=int, default=16, help="rays a pixel")
    parser.add_argument("--threads", type=int, default=1, help="of the renderer")
    parser.add_argument("--seed", type=int, default=0, help="of the order, the views and the surroundings")
    return parser.parse_args()


def _render_product(model: FurnitureModel, folder: Path, args: argparse.Namespace) -> None:
    """Render all pictures of `model` beside `folder`, then move them there: a folder that exists is complete."""
    rng = np.random.default_rng([args.seed, zlib.crc32(model.key.encode())])
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    white = bool(rng.random() < _WHITE_SHARE)
    shot = _shot(model, white, rng, args)
    for name, backdrop in _backdrops(shot, rng).items():
        light = Light(float(rng.choice([-50.0, 45.0])), _strength(name, rng), float(rng.uniform(-0.1, 0.5)))
        if name in args.backdrops:  # after its draws, so that the others' light stays
            _photograph(replace(shot, backdrop=backdrop, light=light), partial / name, args.threads)
    _measure(shot, partial / "alpha.png", args.threads)
    about = {"key": model.key, "name": model.name, "creator": model.creator, "licence": model.licence, "white": white}
    (partial / "about.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    partial.rename(folder)


def _shot(model: FurnitureModel, white: bool, rng: np.random.Generator, args: argparse.Namespace) -> Shot:
    """Return the product as it is seen before every backdrop."""
    finish = _FINISHES[rng.integers(len(_FINISHES))] if white else None
    view = View(
        azimuth_deg=float(rng.uniform(-42, 42)),
        pitch_deg=float(rng.uniform(4, 22)),
        focal_mm=float(rng.uniform(45, 85)),
        fill=float(rng.uniform(0.6, 0.85)),
        offset=(float(rng.uniform(-0.04, 0.04)), float(rng.uniform(-0.04, 0.04))),
    )
    metres = float(rng.uniform(0.7, 1.5))
    placed = Placed(model, finish=finish, coat=_NEAR_WHITE if white else None, metres=metres)
    shape = _shape(model, args.side)
    return Shot(
        placed, Sweep(), view, height=shape[0], width=shape[1], samples=args.samples, seed=int(rng.integers(1_000_000))
    )


def _shape(model: FurnitureModel, side: int) -> tuple[int, int]:
    """Return (height, width): upright for tall products, wide for broad ones, square between."""
    width, depth, height = model.size_m
    ratio = height / max(width, depth)
    if ratio > 1.5:
        return side, side * 3 // 4
    return (side * 3 // 4, side) if ratio < 0.6 else (side, side)


def _backdrops(shot: Shot, rng: np.random.Generator) -> dict[str, Backdrop]:
    metres = shot.product.metres if isinstance(shot.product, Placed) and shot.product.metres else 1.0
    room = Room(
        floor=_FLOORS[rng.integers(len(_FLOORS))],
        wall=_WALLS[rng.integers(len(_WALLS))],
        floor_color=_color(rng, 0.35, 0.85, 0.3),
        wall_color=_color(rng, 0.35, 0.95, 0.35),
        wall_m=metres * float(rng.uniform(0.8, 1.4)),
    )
    return {"white": Sweep((1.0, 1.0, 1.0)), "plain": Sweep(_color(rng, 0.4, 0.98, 0.45)), "scene": room}


def _color(rng: np.random.Generator, low: float, high: float, saturation: float) -> Color:
    """Draw an sRGB colour of a value in [low, high) and at most the given saturation."""
    value, shares = rng.uniform(low, high), rng.uniform(0, 1, 3)
    red, green, blue = value * (1 - saturation * rng.random() * (shares.max() - shares))
    return float(red), float(green), float(blue)


def _strength(name: str, rng: np.random.Generator) -> float:
    low, high = {"white": (1.8, 2.6), "plain": (1.2, 1.8), "scene": (0.75, 1.1)}[name]
    return float(rng.uniform(low, high))


def _photograph(shot: Shot, stem: Path, threads: int) -> None:
    """Render `shot` and keep it as a JPEG."""
    raw = stem.with_suffix(".png")
    render(shot, raw, threads=threads)
    pixels = _read(raw)
    cv2.imwrite(str(stem.with_suffix(".jpg")), pixels[..., :3], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    raw.unlink()


def _measure(shot: Shot, path: Path, threads: int) -> None:
    """Render the product's exact coverage and keep it as a grey PNG."""
    render_alpha(shot, path, threads=threads)
    cv2.imwrite(str(path), _read(path)[..., 3])


def _read(path: Path) -> NDArray[np.uint8]:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise FileNotFoundError(path)
    return pixels.astype(np.uint8)


if __name__ == "__main__":
    main()
