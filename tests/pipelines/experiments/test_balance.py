import numpy as np
import pytest
from scipy import stats

from pipelines.experiments.balance import check_balance
from pipelines.experiments.simulate import PUBLISHED, Market, many
from pipelines.experiments.traffic import Traffic


def experiments(market: Market, count: int, seed: int = 1) -> list[Traffic]:
    return [
        Traffic(*counts, batch.days, batch.products, batch.arms)
        for batch in many(market, PUBLISHED["none"], count, seed)
        for counts in zip(batch.impressions, batch.clicks, batch.long_clicks, strict=True)
    ]


def test_units_are_held_against_the_meant_share() -> None:
    traffic = experiments(Market(products=20, days=1), 1)[0]
    even = check_balance(traffic, 0.5, (100_000, 100_400))
    assert even.p_value == pytest.approx(stats.binomtest(100_400, 200_400).pvalue, abs=0.01)
    assert not even.suspicious
    assert check_balance(traffic, 0.5, (100_000, 102_000)).suspicious
    assert not check_balance(traffic, 0.1, (90_000, 10_000)).suspicious


def test_products_are_counted_where_each_is_in_one_arm() -> None:
    traffic = experiments(Market(products=4000, days=1, split="products"), 1)[0]
    assert check_balance(traffic, 0.5).what == "products"
    assert not check_balance(traffic, 0.5).suspicious
    assert check_balance(traffic, 0.45).suspicious


def test_impressions_of_even_arms_are_called_suspicious_no_more_often_than_chance() -> None:
    """A chi-square of single impressions would call nearly every one of them suspicious."""
    found = [check_balance(traffic, 0.5) for traffic in experiments(Market(products=200, days=3), 400)]
    p_values = np.array([balance.p_value for balance in found])
    assert found[0].what == "impressions"
    assert (p_values < 0.05).mean() == pytest.approx(0.05, abs=0.035)
    naive = [stats.chisquare([balance.control, balance.treatment]).pvalue for balance in found]
    assert (np.array(naive) < 0.05).mean() > 0.3
