import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.experiments.coverage import coverage, sandwich_se
from pipelines.experiments.glm import fit
from pipelines.experiments.lifts import METRICS, counts_of, estimate, lift_of
from pipelines.experiments.simulate import PUBLISHED, Market, TrueLifts, many
from pipelines.experiments.traffic import Traffic
from transforms.errors import TableError

MARKET = Market(products=300, days=1, daily_impressions=4000)


def one(market: Market, lifts: TrueLifts, seed: int = 1) -> Traffic:
    batch = next(many(market, lifts, 1, seed))
    return Traffic(batch.impressions[0], batch.clicks[0], batch.long_clicks[0], batch.days, batch.products, batch.arms)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("split", ["impressions", "products"])
def test_the_estimate_is_the_clustered_regressions_and_its_error_no_smaller(metric: str, split: str) -> None:
    traffic = one(Market(products=300, days=1, daily_impressions=4000, split=split), PUBLISHED["background"])
    counts, exposure = (None if part is None else part[0] for part in counts_of(metric, traffic))
    assert counts is not None
    found, regression = estimate(counts, exposure), fit(metric, traffic)
    assert float(found.log_ratio) == pytest.approx(regression.log_ratio, abs=1e-9)
    rows = counts.size if exposure is None else int((exposure > 0).sum())
    for_two_terms = np.sqrt((rows - 1) / (rows - 2))  # statsmodels' correction for the terms that it fits
    assert float(sandwich_se(counts, exposure)) * for_two_terms == pytest.approx(regression.clustered_se, rel=1e-6)
    assert 1.0 <= float(found.se) / regression.clustered_se < 1.3


def test_a_bootstrap_of_products_agrees_with_the_jackknife() -> None:
    traffic = one(Market(products=400, days=1, daily_impressions=4000, spread=1.0), PUBLISHED["background"])
    clicks, shown = traffic.clicks[0], traffic.impressions[0]
    draws = np.random.default_rng(5).integers(0, 400, (3000, 400))
    rates = clicks[:, draws].sum(axis=-1) / shown[:, draws].sum(axis=-1)
    bootstrapped = np.log(rates[1] / rates[0])
    found = estimate(clicks, shown)
    assert float(found.se) == pytest.approx(bootstrapped.std(), rel=0.1)
    lift = lift_of("ctr", traffic, 0.05, (0.5, 0.5))
    assert [np.log1p(lift.low), np.log1p(lift.high)] == pytest.approx(
        list(np.quantile(bootstrapped, [0.025, 0.975])), abs=0.15 * 4 * float(found.se)
    )


@settings(deadline=None)
@given(st.integers(2, 6), st.floats(0.05, 0.95))
def test_scaling_the_traffic_of_an_arm_moves_no_rate_and_shares_correct_the_volume(factor: int, share: float) -> None:
    clicks = np.array([[10.0, 5, 3], [12, 9, 2]])
    shown = np.array([[400.0, 300, 90], [410, 320, 95]])
    scaled = np.array([[1.0], [factor]])
    same = estimate(clicks * scaled, shown * scaled)
    assert float(same.log_ratio) == pytest.approx(float(estimate(clicks, shown).log_ratio))
    assert float(same.se) == pytest.approx(float(estimate(clicks, shown).se))
    volume = estimate(clicks, None, (1 - share, share))
    assert float(volume.log_ratio) == pytest.approx(np.log(23 / share) - np.log(18 / (1 - share)))


def test_swapping_the_arms_inverts_the_ratio() -> None:
    traffic = one(MARKET, PUBLISHED["outpaint"])
    clicks, shown = traffic.clicks[0], traffic.impressions[0]
    forth, back = estimate(clicks, shown), estimate(clicks[::-1], shown[::-1])
    assert float(forth.log_ratio) == pytest.approx(-float(back.log_ratio))
    assert float(forth.se) == pytest.approx(float(back.se))


def test_equal_products_have_nearly_all_degrees_of_freedom_and_one_giant_few() -> None:
    noise = np.random.default_rng(2)
    clicks = noise.poisson(1000, (2, 200)).astype(float)
    assert float(estimate(clicks).df) > 100
    clicks[:, 0] = [50_000, 60_000]
    assert float(estimate(clicks).df) < 5


def test_an_arm_whose_clicks_all_come_from_one_product_bounds_nothing() -> None:
    traffic = Traffic(
        np.full((1, 2, 2), 100.0),
        np.array([[[5.0, 0.0], [5.0, 5.0]]]),
        np.array([[[1.0, 1.0], [1.0, 1.0]]]),
        ("",),
        ("p", "q"),
        ("a", "b"),
    )
    lift = lift_of("ctr", traffic, 0.05, (0.5, 0.5))
    assert (lift.low, lift.high) == (-1.0, float("inf"))


def test_an_arm_without_clicks_is_refused() -> None:
    traffic = one(MARKET, PUBLISHED["none"])
    with pytest.raises(TableError, match="'treatment' has no clicks for ctr"):
        lift_of(
            "ctr",
            Traffic(
                traffic.impressions,
                traffic.clicks * np.array([1.0, 0.0])[:, None],
                traffic.long_clicks,
                traffic.days,
                traffic.products,
                traffic.arms,
            ),
            0.05,
            (0.5, 0.5),
        )


@pytest.mark.parametrize("name", ["background", "outpaint"])
@pytest.mark.parametrize("split", ["impressions", "products"])
def test_intervals_cover_the_published_lifts_as_often_as_they_claim(name: str, split: str) -> None:
    market = Market(products=300, days=1, daily_impressions=4200, split=split)
    for row in coverage(market, PUBLISHED[name], 1000, seed=7):
        assert 0.93 <= row.jackknife <= 0.985, row
        assert row.independent < 0.9, row  # the truth that a product's impressions are alike


def test_simulated_traffic_has_the_lifts_that_were_put_in() -> None:
    market = Market(products=20_000, days=1, daily_impressions=2000, spread=0.5)
    traffic = one(market, PUBLISHED["background"], seed=3)
    lifts = [lift_of(metric, traffic, 0.05, (0.5, 0.5)).lift for metric in METRICS]
    assert lifts == pytest.approx(list(PUBLISHED["background"]), abs=0.01)
