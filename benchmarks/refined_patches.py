"""Patches that the mask refiner cuts out: are they gaps, or the product's own?

    python -m benchmarks.refined_patches --renders DIR

The folder as `benchmarks.segmentation` takes it. Prints, for each rule of `transforms.ops.refinement.settle`, how many
patches and pixels it keeps, and how many are cut, by what the exact masks say that they are.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.local_models import local_client
from benchmarks.segmentation import rendered
from transforms.inference.interface import InferenceClient
from transforms.looks import look
from transforms.ops.masks import resized
from transforms.ops.refinement import LARGE, LEAST_PATCH, OTHER_COLOR, SURE, patches_of
from transforms.records import Matte, Pixels, Size
from transforms.segment import answer_of, join


class Patch(NamedTuple):
    """A patch that the refiner cuts: pixels, means before it did, and the share that is product."""

    area: int
    before: float
    distance: float
    product: float

    def rule(self) -> str:
        """What keeps it: `sure`, `other colour`; or `cut`."""
        if self.before > SURE:
            return "sure"
        return "other colour" if self.distance > OTHER_COLOR and self.area > LARGE else "cut"


def cuts_of(pixels: Pixels, truth: Matte, client: InferenceClient) -> list[Patch]:
    """What the refiner cuts out of a picture's product before a smooth backdrop; nothing without one."""
    seen = join(pixels, look(pixels, client))
    if seen.evidence is None:
        return []
    refined = answer_of(seen, seen.evidence, client)
    found = patches_of((seen.probability > 0.5) & (refined < 0.5), seen.probability, seen.evidence)
    real = resized(truth.astype(np.float32), Size(*refined.shape))
    product = np.bincount(found.labels.ravel(), real.ravel(), minlength=len(found.areas)) / np.maximum(found.areas, 1)
    rows = zip(found.areas.tolist(), found.before.tolist(), found.distance.tolist(), product.tolist(), strict=True)
    return [Patch(*row) for row in rows if row[0] >= LEAST_PATCH]


def table_of(patches: Iterable[Patch]) -> str:
    """Patches by rule, as Markdown."""
    held = list(patches)
    lines = ["| | patches | product | pixels product | pixels gap |", "|---|---|---|---|---|"]
    for rule in ("sure", "other colour", "cut"):
        own = [patch for patch in held if patch.rule() == rule]
        inside = round(sum(patch.area * patch.product for patch in own))
        count = sum(patch.product > 0.5 for patch in own)
        lines.append(f"| {rule} | {len(own)} | {count} | {inside} | {sum(patch.area for patch in own) - inside} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renders", type=Path, required=True, help="folder of rendered products")
    args = parser.parse_args()
    client = local_client()
    samples = [sample for sample in rendered(args.renders) if sample.backdrop != "scene"]
    print(table_of(patch for sample in samples for patch in cuts_of(*sample.read(), client)))


if __name__ == "__main__":
    main()
