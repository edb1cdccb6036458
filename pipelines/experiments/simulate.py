"""Traffic with known lifts: few products have most of it, and clicks of one product are alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.experiments.traffic import COUNTS, Traffic

_REAL = NDArray[np.float64]


class TrueLifts(NamedTuple):
    """Shares: 0.18 is +18 %."""

    ctr: float
    long_click_rate: float
    click_volume: float


PUBLISHED: Mapping[str, TrueLifts] = {
    "background": TrueLifts(0.180, 0.076, 0.186),  # arXiv 2603.06453, the two tasks' online results
    "outpaint": TrueLifts(0.125, 0.068, 0.129),
    "none": TrueLifts(0.0, 0.0, 0.0),
}


@dataclass(frozen=True)
class Market:
    """How traffic comes about.

    Attributes:
        products: how many.
        days: how long.
        daily_impressions: mean of a product in both arms together, for a day.
        spread: sd of the log of a product's traffic; at 1.5 a tenth of the products has 61 % of it.
        ctr: mean click rate of the control.
        ctr_cv: coefficient of variation of products' click rates.
        effect_sd: sd of the log of a product's own effect around the mean effect.
        noise_cv: coefficient of variation of a product's traffic in an arm from day to day.
        long_share: share of clicks that are long, in the control.
        split: `impressions` (a product is in both arms) or `products` (in one).
        treated_share: of the traffic.
    """

    products: int = 500
    days: int = 14
    daily_impressions: float = 300.0
    spread: float = 1.5
    ctr: float = 0.012
    ctr_cv: float = 0.6
    effect_sd: float = 0.15
    noise_cv: float = 0.2
    long_share: float = 0.35
    split: str = "impressions"
    treated_share: float = 0.5


def simulate(market: Market, lifts: TrueLifts, seed: int, *, batch: int = 1) -> tuple[_REAL, _REAL, _REAL]:
    """Impressions, clicks and long clicks, each float64 [batch, days, 2, products], control first.

    The lifts are those of the population of products: a product's effect has mean 1 and is independent of its traffic.
    """
    noise = np.random.Generator(np.random.Philox(seed))
    size = (batch, market.products)
    traffic = market.daily_impressions * _lognormal(noise, market.spread, size)
    rate = market.ctr * _gamma(noise, market.ctr_cv, size)
    effect = (1 + lifts.ctr) * _lognormal(noise, market.effect_sd, size)
    wins = (1 + lifts.click_volume) / (1 + lifts.ctr)  # what is clicked more is shown a little more
    seen = np.stack([traffic * (1 - market.treated_share), traffic * market.treated_share * wins], axis=1)
    if market.split == "products":
        treated = noise.random(size) < market.treated_share
        seen = np.stack([traffic * ~treated, traffic * treated * wins], axis=1)
    shape = (batch, market.days, 2, market.products)
    impressions = noise.poisson(seen[:, None] * _gamma(noise, market.noise_cv, shape))
    clicked = np.minimum(np.stack([rate, rate * effect], axis=1), 0.5)
    clicks = noise.binomial(impressions, np.broadcast_to(clicked[:, None], shape))
    stay = market.long_share * np.array([1.0, (1 + lifts.long_click_rate) / (1 + lifts.ctr)])
    long_clicks = noise.binomial(clicks, np.broadcast_to(stay[:, None], (2, market.products)))
    return impressions.astype(float), clicks.astype(float), long_clicks.astype(float)


def many(market: Market, lifts: TrueLifts, simulations: int, seed: int, batch: int = 50) -> Iterator[Traffic]:
    """`simulations` experiments in batches; a batch's arrays are [batch, days, 2, products]."""
    names = tuple(map(str, range(market.products)))
    days = tuple(f"day {day + 1:02d}" for day in range(market.days))
    for number, start in enumerate(range(0, simulations, batch)):
        counts = simulate(market, lifts, seed + number, batch=min(batch, simulations - start))
        yield Traffic(*counts, days, names, ("control", "treatment"))


def as_table(market: Market, lifts: TrueLifts, seed: int) -> pa.Table:
    """One simulated experiment as the table that `report` takes."""
    traffic = replace(next(many(market, lifts, 1, seed)))
    counts = [getattr(traffic, name)[0] for name in COUNTS]
    day, arm, product = np.nonzero(counts[0])
    cells = {name: values[day, arm, product].astype(np.int64) for name, values in zip(COUNTS, counts, strict=True)}
    names = np.array(traffic.products)[product]
    return pa.table(
        {
            "day": np.array(traffic.days)[day],
            "arm": np.array(traffic.arms)[arm],
            "product_id": [f"product-{int(name):04d}" for name in names],
            **cells,
        }
    )


def _lognormal(noise: np.random.Generator, sd: float, size: tuple[int, ...]) -> _REAL:
    """Mean 1."""
    return noise.lognormal(-(sd**2) / 2, sd, size) if sd else np.ones(size)


def _gamma(noise: np.random.Generator, cv: float, size: tuple[int, ...]) -> _REAL:
    """Mean 1."""
    return noise.gamma(cv**-2, cv**2, size) if cv else np.ones(size)
