"""The same ratios as Poisson regressions in statsmodels, beside the jackknife, and what clustering costs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import statsmodels.api as sm

from pipelines.experiments.lifts import counts_of
from pipelines.experiments.traffic import Traffic


class Fit(NamedTuple):
    """A Poisson regression's log ratio, with its error clustered by product (CV1) and as if clicks were independent."""

    log_ratio: float
    clustered_se: float
    independent_se: float

    @property
    def design_effect(self) -> float:
        """How many times the variance is that of independent clicks."""
        return (self.clustered_se / self.independent_se) ** 2


def fit(metric: str, traffic: Traffic, shares: tuple[float, float] = (0.5, 0.5)) -> Fit:
    """Regress a metric's clicks on the arm, one row for each arm and product; log exposure is the offset."""
    clicks, exposure = (None if part is None else part.sum(axis=0) for part in counts_of(metric, traffic))
    assert clicks is not None
    base = np.repeat(np.array(shares)[:, None], clicks.shape[1], axis=1) if exposure is None else exposure
    arm, product = np.indices(clicks.shape)
    shown = base > 0
    rows = sm.add_constant(arm[shown].astype(float))
    if shown.sum() <= rows.shape[1]:  # one product for each arm: what products add cannot be told
        ratio = np.log(clicks.sum(axis=1) / base.sum(axis=1))
        return Fit(float(ratio[1] - ratio[0]), float("nan"), float(np.sqrt((1 / clicks.sum(axis=1)).sum())))
    model = sm.GLM(clicks[shown], rows, family=sm.families.Poisson(), offset=np.log(base[shown]))
    clustered = model.fit(cov_type="cluster", cov_kwds={"groups": product[shown]})
    plain = model.fit()
    return Fit(float(clustered.params[1]), float(clustered.bse[1]), float(plain.bse[1]))
