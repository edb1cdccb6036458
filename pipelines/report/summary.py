"""The figures of a run, from its index and the facts of its launch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_QUANTILES = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class RunFacts:
    """What the index cannot know.

    Attributes:
        status: `complete`, or why the run stopped early.
        wall_sec: seconds from the first element to the last.
        pending: rows and placements that were not reached.
        server_busy_share: share of `wall_sec` x instances that the busiest model computed; None where the servers
            give no metrics.
        price_per_hour: cost of an hour of servers and workers.
    """

    run_id: str
    status: str
    started_at: str
    wall_sec: float
    pending: int = 0
    stop_detail: str = ""
    server_busy_share: float | None = None
    price_per_hour: float = 0.0
    conditional_writes: bool = True
    serving_counts: Mapping[str, int] | None = None


def summarize(index: pa.Table, facts: RunFacts) -> dict[str, Any]:
    """`report.json`: counts by outcome, reason, placement and advertiser; scores, latencies, throughput and cost."""
    decided = index.filter(pc.equal(index.column("decided_in_run"), facts.run_id))
    enhanced = index.filter(pc.equal(index.column("outcome"), "enhanced"))
    new = _count(decided, "outcome").get("enhanced", 0)
    cost = facts.wall_sec / 3600 * facts.price_per_hour
    return {
        "run": asdict(facts),
        "rows": count_rows(index),
        "outcomes": _count(index, "outcome"),
        "decided_in_this_run": _count(decided, "outcome"),
        "carried_from_earlier_runs": len(index) - len(decided),
        "reasons": _nested(index, "outcome", "reason"),
        "stages": _nested(index.filter(pc.not_equal(index.column("outcome"), "enhanced")), "stage", "reason"),
        "placements": _nested(index, "placement", "outcome"),
        "advertisers": _nested(index, "advertiser_id", "outcome"),
        "tasks": _nested(enhanced, "task", "painter"),
        "scores": quantiles_of_maps(enhanced, "scores"),
        "latency_msec": quantiles_of_maps(decided, "timings_msec"),
        "throughput_per_sec": round(len(decided) / facts.wall_sec, 4) if facts.wall_sec else None,
        "cost": round(cost, 4),
        "cost_per_enhanced": round(cost / new, 6) if new and facts.price_per_hour else None,
        "product_pixels_differing": _sum_score(enhanced, "product_pixels_differing"),
    }


def count_rows(index: pa.Table) -> int:
    """How many manifest rows a table names."""
    return len(index.select(["manifest_uri", "manifest_row"]).group_by(["manifest_uri", "manifest_row"]).aggregate([]))


def _count(table: pa.Table, column: str) -> dict[str, int]:
    pairs = pc.value_counts(table.column(column)).to_pylist()
    return {str(pair["values"]): int(pair["counts"]) for pair in sorted(pairs, key=lambda pair: -pair["counts"])}


def _nested(table: pa.Table, outer: str, inner: str) -> dict[str, dict[str, int]]:
    grouped = table.group_by([outer, inner]).aggregate([([], "count_all")]).to_pylist()
    result: dict[str, dict[str, int]] = {}
    for row in sorted(grouped, key=lambda row: (str(row[outer]), -row["count_all"])):
        result.setdefault(str(row[outer]), {})[str(row[inner])] = row["count_all"]
    return result


def values_of_map(table: pa.Table, column: str) -> dict[str, list[float]]:
    """Every value of a map column, by key."""
    values: dict[str, list[float]] = {}
    for pairs in table.column(column).to_pylist():
        for name, value in pairs or ():
            values.setdefault(name, []).append(value)
    return values


def quantiles_of_maps(table: pa.Table, column: str) -> dict[str, dict[str, float]]:
    """Count and quantiles of every key's values in a map column."""
    return {
        name: {
            "count": len(values),
            **{f"p{round(q * 100)}": round(float(np.quantile(values, q)), 4) for q in _QUANTILES},
        }
        for name, values in sorted(values_of_map(table, column).items())
    }


def _sum_score(table: pa.Table, name: str) -> float | None:
    values = values_of_map(table, "scores").get(name)
    return float(sum(values)) if values else None
