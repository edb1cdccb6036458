"""What the mask refiner learns from: pictures before plain backdrops as the segment stage sees them, with exact mattes.

    python -m models.data.clues --renders KNOWN --cutouts DIR --compositions 400 --out DIR
    python -m models.data.clues --renders UNSEEN --unseen --out DIR

`--renders` is a folder of `benchmarks.render_products`, `--cutouts` one of `models.data.lifted`, whose products are
composed before drawn sweeps. OUT gets <name>.npz with `pixels` uint8 [h, w, 3] (longest side 512), `alpha` uint8 [h, w]
and `clues` uint8 [n, h, w, 5]: see `transforms.ops.clues`, from n sets of looks. Our network is better on products that
it was trained on than on others; so of those a second set is U2-Net-p's alone, which never saw them, and a third lacks
our network's closer looks. `--unseen` says that it was not trained on them: one set tells how it errs. Pictures whose
backdrop is not smooth are left out. What is there already is not made again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from models.command import told
from models.data.backdrops import Real
from models.data.compositions import Bytes, compose
from models.data.cutouts import read_layers
from models.data.training_set import read_rgb
from models.serving.local import local_segmenters
from transforms.inference.interface import InferenceClient
from transforms.looks import look
from transforms.ops.clues import clues_of
from transforms.ops.mask_gate import Looks
from transforms.ops.masks import resized
from transforms.records import Size
from transforms.segment import join

_COMPOSING = 23  # seed of the composed pictures
_SIDES = (384, 640)  # pixels of the composed pictures


def variants(looks: Looks, *, unseen: bool) -> tuple[Looks, ...]:
    """`looks` as they are; unless `unseen`, also U2-Net-p's alone, and those without our network's closer ones."""
    if unseen:
        return (looks,)
    other = looks.others()
    alone = looks._replace(full=other, flipped=other, toned=other, zoomed=other, parts=other)
    return looks, alone, looks._replace(zoomed=looks.full, parts=looks.flipped)


def describe(pixels: Bytes, alpha: Real, client: InferenceClient, *, unseen: bool = False) -> dict[str, Bytes] | None:
    """One picture's arrays, see the module; None where its backdrop proves nothing.

    Args:
        pixels: uint8 [H, W, 3].
        alpha: float32 [H, W] in [0, 1].
        unseen: our network was not trained on the product.
    """
    planes = []
    looks = look(pixels, client)
    for variant in variants(looks, unseen=unseen):
        seen = join(pixels, variant)
        if seen.evidence is None:
            return None
        planes.append(clues_of(seen.probability, variant.merged(), seen.evidence))
    truth = resized(alpha, Size(*seen.probability.shape))
    return {"pixels": seen.pixels, "alpha": np.rint(255 * truth).astype(np.uint8), "clues": np.stack(planes)}


def rendered(folder: Path) -> Iterator[tuple[str, Bytes, Real]]:
    """(name, picture, matte) of every rendered picture."""
    for path in sorted(folder.glob("*/alpha.png")):
        if path.parent.suffix == ".partial":
            continue
        alpha = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert alpha is not None, path
        for picture in sorted(path.parent.glob("*.jpg")):
            yield f"{path.parent.name}.{picture.stem}", read_rgb(picture), alpha.astype(np.float32) / np.float32(255)


def composed(folder: Path, count: int) -> Iterator[tuple[str, Bytes, Real]]:
    """(name, picture, matte) of `count` compositions; each is the same whatever was made before."""
    paths = sorted(folder.glob("*.webp"))
    for number in range(count):
        rng = np.random.Generator(np.random.Philox(key=[_COMPOSING, number]))
        path, side = paths[rng.integers(len(paths))], int(rng.integers(*_SIDES))
        sample = compose(rng, read_layers(path), side, [])
        yield f"composed.{number:05d}", sample.pixels, sample.alpha


def keep(
    pictures: Iterator[tuple[str, Bytes, Real]], out: Path, client: InferenceClient, *, unseen: bool = False
) -> int:
    """Describe those of `pictures` that are not there; how many of all of them are there."""
    kept = 0
    left_out = out / "left_out.txt"
    known = set(left_out.read_text(encoding="utf-8").split("\n")) if left_out.exists() else set()
    for name, pixels, alpha in pictures:
        path = out / f"{name}.npz"
        if not path.exists() and name not in known:
            _keep_one(path, left_out, describe(pixels, alpha, client, unseen=unseen))
        kept += path.exists()
    return kept


def _keep_one(path: Path, left_out: Path, arrays: dict[str, Bytes] | None) -> None:
    if arrays is None:
        with left_out.open("a", encoding="utf-8") as file:
            file.write(f"{path.stem}\n")
        return
    beside = path.with_suffix(".writing")
    with beside.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    beside.replace(path)


def read_clues(path: Path) -> tuple[Bytes, Bytes, Bytes]:
    """(`pixels`, `alpha`, `clues`) of a file, see the module."""
    with np.load(path, allow_pickle=False) as held:
        return cast("tuple[Bytes, Bytes, Bytes]", tuple(held[name] for name in ("pixels", "alpha", "clues")))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.data.clues", description=__doc__)
    parser.add_argument("--renders", type=Path, help="folder of rendered products")
    parser.add_argument("--cutouts", type=Path, help="folder of cutouts")
    parser.add_argument("--compositions", type=int, default=400, help="pictures of cutouts (default %(default)s)")
    parser.add_argument("--unseen", action="store_true", help="our segmenter was not trained on these products")
    parser.add_argument("--out", type=Path, required=True, help="folder of the clues")
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    client = local_segmenters()
    kept = keep(rendered(args.renders), args.out, client, unseen=args.unseen) if args.renders else 0
    if args.cutouts:
        kept += keep(composed(args.cutouts, args.compositions), args.out, client, unseen=args.unseen)
    sys.stdout.write(f"{kept} pictures\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
