"""Kernel distance between two sets of pictures, by their features (Binkowski et al. 2018, "Demystifying MMD GANs").

The squared maximum mean discrepancy under a cubic polynomial kernel, by its unbiased estimators (Gretton et al. 2012,
"A Kernel Two-Sample Test"): 0 on average where both sets show the same things, so single values may be negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def kernel_distance(one: Floats, other: Floats, *, paired: bool = False) -> float:
    """The unbiased distance of two sets.

    Args:
        one: features, [N, D], N > 1; other: [M, D], M > 1.
        paired: row i of both comes from the same thing, such as a picture and its original. Such twins are left out of
            the comparison (Gretton's equation 4); their likeness would make the distance too small.

    Raises:
        ValueError: a set is too small, or paired sets differ in length.
    """
    if min(len(one), len(other)) < 2 or (paired and len(one) != len(other)):
        raise ValueError(f"no distance of {len(one)} and {len(other)} pictures{' in pairs' if paired else ''}")
    across = _kernel(one, other)
    between = _without_twins(across) if paired else float(across.mean())
    return _without_twins(_kernel(one, one)) + _without_twins(_kernel(other, other)) - 2 * between


def subset_distances(
    sets: Sequence[Floats], real: Floats, *, paired: bool = False, count: int = 100, seed: int = 0
) -> NDArray[np.float64]:
    """Each set's distance to `real` over the same random subsets of half of both: spreads, and who is nearer how often.

    Args:
        sets: painters' features, [N, D] each, row i of all of them for the same input.
        real: features of real pictures, [M, D].
        paired: see `kernel_distance`; then the same rows are taken of `real`.
        count: of subsets; seed: of which.

    Returns:
        float64 [painters, count].
    """
    rng = np.random.default_rng(seed)
    found = np.empty((len(sets), count))
    for draw in range(count):
        rows = rng.permutation(len(sets[0]))[: max(2, len(sets[0]) // 2)]
        against = rows if paired else rng.permutation(len(real))[: max(2, len(real) // 2)]
        found[:, draw] = [kernel_distance(each[rows], real[against], paired=paired) for each in sets]
    return found


def _kernel(one: Floats, other: Floats) -> NDArray[np.float64]:
    product: NDArray[np.float64] = one.astype(np.float64) @ other.astype(np.float64).T
    return (product / one.shape[1] + 1) ** 3


def _without_twins(kernel: NDArray[np.float64]) -> float:
    """The mean of a square kernel matrix without its diagonal."""
    count = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (count * (count - 1)))
