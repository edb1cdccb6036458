"""White patches inside products before a bleached backdrop: does it show through them, or are they the product's own?

    python -m benchmarks.bleached_patches --renders DIR

Of the white renders of `benchmarks.segmentation`'s folder, bleached as shops bleach, each product is seen twice: as it
is, and with a sharp print of pure white on it. Prints, for both, what the patches are that
`transforms.ops.bleached.enclosed_gaps` takes for gaps, those of which the networks are too sure, and those whose rims
are too soft.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.local_models import local_client
from benchmarks.segmentation import rendered
from transforms.inference.interface import InferenceClient
from transforms.looks import look, scaled
from transforms.ops import bleached
from transforms.ops.backdrop import border_ring
from transforms.ops.masks import eroded, resized
from transforms.records import Matte, Pixels, Size

_BLEACHED_PERCENTILE = 3  # of the border, that becomes white: all but its darkest
_PRINTING = 11  # seed
_MARGIN = 4  # pixels between a print and its product's outline
_SIZES = (0.12, 0.35)  # of a print, as shares of the square root of the product's area
_LOOKED_AT = 0.5  # mean probability from which a patch counts


class Found(NamedTuple):
    """A patch's pixels at working size, the share of it that is product, and its measures."""

    area: int
    product: float
    patch: bleached.Patch


def bleach(pixels: Pixels) -> Pixels:
    """`pixels` (uint8 [H, W, 3]) with levels drawn up until the border is pure white."""
    border = pixels[border_ring(Size(*pixels.shape[:2]))].reshape(-1, 3)
    level = np.percentile(border, _BLEACHED_PERCENTILE, axis=0)
    return np.clip(np.rint(pixels * (255 / np.maximum(level, 1))), 0, 255).astype(np.uint8)


def printed(pixels: Pixels, truth: Matte, number: int) -> Pixels:
    """`pixels` (uint8 [H, W, 3]) with a disk, a label or letters of pure white on the product."""
    inner = eroded(truth > 0.99, _MARGIN)
    places = np.argwhere(inner)
    if not len(places):
        return pixels
    rng = np.random.Generator(np.random.Philox(key=[_PRINTING, number]))
    row, column = (int(at) * 4 for at in places[rng.integers(len(places))])
    side = int(4 * len(places) ** 0.5 * rng.uniform(*_SIZES))
    large = np.zeros((4 * truth.shape[0], 4 * truth.shape[1]), np.uint8)
    if number % 3 == 0:
        cv2.circle(large, (column, row), side // 2, (255,), -1)
    elif number % 3 == 1:
        cv2.rectangle(large, (column - side // 2, row - side // 3), (column + side // 2, row + side // 3), (255,), -1)
    else:
        cv2.putText(
            large,
            "B8",
            (column - side // 2, row + side // 2),
            cv2.FONT_HERSHEY_TRIPLEX,
            side / 20,
            (255,),
            side // 8 + 2,
        )
    share = cv2.resize(large, truth.shape[::-1], interpolation=cv2.INTER_AREA)[..., None] / 255 * inner[..., None]
    return np.rint(pixels * (1 - share) + 255 * share).astype(np.uint8)


def patches_of(pixels: Pixels, truth: Matte, client: InferenceClient) -> Iterator[Found]:
    """The white patches of a picture that the networks take for product, where its backdrop is bleached."""
    if bleached.bleached_backdrop(pixels) is None:
        return
    coarse = look(pixels, client).merged()
    size = Size(*coarse.shape)
    real = resized(truth, size)
    for patch in bleached.white_patches(scaled(pixels, size), coarse):
        if patch.sure > _LOOKED_AT:
            yield Found(int(np.count_nonzero(patch.mask)), float(real[patch.mask].mean()), patch)


def print_table(found: list[Found]) -> None:
    """What the patches are, as Markdown."""
    print("| patches | number | product | pixels product | pixels gap |")
    print("|---|---|---|---|---|")
    groups = {
        "taken for gaps": [one for one in found if bleached.is_gap(one.patch)],
        "the networks are sure": [one for one in found if one.patch.sure >= bleached.GAP_SURE],
        "others, small or of a soft rim": [
            one for one in found if one.patch.sure < bleached.GAP_SURE and not bleached.is_gap(one.patch)
        ],
    }
    for name, ones in groups.items():
        own = sum(one.area * one.product for one in ones)
        gap = sum(one.area for one in ones) - own
        print(f"| {name} | {len(ones)} | {sum(one.product > 0.5 for one in ones)} | {own:,.0f} | {gap:,.0f} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renders", type=Path, required=True, help="folder of rendered products")
    args = parser.parse_args()
    client = local_client()
    plain: list[Found] = []
    marked: list[Found] = []
    for number, sample in enumerate(one for one in rendered(args.renders) if one.backdrop == "white"):
        pixels, truth = sample.read()
        white = bleach(pixels)
        plain += patches_of(white, truth, client)
        marked += patches_of(printed(white, truth, number), truth, client)
    print_table(plain)
    print_table(marked)


if __name__ == "__main__":
    main()
