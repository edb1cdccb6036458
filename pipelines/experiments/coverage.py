"""Do the intervals cover as often as they claim, and does peeking stay honest? Many simulated experiments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pipelines.experiments.lifts import METRICS, Estimate, counts_of, estimate, quantile
from pipelines.experiments.sequential import always_valid_half_width, boundaries, normal_equivalent, student_equivalent
from pipelines.experiments.simulate import Market, TrueLifts, many
from pipelines.experiments.traffic import Traffic

_REAL = NDArray[np.float64]


class Covered(NamedTuple):
    """How a metric's intervals did.

    Attributes:
        truth: the lift that was put in.
        mean: geometric mean of the estimated ratios, less one.
        jackknife, sandwich, independent: share of intervals that hold the truth: the ones that reports give, those of
            the clustered regression (CV1, normal), and those that take every click for independent.
        ci: a 95 % interval (Wilson) of `jackknife`.
    """

    metric: str
    truth: float
    mean: float
    jackknife: float
    sandwich: float
    independent: float
    ci: tuple[float, float]


class Peeked(NamedTuple):
    """How often a rule saw an effect at some look, and its Wilson interval."""

    rule: str
    share: float
    ci: tuple[float, float]


def coverage(
    market: Market, lifts: TrueLifts, simulations: int, seed: int, alpha: float = 0.05, batch: int = 50
) -> list[Covered]:
    """Each metric's coverage over `simulations` experiments."""
    held: dict[str, list[_REAL]] = {metric: [] for metric in METRICS}
    shares = (1 - market.treated_share, market.treated_share)
    for traffic in many(market, lifts, simulations, seed, batch):
        for metric in METRICS:
            clicks, exposure = (None if part is None else part.sum(axis=-3) for part in counts_of(metric, traffic))
            assert clicks is not None
            held[metric].append(_holds(clicks, exposure, shares, getattr(lifts, metric), alpha))
    return [_covered(metric, np.concatenate(held[metric]), getattr(lifts, metric), simulations) for metric in METRICS]


def _holds(clicks: _REAL, exposure: _REAL | None, shares: tuple[float, float], truth: float, alpha: float) -> _REAL:
    """[batch, 4]: the log ratio, and whether each kind of interval holds the truth."""
    found = estimate(clicks, exposure, shares)
    off = np.abs(found.log_ratio - np.log1p(truth))
    z = stats.norm.isf(alpha / 2)
    independent = np.sqrt((1 / clicks.sum(axis=-1)).sum(axis=-1))
    return np.stack(
        [
            found.log_ratio,
            off <= quantile(alpha, found.df) * found.se,
            off <= z * sandwich_se(clicks, exposure),
            off <= z * independent,
        ],
        axis=-1,
    )


def sandwich_se(clicks: _REAL, exposure: _REAL | None) -> _REAL:
    """The clustered regression's standard error (CV1) in closed form, [...] of [..., 2, products]."""
    base = np.ones_like(clicks) if exposure is None else exposure
    total = clicks.sum(axis=-1, keepdims=True)
    score = (clicks - total / base.sum(axis=-1, keepdims=True) * base) / total
    spread = ((score[..., 1, :] - score[..., 0, :]) ** 2).sum(axis=-1)
    products = clicks.shape[-1]
    se: _REAL = np.sqrt(spread * products / (products - 1))
    return se


def _covered(metric: str, rows: _REAL, truth: float, simulations: int) -> Covered:
    mean, jackknife, sandwich, independent = map(float, rows.mean(axis=0))
    return Covered(
        metric,
        truth,
        float(np.expm1(mean)),
        jackknife,
        sandwich,
        independent,
        wilson(jackknife * simulations, simulations),
    )


def wilson(successes: float, trials: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    found = stats.binomtest(round(successes), trials).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def peeking(
    market: Market,
    lifts: TrueLifts,
    simulations: int,
    seed: int,
    alpha: float = 0.05,
    mixing_sd: float = 0.1,
    batch: int = 50,
) -> list[Peeked]:
    """How often each rule finds an effect of the click rate when it looks after every day."""
    crossed = [
        crossings(_by_day(traffic), alpha, mixing_sd) for traffic in many(market, lifts, simulations, seed, batch)
    ]
    names = crossed[0].keys()
    counts = {name: float(sum(part[name].sum() for part in crossed)) for name in names}
    return [Peeked(name, counts[name] / simulations, wilson(counts[name], simulations)) for name in names]


def _by_day(traffic: Traffic) -> Estimate:
    return estimate(np.cumsum(traffic.clicks, axis=-3), np.cumsum(traffic.impressions, axis=-3))


def crossings(found: Estimate, alpha: float, mixing_sd: float) -> dict[str, NDArray[np.bool_]]:
    """Which experiments a rule calls different at any look; estimates are [batch, looks]."""
    t = np.abs(found.log_ratio) / found.se
    z = normal_equivalent(t, found.df)
    looks = found.se.shape[-1]
    shares = [(at + 1) / looks for at in range(looks)]
    always = student_equivalent(always_valid_half_width(found.se, alpha, mixing_sd) / found.se, found.df)
    spent = {
        name: np.stack([boundaries(shares, alpha, name, 1 / se**2) for se in found.se])
        for name in ("obrien_fleming", "pocock")
    }
    return {
        "the last look only": t[:, -1] > quantile(alpha, found.df[:, -1]),
        "naive: stop at the first p < alpha": _any(t > quantile(alpha, found.df)),
        "group-sequential, O'Brien-Fleming spending": _any(z > spent["obrien_fleming"]),
        "group-sequential, Pocock spending": _any(z > spent["pocock"]),
        "always valid": _any(t > always),
    }


def _any(crossed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return crossed.any(axis=-1)


def as_text(covered: Iterable[Covered]) -> str:
    """A Markdown table."""
    head = (
        "| metric | true lift | mean estimate | reports' interval | clustered regression (CV1) | clicks independent |"
    )
    lines = [head, "|---|---|---|---|---|---|"]
    for row in covered:
        lines.append(
            f"| {row.metric} | {row.truth:+.1%} | {row.mean:+.1%} | **{row.jackknife:.1%}** "
            f"({row.ci[0]:.1%}-{row.ci[1]:.1%}) | {row.sandwich:.1%} | {row.independent:.1%} |"
        )
    return "\n".join(lines)


def peeking_text(peeked: Iterable[Peeked]) -> str:
    """A Markdown table."""
    lines = ["| rule, looking after every day | called different |", "|---|---|"]
    lines += [f"| {row.rule} | {row.share:.1%} ({row.ci[0]:.1%}-{row.ci[1]:.1%}) |" for row in peeked]
    return "\n".join(lines)
