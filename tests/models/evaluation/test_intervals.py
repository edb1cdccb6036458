"""Intervals of means."""

import numpy as np

from models.evaluation.intervals import mean_of


def test_intervals_cover_the_mean_about_as_often_as_they_say():
    rng = np.random.default_rng(4)
    found = [mean_of(list(rng.exponential(2.0, 60)), seed) for seed in range(100)]
    assert 85 <= sum(mean.low <= 2.0 <= mean.high for mean in found) <= 100
    assert all(mean.low <= mean.value <= mean.high for mean in found)


def test_nothing_has_no_mean():
    assert np.isnan(mean_of([]).value)
