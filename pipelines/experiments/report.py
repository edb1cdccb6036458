"""An experiment's report: lifts, the sample-ratio check, every look, and how few products carry the traffic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.experiments.balance import check_balance
from pipelines.experiments.glm import fit
from pipelines.experiments.lifts import LEAST_SE, METRICS, Estimate, counts_of, estimate, lift_of, quantile
from pipelines.experiments.sequential import always_valid_half_width, boundaries, normal_equivalent, student_equivalent
from pipelines.experiments.traffic import Traffic
from transforms.errors import ConfigError


@dataclass(frozen=True)
class Rules:
    """How an experiment is judged; to be set before it begins.

    Attributes:
        alpha: of every interval, two-sided.
        treated_share: the treatment's meant share of the traffic.
        units: users or requests that each arm was given, control first; None where unknown.
        planned_looks: days of the whole experiment; 0 for as many as there are.
        spending: how alpha is spent over the planned looks.
        mixing_sd: the log lift for which always-valid intervals are tightest.
    """

    alpha: float = 0.05
    treated_share: float = 0.5
    units: tuple[int, int] | None = None
    planned_looks: int = 0
    spending: str = "obrien_fleming"
    mixing_sd: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1 or not 0 < self.treated_share < 1 or not 0 < self.mixing_sd < np.inf:
            raise ConfigError("--alpha and --treated_share must lie within (0, 1), --mixing_sd above 0 and finite")
        if self.units is not None and min(self.units) <= 0:
            raise ConfigError(f"--units must be positive, got {self.units}")

    @property
    def shares(self) -> tuple[float, float]:
        """Of the traffic, control first: as given to the arms, or as meant."""
        if self.units is None:
            return 1 - self.treated_share, self.treated_share
        return self.units[0] / sum(self.units), self.units[1] / sum(self.units)


def report(traffic: Traffic, rules: Rules) -> dict[str, Any]:
    """Everything that the page shows, as plain values; infinite bounds are None.

    Raises:
        TableError: an arm has no clicks, or there are too few products.
        ConfigError: more days than planned looks.
    """
    looks = rules.planned_looks or len(traffic.days)
    if looks < len(traffic.days):
        raise ConfigError(f"--planned_looks {looks}: the table has {len(traffic.days)} days already")
    lifts = [lift_of(metric, traffic, rules.alpha, rules.shares) for metric in METRICS]
    fits = {metric: fit(metric, traffic, rules.shares) for metric in METRICS}
    balance = check_balance(traffic, rules.treated_share, rules.units)
    return {
        "arms": list(traffic.arms),
        "days": len(traffic.days),
        "first_day": traffic.days[0],
        "last_day": traffic.days[-1],
        "planned_looks": looks,
        "products": len(traffic.products),
        "impressions": traffic.impressions.sum(axis=(0, 2)).tolist(),
        "clicks": traffic.clicks.sum(axis=(0, 2)).tolist(),
        "long_clicks": traffic.long_clicks.sum(axis=(0, 2)).tolist(),
        "rules": asdict(rules),
        "balance": {**asdict(balance), "suspicious": balance.suspicious},
        "lifts": [_finite(asdict(lift)) for lift in lifts],
        "regression": {
            name: _finite({**found._asdict(), "design_effect": found.design_effect}) for name, found in fits.items()
        },
        "looks": {metric: look_by_look(metric, traffic, rules, looks) for metric in METRICS},
        "top_tenth_share": _top_tenth(traffic),
    }


def look_by_look(metric: str, traffic: Traffic, rules: Rules, planned: int) -> list[dict[str, Any]]:
    """A metric after every day, with three intervals: of one look, repeated (group-sequential), always valid."""
    counts, exposure = (None if part is None else np.cumsum(part, axis=0) for part in counts_of(metric, traffic))
    assert counts is not None
    usable = (counts.sum(axis=-1) > 0).all(axis=-1)
    first = int(np.argmax(usable))  # days before both arms had a click have no ratio
    found = estimate(counts[first:], None if exposure is None else exposure[first:], rules.shares)
    usable_se = np.isfinite(found.se) & (found.se >= LEAST_SE)
    if not usable_se.all():
        skip = len(usable_se) - int(np.argmax(~usable_se[::-1]))
        first, found = first + skip, Estimate(*(part[skip:] for part in found))
    if not len(found.se):
        return []
    shares = [(first + at + 1) / planned for at in range(len(found.se))]
    bounds = boundaries(shares, rules.alpha, rules.spending, 1 / found.se**2)
    always = always_valid_half_width(found.se, rules.alpha, rules.mixing_sd) / found.se
    crossed = np.abs(normal_equivalent(found.log_ratio / found.se, found.df))
    return [
        _finite(
            {
                "day": traffic.days[first + at],
                "lift": float(np.expm1(found.log_ratio[at])),
                **_interval("fixed", found, at, quantile(rules.alpha, found.df)),
                **_interval("repeated", found, at, student_equivalent(bounds, found.df)),
                **_interval("always", found, at, student_equivalent(always, found.df)),
                "z": float(crossed[at]),
                "boundary": float(bounds[at]),
                "crossed_boundary": bool(crossed[at] > bounds[at]),
                "crossed_always": bool(crossed[at] > always[at]),
            }
        )
        for at in range(len(found.se))
    ]


def _interval(name: str, found: Estimate, at: int, critical: NDArray[np.float64]) -> dict[str, float]:
    half = float(critical[at] * found.se[at])
    middle = float(found.log_ratio[at])
    with np.errstate(over="ignore"):
        return {f"{name}_low": float(np.expm1(middle - half)), f"{name}_high": float(np.expm1(middle + half))}


def first_crossing(looks: Sequence[dict[str, Any]], rule: str) -> str | None:
    """The day on which `rule` (`crossed_boundary`, `crossed_always`) first called the arms different."""
    return next((look["day"] for look in looks if look[rule]), None)


def _top_tenth(traffic: Traffic) -> float:
    """Share of impressions that the most shown tenth of the products has."""
    shown = np.sort(traffic.impressions.sum(axis=(0, 1)))[::-1]
    return float(shown[: max(len(shown) // 10, 1)].sum() / shown.sum())


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value for name, value in values.items()
    }
