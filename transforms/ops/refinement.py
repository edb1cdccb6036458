"""What is kept of the mask refiner's answer: edges and gaps, but no patch that had better been left alone."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from transforms.ops.masks import Evidence, components, dilated
from transforms.records import Mask

Real = NDArray[np.float32]
Means = NDArray[np.float64]

# What such patches are, over renders that no network was trained on, is counted by benchmarks.refined_patches.
LEAST_PATCH = 12  # pixels at working size; what is smaller is an edge that moved
SURE = 0.7  # mean probability before, above which a patch was product
OTHER_COLOR, LARGE = 1.5, 40  # dE from the backdrop, and pixels, above which a patch was product: a gap has its colour
OPENED = 0.15  # mean probability before, below which colour had opened a gap


class Patches(NamedTuple):
    """Connected patches of some change, of which entry 0 is everything else.

    `labels`: int32 [H, W]; `areas`: pixels; `before`, `distance`: means of the probability before and of the colour's
    distance from the backdrop, dE.
    """

    labels: NDArray[np.int32]
    areas: NDArray[np.int64]
    before: Means
    distance: Means

    def chosen(self, which: NDArray[np.bool_]) -> Mask:
        """Where those patches lie that are no mere edges and of which `which` is true, bool [H, W]."""
        return (which & (self.areas >= LEAST_PATCH))[self.labels]


def settle(coarse: Real, refined: Real, evidence: Evidence) -> Real:
    """`refined` with those patches taken back that had better been left alone; float32 [H, W].

    The refiner opens what has the backdrop's colour. It is right about gaps; not about white stripes and prints, of
    which the networks were sure, or whose colour is near the backdrop's and not the same.

    Args:
        coarse: the probability before, float32 [H, W].
        refined: the refiner's, float32 [H, W].
        evidence: of a smooth backdrop's colours.
    """
    cut = patches_of((coarse > 0.5) & (refined < 0.5), coarse, evidence)
    own = cut.chosen((cut.before > SURE) | ((cut.distance > OTHER_COLOR) & (cut.areas > LARGE)))
    kept = dilated(own, 1) & (coarse > 0.5)
    added = patches_of((coarse < 0.5) & (refined > 0.5), coarse, evidence)
    settled = np.where(kept, np.maximum(coarse, refined), refined)
    return cast(Real, np.where(added.chosen(added.before < OPENED), coarse, settled))


def patches_of(changed: Mask, coarse: Real, evidence: Evidence) -> Patches:
    """The patches of what `changed`, bool [H, W]; see `settle`."""
    labels, areas = components(changed)
    planes = (coarse, evidence.distance)
    means = [
        np.bincount(labels.ravel(), plane.ravel(), minlength=len(areas)) / np.maximum(areas, 1) for plane in planes
    ]
    return Patches(labels, areas, *means)
