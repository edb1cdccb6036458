"""The kernel distance: unbiased, free of order, and blind to twins where they are told."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation.kernel_distance import kernel_distance, subset_distances


def drawn(seed, count=40, width=16, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1.0, (count, width))


def test_two_samples_of_one_thing_are_no_distance_apart_on_average():
    found = [kernel_distance(drawn(2 * seed), drawn(2 * seed + 1)) for seed in range(200)]
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 3 * error
    assert min(found) < 0 < max(found)


def test_the_average_does_not_depend_on_how_many_there_are():
    few = [kernel_distance(drawn(seed, 8), drawn(seed + 500, 8, shift=0.5)) for seed in range(300)]
    many = [kernel_distance(drawn(seed, 60), drawn(seed + 500, 60, shift=0.5)) for seed in range(60)]
    assert np.mean(few) == pytest.approx(np.mean(many), rel=0.15)


def test_what_differs_more_is_further():
    real = drawn(1, 80)
    near, far = (kernel_distance(drawn(2, 80, shift=shift), real) for shift in (0.3, 0.9))
    assert 0 < near < far


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_order_does_not_matter_and_neither_does_who_is_first(seed):
    one, other = drawn(seed, 9), drawn(seed + 1, 7)
    shuffled = one[np.random.default_rng(seed).permutation(len(one))]
    assert kernel_distance(shuffled, other) == pytest.approx(kernel_distance(one, other))
    assert kernel_distance(other, one) == pytest.approx(kernel_distance(one, other))


def test_twins_make_a_distance_too_small_unless_they_are_left_out():
    found = []
    for seed in range(100):
        real = drawn(seed, 12)
        painted = real + 0.1 * drawn(seed + 900, 12)
        found.append((kernel_distance(painted, real), kernel_distance(painted, real, paired=True)))
    loose, paired = np.mean(found, axis=0)
    assert loose < -0.1
    assert abs(paired) < 0.1


def test_a_set_against_itself_is_nothing_without_twins():
    assert kernel_distance(drawn(3), drawn(3), paired=True) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("one", "other", "paired"), [(1, 5, False), (5, 1, False), (5, 4, True)])
def test_sets_that_cannot_be_compared_are_refused(one, other, paired):
    with pytest.raises(ValueError, match="no distance"):
        kernel_distance(drawn(0, one), drawn(1, other), paired=paired)


def test_subsets_are_the_same_for_all_and_say_who_is_nearer():
    real, near, far = drawn(1, 60), drawn(2, 60, shift=0.2), drawn(3, 60, shift=1.0)
    found = subset_distances([near, far, near], real, count=20)
    assert found.shape == (3, 20)
    assert (found[0] < found[1]).all()
    assert (found[0] == found[2]).all()
    assert (subset_distances([near], real, count=20) == found[:1]).all()
