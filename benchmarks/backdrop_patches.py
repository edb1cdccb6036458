"""Patches of a plain backdrop's colour inside what the networks take for product: are they gaps, or the product's own?

    python -m benchmarks.backdrop_patches --renders DIR [DIR ...] [--composed DIR --compositions 330]

Folders as `benchmarks.segmentation` takes them. Prints, for each rule of `transforms.ops.masks.exact_patches`, how many
patches within its limits are gaps and how many are product, at which mean difference a product's patches begin, and how
many of them are small ones of which the networks are sure, so that their outline alone decides.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.local_models import local_client
from benchmarks.segmentation import composed, rendered
from transforms.inference.interface import InferenceClient
from transforms.looks import look
from transforms.ops.backdrop import describe_backdrop
from transforms.ops.masks import EXACT, LARGE_GAP, LEAST_EXACT, SURE_PATCH, WHITISH, gather_evidence, resized
from transforms.records import Matte, Pixels, Size
from transforms.segment import STUDIO_SPREAD

_INSIDE = 0.3  # least mean probability of a patch that counts as inside


class Patch(NamedTuple):
    """A patch's mean difference and barrier, dE, the share of it that is product, and whether it is small and sure."""

    group: str
    mean: float
    fence: float
    product: float
    sure: bool


def patches_of(group: str, pixels: Pixels, truth: Matte, level: float, client: InferenceClient) -> list[Patch]:
    """The patches within `level` dE of a plain, not white backdrop that the networks' looks take for product."""
    backdrop = describe_backdrop(pixels)
    if not backdrop.plain or backdrop.spread > STUDIO_SPREAD or backdrop.color_lab[0] > WHITISH:
        return []
    looks = look(pixels, client)
    coarse = looks.merged()
    size = Size(*coarse.shape)
    small = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA).astype(np.uint8)
    evidence, real = gather_evidence(small, coarse, backdrop), resized(truth.astype(np.float32), size)
    count, labels = cv2.connectedComponents((evidence.distance < level).astype(np.uint8), connectivity=4)
    found = []
    for number in range(1, count):
        patch = labels == number
        if patch.sum() >= LEAST_EXACT and coarse[patch].mean() > _INSIDE:
            mean, fence, product = (float(plane[patch].mean()) for plane in (evidence.distance, evidence.barrier, real))
            sure = bool(patch.sum() < LARGE_GAP and coarse[patch].mean() >= SURE_PATCH)
            found.append(Patch(group, mean, fence, product, sure))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renders", type=Path, nargs="+", required=True, help="folders of rendered products")
    parser.add_argument("--composed", type=Path, help="cutouts of products that no network saw")
    parser.add_argument("--compositions", type=int, default=330, help="pictures composed of them (default %(default)s)")
    args = parser.parse_args()
    samples = [one for folder in args.renders for one in rendered(folder) if one.backdrop != "scene"]
    samples += list(composed(args.composed, args.compositions)) if args.composed else []
    client = local_client()
    for level, mean, fence in EXACT:
        found = [patch for one in samples for patch in patches_of(one.group, *one.read(), level, client)]
        fenced = [patch for patch in found if patch.fence > fence]
        opened = [patch for patch in fenced if patch.mean < mean]
        own = [patch.mean for patch in fenced if patch.product > 0.5]
        wrong = sum(patch.product > 0.5 for patch in opened)
        small = sum(patch.sure for patch in opened)
        print(
            f"within {level} dE, mean below {mean}, fence above {fence}: {len(opened)} opened in "
            f"{len({patch.group for patch in opened})} products, {wrong} of them product, {small} small and sure; "
            f"a product's patches begin at {min(own, default=float('nan')):.2f}"
        )


if __name__ == "__main__":
    main()
