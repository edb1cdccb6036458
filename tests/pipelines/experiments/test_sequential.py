import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipelines.experiments.coverage import peeking
from pipelines.experiments.sequential import (
    SPENDING,
    always_valid_half_width,
    boundaries,
    normal_equivalent,
    student_equivalent,
)
from pipelines.experiments.simulate import PUBLISHED, Market


def test_boundaries_are_the_published_ones() -> None:
    """Five equal looks at alpha 0.05, as the Lan-DeMets programs (ldbounds, gsDesign) print them."""
    shares = [0.2, 0.4, 0.6, 0.8, 1.0]
    assert boundaries(shares, 0.05) == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=5e-4)
    assert boundaries(shares, 0.05, "pocock") == pytest.approx([2.438, 2.427, 2.410, 2.397, 2.386], abs=5e-4)


def test_one_look_at_the_end_is_the_usual_test() -> None:
    assert boundaries([1.0], 0.05)[0] == pytest.approx(stats.norm.isf(0.025), abs=1e-6)


@pytest.mark.parametrize("spending", SPENDING)
def test_random_walks_cross_as_often_as_alpha_says(spending: str) -> None:
    shares = np.array([0.1, 0.15, 0.4, 0.45, 0.9, 1.0])
    steps = np.sqrt(np.diff(np.append(0, shares)))
    walk = np.cumsum(np.random.default_rng(4).normal(size=(200_000, 6)) * steps, axis=1) / np.sqrt(shares)
    crossed = (np.abs(walk) > boundaries(shares, 0.05, spending)).any(axis=1).mean()
    assert crossed == pytest.approx(0.05, abs=0.002)


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 1.0), min_size=2, max_size=20))
def test_information_that_stands_still_or_falls_gives_boundaries_all_the_same(information: list[float]) -> None:
    shares = np.arange(1, len(information) + 1) / len(information)
    found = boundaries(list(shares), 0.05, "obrien_fleming", np.array(information))
    assert np.isfinite(found).all()
    assert (found > 1.9).all()


def test_always_valid_intervals_hold_at_every_time_together() -> None:
    """A random walk watched at 2,000 times from information 20 to 40,000."""
    noise = np.random.default_rng(6)
    steps = noise.normal(size=(3000, 2000)) * np.sqrt(20)
    information = 20.0 * np.arange(1, 2001)
    estimates, se = np.cumsum(steps, axis=1) / information, 1 / np.sqrt(information)
    half = always_valid_half_width(se, 0.05, 0.1)
    missed = (np.abs(estimates) > half).any(axis=1).mean()
    assert missed <= 0.05
    assert (np.abs(estimates) > 1.96 * se).any(axis=1).mean() > 0.3


@settings(deadline=None)
@given(st.floats(-8, 8), st.floats(1, 500))
def test_scores_go_from_student_to_normal_and_back(t: float, df: float) -> None:
    z = normal_equivalent(np.array(t), np.array(df))
    assert abs(float(z)) <= abs(t) + 1e-9
    assert float(student_equivalent(np.abs(z), np.array(df))) == pytest.approx(abs(t), abs=1e-6)


def test_daily_peeking_keeps_alpha_where_naive_peeking_does_not() -> None:
    market = Market(products=200, days=10)
    shares = {row.rule: row.share for row in peeking(market, PUBLISHED["none"], 400, seed=11)}
    assert shares["naive: stop at the first p < alpha"] > 0.12
    assert shares["group-sequential, O'Brien-Fleming spending"] < 0.083  # 0.05 within three standard errors of 400
    assert shares["group-sequential, Pocock spending"] < 0.083
    assert shares["always valid"] <= 0.05


def test_a_true_lift_is_found_by_every_rule() -> None:
    market = Market(products=400, days=10)
    shares = {row.rule: row.share for row in peeking(market, PUBLISHED["background"], 50, seed=12)}
    assert min(shares.values()) >= 0.9
