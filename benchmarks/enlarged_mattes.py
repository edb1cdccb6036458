"""Mattes drawn at working size and enlarged, beside mattes drawn at the picture's own size: how true, and how dear.

    python -m benchmarks.enlarged_mattes --renders DIR [--split held_out] [--scale 2] [--count 24]

RENDERS as for `benchmarks.segmentation`, from products before white and plain, best of a catalog's size
(`benchmarks.render_products --side 768 --backdrops white plain`); SCALE enlarges them, for the price of large ones.
All ways start from the same refined probability; the last is what the stage does.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.local_models import local_client
from benchmarks.segmentation import rendered, split_of
from transforms.looks import look
from transforms.ops.mask_metrics import boundary_iou, iou
from transforms.ops.masks import dilated, resized, without_specks
from transforms.ops.matting import enlarge_alpha, refine_alpha
from transforms.records import Matte, Pixels, Size
from transforms.segment import Seen, draw, join, matte, refine

_WORKING_SIDE, _BAND = 512, 2.5  # the band's half width for a picture of the working size
_SPECK_SHARE = 0.004  # as in the stage


class Figures(NamedTuple):
    """Of one matte.

    `soft`: its half transparent pixels (alpha within 0.1 and 0.9) over the true matte's; `sec`: the time that it took
    for each million pixels.
    """

    iou: float
    mae: float
    boundary_iou: float
    soft: float
    sec: float


def drawn_whole(pixels: Pixels, seen: Seen) -> Matte:
    """The matte drawn at the picture's own size, in a band that grows with it."""
    size = Size(*pixels.shape[:2])
    kept = dilated(without_specks(seen.probability > 0.5, _SPECK_SHARE), 2)
    coarse = resized(np.where(kept, seen.probability, np.float32(0)), size)
    radius = max(2, round(_BAND * max(size) / _WORKING_SIDE))
    return refine_alpha(pixels.astype(np.float32) / np.float32(255), coarse, radius)


def drawn_small(pixels: Pixels, seen: Seen) -> Matte:
    """The stage's matte before its edges are narrowed."""
    return enlarge_alpha(pixels, draw(seen))


def figures_of(way: Callable[[Pixels, Seen], Matte], pixels: Pixels, seen: Seen, truth: Matte) -> Figures:
    """Draw a matte, and hold it against the true one."""
    began = time.perf_counter()
    alpha = way(pixels, seen)
    spent = time.perf_counter() - began
    mask, true = alpha > 0.5, truth > 0.5
    error = float(np.abs(alpha - truth).mean())
    soft = softness(alpha) / max(1, softness(truth))
    return Figures(iou(mask, true), error, boundary_iou(mask, true), soft, spent * 1e6 / truth.size)


def softness(alpha: Matte) -> int:
    """How many pixels are half transparent."""
    return int(((alpha > 0.1) & (alpha < 0.9)).sum())


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renders", type=Path, required=True, help="folder of rendered products")
    parser.add_argument("--split", choices=("tuning", "held_out"), help="one half of the products alone")
    parser.add_argument("--scale", type=float, default=1.0, help="enlarges the pictures (default %(default)s)")
    parser.add_argument("--count", type=int, help="the first of them alone")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    client = local_client()
    ways = {"drawn at full size": drawn_whole, "drawn at 512, enlarged": drawn_small, "the same, narrowed": matte}
    rows: dict[str, list[Figures]] = {name: [] for name in ways}
    samples = [one for one in rendered(args.renders) if one.backdrop != "scene"]
    for sample in [one for one in samples if args.split in (None, split_of(one.group))][: args.count]:
        pixels, truth = (cv2.resize(plane, None, fx=args.scale, fy=args.scale) for plane in sample.read())
        seen = refine(join(pixels, look(pixels, client)), client)
        for name, way in ways.items():
            rows[name].append(figures_of(way, pixels, seen, truth))
    print("| matte | pictures | IoU | MAE | boundary IoU | soft, of true | s a megapixel |")
    print("|---|---|---|---|---|---|---|")
    for name, found in rows.items():
        quality, (soft, sec) = np.split(np.mean(found, axis=0), [3])
        cells = " | ".join(f"{value:.4f}" for value in quality)
        print(f"| {name} | {len(found)} | {cells} | {soft:.2f} | {sec:.2f} |")


if __name__ == "__main__":
    main()
