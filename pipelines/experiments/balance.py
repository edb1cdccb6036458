"""Did the arms get the traffic that was meant for them? The sample-ratio check."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pipelines.experiments.traffic import Traffic

SUSPICIOUS = 0.001  # of chance; far below 0.05, since a mismatch voids the experiment (Fabijan et al., KDD 2019)


@dataclass(frozen=True)
class Balance:
    """Observed against meant.

    Attributes:
        what: `units` (what was randomised, as stated), `products` (each is in one arm only), or `impressions`
            (clustered; weaker: the treatment itself may win or lose impressions).
    """

    what: str
    control: float
    treatment: float
    meant_share: float
    share: float
    p_value: float

    @property
    def suspicious(self) -> bool:
        """The arms did not get what was meant; lifts are not to be believed."""
        return self.p_value < SUSPICIOUS


def check_balance(traffic: Traffic, share: float, units: tuple[int, int] | None = None) -> Balance:
    """Chi-square of the arms' sizes against the treatment's meant `share`.

    Args:
        units: how many users or requests each arm was given; without them products are counted where each product is
            in one arm, else impressions are tested, clustered by product.
    """
    impressions = traffic.impressions.sum(axis=0)
    if units is not None:
        return _counted("units", np.array(units, float), share)
    shown = impressions > 0
    if not (shown[0] & shown[1]).any():
        return _counted("products", shown.sum(axis=1).astype(float), share)
    total = impressions.sum()
    residuals = impressions[1] - share * impressions.sum(axis=0)
    products = int(shown.any(axis=0).sum())
    spread = (residuals**2).sum() or 1.0  # products that were all split exactly as meant have none
    statistic = residuals.sum() ** 2 / spread * (products - 1) / products
    p_value = float(2 * stats.t.sf(np.sqrt(statistic), max(products - 1, 1)))
    sums = impressions.sum(axis=1)
    return Balance("impressions", float(sums[0]), float(sums[1]), share, float(sums[1] / total), p_value)


def _counted(what: str, sizes: NDArray[np.float64], share: float) -> Balance:
    meant = sizes.sum() * np.array([1 - share, share])
    p_value = float(stats.chisquare(sizes, meant).pvalue)
    return Balance(what, float(sizes[0]), float(sizes[1]), share, float(sizes[1] / sizes.sum()), p_value)
