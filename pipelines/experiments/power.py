"""How much traffic an experiment needs, how small a lift it can see, and what it costs that products differ.

Power is that of the Poisson ratio test of statsmodels (Zhu, Lakkis, "Sample size calculation for comparing two
negative binomial rates", Statistics in Medicine 33, 2014), its variance multiplied by the design effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from statsmodels.stats.rates import power_poisson_ratio_2indep

from pipelines.experiments.glm import fit
from pipelines.experiments.lifts import counts_of, estimate
from pipelines.experiments.traffic import Traffic
from transforms.errors import ConfigError


@dataclass(frozen=True)
class Plan:
    """What an experiment starts from.

    Attributes:
        rate: of clicks per impression in the control.
        design_effect: how many times the variance is that of independent clicks. It is a property of products and of
            how much each is shown: it stays as it is when products are added, and grows when each is shown more.
        alpha: two-sided.
        treated_share: of the traffic.
    """

    rate: float
    design_effect: float = 1.0
    alpha: float = 0.05
    treated_share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1 or not 0 < self.alpha < 1 or not 0 < self.treated_share < 1:
            raise ConfigError("--rate, --alpha and --treated_share must lie within (0, 1)")
        if not 0 < self.design_effect < np.inf:
            raise ConfigError(
                f"--design_effect must be positive and finite, got {self.design_effect}",
                remedy="give another one; measured ones need several products in each arm",
            )


def power(plan: Plan, lift: float, impressions: float) -> float:
    """The chance to call a true `lift` different with `impressions` in both arms together."""
    return float(
        power_poisson_ratio_2indep(
            plan.rate * (1 + lift),
            plan.rate,
            impressions * plan.treated_share,
            nobs_ratio=1 / plan.treated_share - 1,
            value=1,
            alpha=plan.alpha,
            dispersion=plan.design_effect,
            alternative="two-sided",
            method_var="alt",
            return_results=False,
        )
    )


def impressions_needed(plan: Plan, lift: float, wanted: float = 0.8) -> float:
    """Impressions of both arms together for a chance of `wanted`.

    Raises:
        ConfigError: no traffic reaches it, as for a lift of nothing.
    """
    if not lift > -1 or lift == 0 or not plan.alpha < wanted < 1:
        raise ConfigError(f"--lift must be above -1 and not 0, --power above alpha and below 1: got {lift}, {wanted}")
    found = _solved(lambda log: power(plan, lift, float(np.exp(log))) - wanted, np.log(10.0), np.log(1e15))
    if found is None:
        raise ConfigError(f"a lift of {lift:g} needs fewer than 10 impressions, or more than {1e15:g}")
    return float(np.exp(found))


def detectable_lift(plan: Plan, impressions: float, wanted: float = 0.8) -> float:
    """The smallest gain that is called different with a chance of `wanted`.

    Raises:
        ConfigError: no gain is, or any is.
    """
    if not 0 < impressions < np.inf or not plan.alpha < wanted < 1:
        raise ConfigError(
            f"--impressions must be positive and finite, --power above alpha and below 1: got {impressions}, {wanted}"
        )
    if power(plan, 1e3, impressions) < wanted:
        raise ConfigError(f"{impressions:.0f} impressions see no lift at all", remedy="plan for more --impressions")
    found = _solved(lambda lift: power(plan, lift, impressions) - wanted, 1e-6, 1e3)
    if found is None:
        raise ConfigError(f"{impressions:g} impressions see a lift of less than 0.0001%")
    return found


def _solved(excess: Callable[[float], float], low: float, high: float) -> float | None:
    """Where `excess` is nothing between `low` and `high`; None where it is nowhere."""
    return float(brentq(excess, low, high)) if excess(low) * excess(high) <= 0 else None


def measured_plan(traffic: Traffic, metric: str, alpha: float, treated_share: float) -> Plan:
    """Rate and design effect as an earlier experiment had them; the larger of jackknife and sandwich error counts."""
    found = fit(metric, traffic)
    clicks, exposure = (None if part is None else part.sum(axis=0) for part in counts_of(metric, traffic))
    assert clicks is not None
    if exposure is None:
        raise ConfigError("power is planned for a rate", remedy="choose ctr or long_click_rate")
    jackknife = float(estimate(clicks, exposure).se)
    rate = float(clicks[0].sum() / exposure[0].sum())
    return Plan(rate, max(found.design_effect, (jackknife / found.independent_se) ** 2), alpha, treated_share)
