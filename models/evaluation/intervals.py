"""How sure a mean is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import bootstrap


class Mean(NamedTuple):
    """A mean and its 95 % interval."""

    value: float
    low: float
    high: float


def mean_of(values: Sequence[float], seed: int = 0) -> Mean:
    """The mean with a percentile bootstrap's interval, resampled by input.

    >>> mean_of([2.0, 2.0, 2.0])
    Mean(value=2.0, low=2.0, high=2.0)
    """
    sample = np.asarray(values, np.float64)
    if not len(sample):
        return Mean(float("nan"), float("nan"), float("nan"))
    if np.ptp(sample) == 0:
        return Mean(*[float(sample[0])] * 3)
    rng = np.random.default_rng(seed)
    found = bootstrap((sample,), np.mean, n_resamples=2000, method="percentile", rng=rng).confidence_interval
    return Mean(float(sample.mean()), float(found.low), float(found.high))
