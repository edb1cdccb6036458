"""Products without a backdrop, to compose training pictures from: colour, exact coverage and the shadow on the floor.

    python -m models.data.cutouts --furniture DIR --out DIR --rounds 2

Writes OUT/<product>.<round>.webp (RGBA, straight: colour is the product's own also where it mixes). One in eight has
OUT/<product>.<round>.shadow.png beside it (grey, 255 is black shadow): catching it doubles a render's price. The first
`--reserved` products of the seed's order are left out: they belong to the benchmarks. What is there already is not
rendered again. Needs `bpy==5.0.1`.
"""

from __future__ import annotations

import argparse
import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from models.command import told
from models.data.framing import View
from models.data.furniture import FurnitureModel, read_libraries
from models.data.render import render, render_alpha
from models.data.shots import Color, Cutout, Finish, Light, Placed, Shot

RESERVED = 110  # products that belong to the benchmarks, by the order of seed 0

_LOG = logging.getLogger("cutouts")
_PEOPLE = "Reallusion"
_WHITE_SHARE = 0.4
_SHADOW_SHARE = 0.12
_FINISHES: tuple[Finish | None, ...] = (None, "ceramic", "plastic", "fabric", "wood", "metal")
_WEBP_QUALITY = 92

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Layers:
    """A product taken apart: `color` uint8 RGB [H, W, 3], `coverage` and `shadow` uint8 [H, W], 255 is all.

    `shadow` is None where none was rendered.
    """

    color: Bytes
    coverage: Bytes
    shadow: Bytes | None


def products_in_order(models: Sequence[FurnitureModel], seed: int) -> list[FurnitureModel]:
    """Every product but people, in an order drawn from `seed`, so that any part of it is a fair sample."""
    products = [model for model in models if not model.key.startswith(_PEOPLE)]
    return [products[number] for number in np.random.default_rng(seed).permutation(len(products))]


def draw_shot(model: FurnitureModel, rng: np.random.Generator, side: int, samples: int) -> Shot:
    """A product alone, its shadow on the floor: from any of the usual sides, in any light, often near white."""
    white = bool(rng.random() < _WHITE_SHARE)
    finish = _FINISHES[rng.integers(len(_FINISHES))] if white or rng.random() < 0.15 else None
    view = View(
        azimuth_deg=float(rng.choice([rng.uniform(-60, 60), rng.uniform(-180, 180)], p=[0.85, 0.15])),
        pitch_deg=float(rng.uniform(0, 30)),
        focal_mm=float(rng.uniform(40, 100)),
        fill=0.93,
    )
    light = Light(
        key_deg=float(rng.choice([-1.0, 1.0]) * rng.uniform(20, 80)),
        strength=float(rng.uniform(0.8, 2.6)),
        warmth=float(rng.uniform(-0.2, 0.6)),
        softness=float(rng.uniform(0.5, 2.2)),
    )
    height, width = shape_of(model, side)
    placed = Placed(model, finish=finish, coat=_near_white(rng) if white else None)
    backdrop = Cutout(shadow=bool(rng.random() < _SHADOW_SHARE))
    return Shot(placed, backdrop, view, light, (), height, width, samples, int(rng.integers(1_000_000)))


def shape_of(model: FurnitureModel, side: int) -> tuple[int, int]:
    """(height, width): upright for tall products, wide for broad ones, square between."""
    width, depth, height = model.size_m
    ratio = height / max(width, depth)
    if ratio > 1.5:
        return side, side * 3 // 4
    return (side * 3 // 4, side) if ratio < 0.6 else (side, side)


def take_apart(seen: Bytes, coverage: Bytes) -> Layers:
    """The layers of a render with its shadow in alpha (uint8 [H, W, 4], straight) and the exact coverage [H, W].

    The shadow adds darkness alone, so what light the picture holds is the product's: premultiplied colours agree.
    """
    alpha, part = seen[..., 3].astype(np.float32), np.maximum(coverage.astype(np.float32), 1.0)
    color = seen[..., :3] * (alpha / part)[..., None]
    left = np.maximum(255.0 - coverage, 1.0)
    shadow = np.clip((alpha - coverage) / left, 0.0, 1.0) * 255
    whole = np.where(coverage[..., None] > 0, np.clip(color, 0, 255), 0)
    return Layers(np.rint(whole).astype(np.uint8), coverage, np.where(coverage < 250, shadow, 0).astype(np.uint8))


def write_layers(layers: Layers, stem: Path) -> None:
    """Keep `layers` beside `stem`; the picture is written last, so that it stands for the whole."""
    if layers.shadow is not None:
        cv2.imwrite(f"{stem}.shadow.png", layers.shadow)
    rgba = np.dstack([layers.color[..., ::-1], layers.coverage])
    cv2.imwrite(f"{stem}.webp", rgba, [cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY])


def read_layers(picture: Path) -> Layers:
    """What `write_layers` kept; `picture` is the WebP.

    Raises:
        FileNotFoundError: there is no such picture.
    """
    rgba = _read(picture)
    beside = picture.with_name(picture.name.removesuffix(".webp") + ".shadow.png")
    shadow = _read(beside) if beside.exists() else None
    return Layers(np.ascontiguousarray(rgba[..., 2::-1]), np.ascontiguousarray(rgba[..., 3]), shadow)


def _read(path: Path) -> Bytes:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise FileNotFoundError(path)
    return cast(Bytes, pixels)


def _near_white(rng: np.random.Generator) -> Color:
    value, shares = rng.uniform(0.8, 0.99), rng.uniform(0, 1, 3)
    red, green, blue = value * (1 - 0.06 * rng.random() * (shares.max() - shares))
    return float(red), float(green), float(blue)


def _photograph(model: FurnitureModel, stem: Path, seed: list[int], args: argparse.Namespace) -> None:
    shot = draw_shot(model, np.random.default_rng(seed), args.side, args.samples)
    raw, flat = Path(f"{stem}.seen.png"), Path(f"{stem}.alpha.png")
    render(shot, raw, threads=args.threads)
    seen = _read(raw)[..., [2, 1, 0, 3]]
    raw.unlink()
    if isinstance(shot.backdrop, Cutout) and shot.backdrop.shadow:
        render_alpha(shot, flat, threads=args.threads)
        write_layers(take_apart(seen, _read(flat)[..., 3]), stem)
        flat.unlink()
    else:
        write_layers(Layers(seen[..., :3], seen[..., 3], None), stem)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.data.cutouts", description=__doc__)
    parser.add_argument("--furniture", type=Path, required=True, help="folder of unpacked furniture libraries")
    parser.add_argument("--out", type=Path, required=True, help="folder of the cutouts")
    parser.add_argument("--rounds", type=int, default=2, help="pictures of each product (default %(default)s)")
    parser.add_argument("--side", type=int, default=320, help="pixels of the longer side (default %(default)s)")
    parser.add_argument("--samples", type=int, default=8, help="rays a pixel (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of the renderer (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the order, views and lights (default %(default)s)")
    parser.add_argument("--reserved", type=int, default=RESERVED, help="products left to benchmarks")
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    args.out.mkdir(parents=True, exist_ok=True)
    models = products_in_order(read_libraries(args.furniture), args.seed)[args.reserved :]
    for number in range(args.rounds):
        for model in models:
            stem = args.out / f"{model.key.replace('/', '__')}.{number}"
            if not Path(f"{stem}.webp").exists():
                _photograph(model, stem, [args.seed, number, zlib.crc32(model.key.encode())], args)
                _LOG.info("rendered %s", stem.name)
    return 0


if __name__ == "__main__":
    raise SystemExit(told(main))
