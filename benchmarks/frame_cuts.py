"""Does `cut_by_frame` tell products that the frame cuts from whole ones that were cropped at their own outline?

    python -m benchmarks.frame_cuts [--cutouts DIR] [--renders DIR] [--count 60]

`--cutouts` is any folder of product files with an informative alpha, laid on white at 1000 px; `--renders` what
`benchmarks.render_products` wrote. Each product is cropped at its bounding box with 0 to 8 pixels left on every side
(whole), and by 1 to 20 % of its own extent on one side (cut), written as JPEG 90, and measured. Scenes are left out: a
crop whose border tells no plain backdrop is none of this check's. The coarse network runs in this process,
single-threaded.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.local_models import local_client
from transforms.eligibility import EligibilityLimits
from transforms.inference.interface import InferenceClient
from transforms.ops.decode import DecodeLimits, decode
from transforms.ops.frame_contact import frame_contact, main_parts
from transforms.ops.matting import is_informative
from transforms.records import Pixels, ProductImage, SourceFacts
from transforms.sight import Sight

_LIMITS = EligibilityLimits()
_SIDE = 1000  # pixels, longer side of a cut-out before it is cropped
_MARGINS = (0, 1, 2, 4, 8)
_CUTS = (0.01, 0.03, 0.06, 0.1, 0.2)


class Whole(NamedTuple):
    """A product before a plain backdrop, uint8 [H, W, 3], and its bounding box, half open."""

    pixels: Pixels
    top: int
    left: int
    bottom: int
    right: int


class Verdict(NamedTuple):
    """Whether a crop is called cut by what lies within 1 % of the frame, and by the stage, which looks closer."""

    within: bool
    stage: bool


def main() -> None:
    """Print one line for each way of cropping."""
    arguments = _arguments()
    cv2.setNumThreads(1)
    client = local_client()
    said: dict[str, list[Verdict | None]] = defaultdict(list)
    for number, whole in enumerate(_products(arguments)):
        for name, crop in (*wholes(whole), *cuts(whole, side=number % 4)):
            said[name].append(judge(crop, client))
    print(f"{'crop':14} {'crops':>5} {'plain':>5}  called cut: within 1 %   by the stage")
    for name, verdicts in said.items():
        plain = [verdict for verdict in verdicts if verdict is not None]
        shares = [f"{np.mean(column):.2f}" for column in zip(*plain, strict=True)] or ["-", "-"]
        print(f"{name:14} {len(verdicts):5} {len(plain):5}  {shares[0]:>22} {shares[1]:>14}")


def judge(pixels: Pixels, client: InferenceClient) -> Verdict | None:
    """What is said of a crop; None where its backdrop is not plain."""
    sight = Sight(ProductImage(pixels, SourceFacts("", 0, "jpeg", "RGB")), client, _LIMITS.max_backdrop_texture)
    if not sight.is_plain:
        return None
    limit = _LIMITS.max_frame_contact
    within = frame_contact(sight.colored) > limit and frame_contact(sight.coarse) > limit
    return Verdict(within, sight.contact(limit) > limit)


def wholes(whole: Whole) -> Iterator[tuple[str, Pixels]]:
    """Crops that leave the product whole."""
    height, width = whole.pixels.shape[:2]
    room = min(whole.top, whole.left, height - whole.bottom, width - whole.right)
    for margin in (margin for margin in _MARGINS if margin <= room):
        rows, columns = (slice(first - margin, last + margin) for first, last in _extents(whole))
        yield f"whole, {margin} px", _encoded(whole.pixels[rows, columns])


def cuts(whole: Whole, side: int) -> Iterator[tuple[str, Pixels]]:
    """Crops of one side: 0 top, 1 left, 2 bottom, 3 right."""
    for share in _CUTS:
        first, last = _extents(whole)[side % 2]
        taken = max(1, round(share * (last - first)))
        kept = slice(first + taken, None) if side < 2 else slice(None, last - taken)
        yield f"cut by {share:.0%}", _encoded(whole.pixels[kept] if side % 2 == 0 else whole.pixels[:, kept])


def _extents(whole: Whole) -> tuple[tuple[int, int], tuple[int, int]]:
    return (whole.top, whole.bottom), (whole.left, whole.right)


def _products(arguments: argparse.Namespace) -> Iterator[Whole]:
    if arguments.cutouts:
        paths = sorted(path for path in arguments.cutouts.rglob("*") if path.suffix.lower() in (".png", ".webp"))
        images = (decode(path.read_bytes(), DecodeLimits()) for path in paths)
        found = (image for image in images if image.alpha is not None and is_informative(image.alpha))
        for image in itertools.islice(found, arguments.count):
            assert image.alpha is not None
            yield _boxed(_shrunk(image.pixels), _shrunk(image.alpha))
    if arguments.renders:
        for folder in sorted(path.parent for path in arguments.renders.glob("*/white.jpg"))[: arguments.count]:
            alpha = cv2.imread(str(folder / "alpha.png"), cv2.IMREAD_GRAYSCALE)
            yield _boxed(_rgb(cv2.imread(str(folder / "white.jpg"))), np.asarray(alpha, dtype=np.uint8))


def _boxed(pixels: Pixels, alpha: Pixels) -> Whole:
    product = main_parts(alpha > 128, 0.05)  # a shadow that floats apart is none of it
    rows, columns = np.flatnonzero(product.any(axis=1)), np.flatnonzero(product.any(axis=0))
    return Whole(pixels, int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def _shrunk(pixels: Pixels) -> Pixels:
    scale = min(1.0, _SIDE / max(pixels.shape[:2]))
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _encoded(pixels: Pixels) -> Pixels:
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    return _rgb(cv2.imdecode(data, cv2.IMREAD_COLOR))


def _rgb(bgr: Pixels) -> Pixels:
    return np.ascontiguousarray(bgr[..., ::-1])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cutouts", type=Path)
    parser.add_argument("--renders", type=Path)
    parser.add_argument("--count", type=int, default=60, help="products of each folder at most")
    return parser.parse_args()


if __name__ == "__main__":
    main()
