import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.experiments.lifts import estimate, quantile
from pipelines.experiments.power import Plan, detectable_lift, impressions_needed, measured_plan, power
from pipelines.experiments.simulate import Market, TrueLifts, many
from pipelines.experiments.traffic import Traffic
from transforms.errors import ConfigError


def test_the_formula_of_the_books_is_met_for_independent_clicks() -> None:
    """n = 2 (1.96 + 0.84)^2 (1 / (rate (1 + lift)) + 1 / rate) / log(1 + lift)^2 in both arms together."""
    expected = 2 * 2.8016**2 * (1 / 0.011 + 1 / 0.01) / np.log(1.1) ** 2
    assert impressions_needed(Plan(0.01), 0.10) == pytest.approx(expected, rel=1e-3)


@settings(deadline=None, max_examples=30)
@given(st.floats(0.001, 0.2), st.floats(0.01, 0.5), st.floats(1.0, 30.0), st.floats(0.1, 0.9))
def test_the_detectable_lift_is_the_inverse_of_the_impressions(
    rate: float, lift: float, effect: float, share: float
) -> None:
    plan = Plan(rate, effect, treated_share=share)
    needed = impressions_needed(plan, lift)
    assert power(plan, lift, needed) == pytest.approx(0.8, abs=1e-6)
    assert detectable_lift(plan, needed) == pytest.approx(lift, rel=1e-3)
    assert impressions_needed(Plan(rate, 2 * effect, treated_share=share), lift) == pytest.approx(2 * needed, rel=1e-3)


def test_an_experiment_of_the_size_that_was_told_finds_the_lift_as_often_as_was_told() -> None:
    lifts = TrueLifts(0.08, 0.08, 0.08)
    market = Market(products=20_000, days=1, daily_impressions=4000, spread=0.7)
    past = next(many(market, lifts, 1, seed=1))
    plan = measured_plan(_first(past), "ctr", 0.05, 0.5)
    products = round(impressions_needed(plan, 0.08, 0.8) / 4000)
    found = 0
    for batch in many(Market(products=products, days=1, daily_impressions=4000, spread=0.7), lifts, 1000, seed=2):
        result = estimate(batch.clicks[:, 0], batch.impressions[:, 0])
        found += int((result.log_ratio > quantile(0.05, result.df) * result.se).sum())
    assert found / 1000 == pytest.approx(0.8, abs=0.05)


def _first(batch: Traffic) -> Traffic:
    return Traffic(batch.impressions[0], batch.clicks[0], batch.long_clicks[0], batch.days, batch.products, batch.arms)


@pytest.mark.parametrize("lift", [0.0, -1.0, -2.0])
def test_a_lift_of_nothing_needs_no_experiment(lift: float) -> None:
    with pytest.raises(ConfigError, match="--lift"):
        impressions_needed(Plan(0.01), lift)


def test_a_plan_without_sense_is_refused() -> None:
    with pytest.raises(ConfigError, match="--design_effect"):
        Plan(0.01, 0.0)
    with pytest.raises(ConfigError, match="within"):
        Plan(1.5)


@pytest.mark.parametrize("lift", [1e-9, 1000.0, float("inf")])
def test_a_lift_that_no_sensible_traffic_sees_is_refused(lift: float) -> None:
    with pytest.raises(ConfigError, match="needs fewer than 10 impressions, or more"):
        impressions_needed(Plan(0.5), lift)


@pytest.mark.parametrize("impressions", [0.0, -1.0, 1e17, float("inf"), float("nan")])
def test_impressions_beyond_sense_are_refused(impressions: float) -> None:
    with pytest.raises(ConfigError, match="impressions"):
        detectable_lift(Plan(0.01), impressions)


@pytest.mark.parametrize("effect", [0.0, float("inf"), float("nan")])
def test_a_design_effect_that_is_none_is_refused(effect: float) -> None:
    with pytest.raises(ConfigError, match="--design_effect"):
        Plan(0.01, effect)
