"""Which pictures show a backdrop that a shadow can be kept from, and how even it is?

    python -m benchmarks.bare_backdrops --images DIR... [--count N]

Looks at the pictures below each folder whose border is plain, in a seeded order, and prints for each folder how uneven
their backdrops are (`transforms.ops.kept_shadow`), how many tell what they look like bare, and how many hold a shadow
that the studio would not paint anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.local_models import local_client
from transforms.background import BackgroundSettings
from transforms.errors import CanvasError
from transforms.inference.interface import InferenceClient
from transforms.ops.backdrop import describe_backdrop
from transforms.ops.decode import DecodeLimits, decode
from transforms.ops.kept_shadow import bare_backdrop, grain_of, off_product, shade_of, strength_of
from transforms.records import Pixels
from transforms.segment import Seen, join, look, matte, refine

_SEED = 4
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif")
_MASK = "alpha"  # `render_products` puts it beside its pictures


class Told(NamedTuple):
    """What a plain backdrop tells: unevenness in levels, whether it is known bare, the shadow's strength."""

    grain: float
    bare: bool
    strength: float


def told_of(pixels: Pixels, client: InferenceClient) -> Told | None:
    """What a picture's backdrop tells; None where its border is not plain."""
    if not describe_backdrop(pixels).plain:
        return None
    seen = refine(join(pixels, look(pixels, client)), client)
    grain = grain_of(seen.pixels, off_product(seen.probability))
    bare = bare_backdrop(seen.pixels, seen.probability, seen.backdrop)
    return Told(grain, bare is not None, 0.0 if bare is None else _strength(seen, bare))


def _strength(seen: Seen, bare: Pixels) -> float:
    alpha = cv2.resize(matte(seen.pixels, seen), seen.probability.shape[::-1])
    shade = shade_of(seen.pixels, seen.pixels, alpha.astype(np.float32), bare, np.ones(alpha.shape, np.bool_))
    return strength_of(shade, alpha.astype(np.float32))


def pictures_of(folder: Path) -> Iterator[Path]:
    """The pictures below a folder in a seeded order; unfinished renders and masks are left out."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.stem != _MASK)
    found = [path for path in found if path.parent.suffix != ".partial"]
    for number in np.random.default_rng(_SEED).permutation(len(found)):
        yield found[number]


def row_of(name: str, told: Sequence[Told]) -> str:
    """A folder's row of the table."""
    grain = np.array([each.grain for each in told] or [np.nan])
    strong = sum(each.strength >= BackgroundSettings().min_kept_shadow for each in told)
    spread = " | ".join(f"{value:.2f}" for value in (grain.min(), np.median(grain), grain.max()))
    return f"| {name} | {len(told)} | {spread} | {sum(each.bare for each in told)} | {strong} |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bare_backdrops", description=__doc__)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="folders of pictures")
    parser.add_argument("--count", type=int, help="pictures with a plain border of each folder at most (default all)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    client = local_client()
    print("| folder | plain borders | unevenness: least | median | greatest | known bare | strong shadow |")
    print(f"|{'---|' * 7}")
    for folder in args.images:
        told: list[Told] = []
        for path in pictures_of(folder):
            try:
                found = told_of(decode(path.read_bytes(), DecodeLimits()).pixels, client)
            except CanvasError:
                continue
            client.requests.clear()
            told += [found] if found is not None else []
            if args.count and len(told) >= args.count:
                break
        print(row_of(folder.name, told), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
