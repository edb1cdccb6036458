"""When somebody should look: each rule asks for a change that is large and that is not chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from pipelines.compare.changes import Balance
from pipelines.compare.drift import Drift
from pipelines.compare.images import ImageChange
from pipelines.compare.runs import map_values
from transforms.errors import ConfigError


@dataclass(frozen=True)
class AlertLimits:
    """What is let pass.

    Attributes:
        max_lost_share: net share of products in both runs that may lose creatives.
        max_failed_rise: rise of the share of products that failed in some placement.
        max_gone_share: share of the earlier run's products that the later one does not know.
        max_psi: population stability index of a column.
        alpha: for the tests beside it, over all columns together.
        max_image_difference: mean CIEDE2000 of a creative against its predecessor; None for no limit.
    """

    max_lost_share: float = 0.05
    max_failed_rise: float = 0.05
    max_psi: float = 0.25
    alpha: float = 0.01
    max_image_difference: float | None = None
    max_gone_share: float = 0.5

    def __post_init__(self) -> None:
        for name in ("max_lost_share", "max_failed_rise", "max_gone_share", "alpha"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"--{name} must lie within [0, 1], got {getattr(self, name)}")
        for name in ("max_psi", "max_image_difference"):
            value = getattr(self, name)
            if value is not None and not value >= 0:  # nothing is beyond nan
                raise ConfigError(f"--{name} must be zero or positive, got {value}")


def alerts(
    before: pa.Table,
    after: pa.Table,
    lost: Balance,
    drifts: Sequence[Drift],
    images: Sequence[ImageChange],
    limits: AlertLimits,
    owners: str = "products",
) -> list[str]:
    """One sentence for each reason to look; none for a quiet night.

    Args:
        owners: what the runs' products are called; see `pipelines.compare.runs.Words`.
    """
    found = [*_altered(after), *_gone(before, after, limits, owners), *_failed(before, after, limits, owners)]
    if lost.lost_share > limits.max_lost_share and lost.p_value < limits.alpha:
        found.append(
            f"{lost.lost} of {lost.products} {owners} lost creatives and {lost.won} won some "
            f"(net {lost.lost_share:.1%}, limit {limits.max_lost_share:.1%}, p = {lost.p_value:.2g})"
        )
    found += [
        f"{each.kind} {each.name} drifts: PSI {each.psi:.2f} (limit {limits.max_psi:g}), "
        f"adjusted p = {each.adjusted:.2g}, {each.before} -> {each.after}"
        for each in drifts
        if drifts_beyond(each, limits)
    ]
    limit = limits.max_image_difference
    if limit is not None:
        beyond = [image for image in images if image.difference > limit]
        found += [
            f"{image.product} {image.place} looks different: {image.difference:.1f} (limit {limit:g})"
            for image in beyond
        ]
    return found


def drifts_beyond(each: Drift, limits: AlertLimits) -> bool:
    """Large and not chance."""
    return each.psi > limits.max_psi and each.adjusted < limits.alpha


def _altered(after: pa.Table) -> list[str]:
    """A creative whose product pixels differ must not exist, whatever the limits."""
    rows, values = map_values(after, "scores").get("product_pixels_differing", (None, None))
    if rows is None or values is None:
        return []
    outcomes = after.column("outcome").take(pa.array(rows)).to_pylist()
    wrong = sum(1 for outcome, value in zip(outcomes, values, strict=True) if outcome == "enhanced" and value > 0)
    return [f"{wrong} creatives have product pixels that differ from the original"] if wrong else []


def _gone(before: pa.Table, after: pa.Table, limits: AlertLimits, owners: str) -> list[str]:
    """A catalog that is suddenly empty, or half of it, is a feed that broke; the other rules look at what is left."""
    was, left = (_products(table) for table in (before, after))
    gone = len(was - left)
    if not was or gone / len(was) <= limits.max_gone_share:
        return []
    return [f"{gone} of {len(was)} {owners} are gone ({gone / len(was):.1%}, limit {limits.max_gone_share:.1%})"]


def _products(table: pa.Table) -> set[tuple[str, str]]:
    return set(zip(table.column("advertiser_id").to_pylist(), table.column("product_id").to_pylist(), strict=True))


def _failed(before: pa.Table, after: pa.Table, limits: AlertLimits, owners: str) -> list[str]:
    """A product counts once: what breaks one placement of it mostly breaks all."""
    (failed, products), (fails, there) = (_failed_products(table) for table in (before, after))
    if not products or not there or fails / there - failed / products <= limits.max_failed_rise:
        return []
    odds = [[fails, there - fails], [failed, products - failed]]
    p_value = float(stats.fisher_exact(odds, alternative="greater").pvalue)
    if p_value >= limits.alpha:
        return []
    return [
        f"{fails} of {there} {owners} failed, before {failed} of {products} "
        f"(limit +{limits.max_failed_rise:.1%}, p = {p_value:.2g})"
    ]


def _failed_products(table: pa.Table) -> tuple[int, int]:
    """Products with a failed row, and all."""
    names = ["advertiser_id", "product_id"]
    failed = table.filter(pc.equal(table.column("outcome"), "failed"))
    return len(failed.group_by(names).aggregate([])), len(table.group_by(names).aggregate([]))


def share_of(table: pa.Table, outcome: str) -> float:
    """An outcome's share of all rows and placements; 0 of nothing."""
    if not len(table):
        return 0.0
    return float(pc.sum(pc.equal(table.column("outcome"), outcome)).as_py()) / len(table)


def shares(table: pa.Table, outcomes: Sequence[str]) -> Mapping[str, float]:
    """Each outcome's share."""
    return {outcome: share_of(table, outcome) for outcome in outcomes}
