"""Prometheus text of a finished run, from its index or its scenes and the facts of its launch.

For node_exporter's textfile collector or a Pushgateway. Every value is a gauge of the last run: a night is a batch, and
counters that start from zero each night would tell rates that nobody had.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric

from pipelines.report.summary import RunFacts, values_of_map
from transforms.storage.store import Store
from transforms.version import PIPELINE_VERSION

STATUSES = ("complete", "incomplete", "too_many_failures", "budget", "interrupted", "error")
_SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_QUANTILES = (0.1, 0.5, 0.9)


def write_metrics(
    store: Store, folder: str, index: pa.Table, facts: RunFacts, cost: float, timed: pa.Table | None = None
) -> None:
    """Write `metrics.prom` into a run's folder; see `exposition`.

    Raises:
        StorageError: it cannot be written.
    """
    text = exposition(index, facts, cost, timed)
    store.write(f"{folder}/metrics.prom", text, content_type="text/plain; version=0.0.4")


def exposition(index: pa.Table, facts: RunFacts, cost: float, timed: pa.Table | None = None) -> bytes:
    """The metrics of a run in Prometheus' text format 0.0.4.

    Args:
        index: the run's rows, or its scenes.
        facts: of its launch.
        cost: in the currency of `--price_per_hour`.
        timed: of a run that made scenes: what it decided, its products' stages among it. Every sample is then labelled
            `kind="scenes"`, since one collector may hold the last job and the last scenes side by side.
    """
    families = [*_of_launch(facts, cost), *_of_index(index, facts.run_id, timed)]
    registry = CollectorRegistry()
    registry.register(_Families(families, {} if timed is None else {"kind": "scenes"}))
    return generate_latest(registry)


class _Families:
    """What is known already, as a collector; every sample gets `labels` beside its own."""

    def __init__(self, families: Iterable[Metric], labels: Mapping[str, str]) -> None:
        self._families = list(families)
        for family in self._families:
            family.samples = [each._replace(labels={**each.labels, **labels}) for each in family.samples]

    def collect(self) -> Iterator[Metric]:
        """The families."""
        return iter(self._families)


def gauge(name: str, text: str, value: float | None) -> GaugeMetricFamily:
    """A single value; none where it is not known."""
    family = GaugeMetricFamily(name, text)
    if value is not None:
        family.add_metric([], value)
    return family


def _of_launch(facts: RunFacts, cost: float) -> Iterator[Metric]:
    yield InfoMetricFamily("canvas_run", "The run.", {"run_id": facts.run_id, "pipeline": PIPELINE_VERSION})
    status = GaugeMetricFamily("canvas_run_status", "1 for how the run ended.", labels=["status"])
    for name in STATUSES:
        status.add_metric([name], float(facts.status == name))
    yield status
    yield gauge("canvas_run_duration_seconds", "From the first element to the last.", facts.wall_sec)
    yield gauge("canvas_run_pending", "Rows and placements, or scenes, that were not reached.", facts.pending)
    yield gauge("canvas_run_cost", "In the currency of --price_per_hour.", cost)
    yield gauge("canvas_run_server_busy_ratio", "Share of the busiest model.", facts.server_busy_share)
    served = GaugeMetricFamily("canvas_run_serving_events", "Requests, retries and the like.", labels=["event"])
    for event, count in (facts.serving_counts or {}).items():
        served.add_metric([event], count)
    yield served


def _of_index(index: pa.Table, run_id: str, timed: pa.Table | None) -> Iterator[Metric]:
    decided = index.filter(pc.equal(index.column("decided_in_run"), run_id))
    last = pc.max(decided.column("finished_at")).as_py()
    yield gauge(
        "canvas_run_last_outcome_timestamp_seconds", "When the last outcome was decided.", last and last.timestamp()
    )
    yield _counts("canvas_run_outcomes", "Rows and placements, or scenes, by what became of them.", index)
    yield _counts("canvas_run_decided", "Those that this run decided itself.", decided)
    yield _latency(decided if timed is None else timed)
    yield _scores(index.filter(pc.equal(index.column("outcome"), "enhanced")))


def _counts(name: str, text: str, table: pa.Table) -> GaugeMetricFamily:
    labels = ["outcome", "reason", "placement"]
    family = GaugeMetricFamily(name, text, labels=labels)
    for row in table.group_by(labels).aggregate([([], "count_all")]).to_pylist():
        family.add_metric([row[label] or "" for label in labels], row["count_all"])
    return family


def _latency(decided: pa.Table) -> HistogramMetricFamily:
    text = "Time of a stage for one row, or scene."
    family = HistogramMetricFamily("canvas_stage_duration_seconds", text, labels=["stage"])
    for stage, msec in sorted(values_of_map(decided, "timings_msec").items()):
        seconds = np.array(msec) / 1000
        buckets = [(f"{edge:g}", float((seconds <= edge).sum())) for edge in _SECONDS]
        family.add_metric([stage], [*buckets, ("+Inf", float(len(seconds)))], float(seconds.sum()))
    return family


def _scores(enhanced: pa.Table) -> GaugeMetricFamily:
    text = "Quantiles of enhanced creatives' scores."
    family = GaugeMetricFamily("canvas_score", text, labels=["score", "quantile"])
    for name, values in sorted(values_of_map(enhanced, "scores").items()):
        finite: Any = np.array(values)[np.isfinite(values)]
        for quantile in _QUANTILES if len(finite) else ():
            family.add_metric([name, f"{quantile:g}"], float(np.quantile(finite, quantile)))
    return family
