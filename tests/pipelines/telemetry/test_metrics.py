import urllib.request
from pathlib import Path

import pytest
from nights import Row, write_run
from prometheus_client.parser import text_string_to_metric_families

from pipelines.report.summary import RunFacts
from pipelines.telemetry.live import LiveMetrics
from pipelines.telemetry.metrics import exposition
from transforms.errors import ConfigError
from transforms.index import index_table
from transforms.ledger import read_index
from transforms.records import Outcome, Product
from transforms.storage.store import open_store
from transforms.tally import Tally

FACTS = RunFacts("night", "complete", "2026-11-01T02:00:00+00:00", wall_sec=90.5, serving_counts={"requests": 7})
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parsed(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    rows = [
        Row("p", scores={"halo": 0.2}),
        Row('q"\n', scores={"halo": 0.4}),
        Row("r", "meta_stories", "rejected", "halo"),
        Row("s", None, "failed", "not_found"),
    ]
    run = write_run(tmp_path, "night", rows)
    (table,) = read_index(open_store(str(run)), str(run))
    return parsed(exposition(table, FACTS, 1.25).decode())


def test_outcomes_are_counted_by_reason_and_placement(samples: Samples) -> None:
    def outcomes(outcome: str, reason: str, placement: str) -> float:
        labels = (("outcome", outcome), ("placement", placement), ("reason", reason))
        return samples["canvas_run_outcomes", labels]

    assert outcomes("enhanced", "ok", "pmax_square") == 2
    assert outcomes("rejected", "halo", "meta_stories") == 1
    assert outcomes("failed", "not_found", "") == 1


def test_launch_latency_and_scores_are_told(samples: Samples) -> None:
    assert samples["canvas_run_duration_seconds", ()] == 90.5
    assert samples["canvas_run_cost", ()] == 1.25
    assert samples["canvas_run_status", (("status", "complete"),)] == 1
    assert samples["canvas_run_status", (("status", "error"),)] == 0
    assert samples["canvas_run_serving_events", (("event", "requests"),)] == 7
    assert samples["canvas_stage_duration_seconds_count", (("stage", "verify"),)] == 4
    assert samples["canvas_stage_duration_seconds_sum", (("stage", "verify"),)] == pytest.approx(0.12)
    assert samples["canvas_stage_duration_seconds_bucket", (("le", "0.01"), ("stage", "verify"))] == 0
    assert samples["canvas_stage_duration_seconds_bucket", (("le", "0.05"), ("stage", "verify"))] == 4
    assert samples["canvas_score", (("quantile", "0.5"), ("score", "halo"))] == pytest.approx(0.3)
    assert samples["canvas_run_last_outcome_timestamp_seconds", ()] == 1793498430.0


def test_what_is_unknown_is_left_out(samples: Samples) -> None:
    assert ("canvas_run_server_busy_ratio", ()) not in samples


def test_a_run_of_nothing_has_metrics() -> None:
    assert parsed(exposition(index_table([]), FACTS, 0.0).decode())["canvas_run_pending", ()] == 0


def test_a_tally_is_served_while_it_grows() -> None:
    tally = Tally()
    tally.expect(10, 3)
    with LiveMetrics(tally, "night", 0) as live:
        url = f"http://127.0.0.1:{live.port}/metrics"
        tally.add(Outcome(Product("m", 0, "a", "p", "x"), "one", "skipped", "eligibility", "human"))
        with urllib.request.urlopen(url, timeout=60) as answer:
            samples = parsed(answer.read().decode())
    labels = (("outcome", "skipped"), ("reason", "human"), ("run_id", "night"))
    assert samples["canvas_live_outcomes", labels] == 1
    assert samples["canvas_live_expected", ()] == 10
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=60)


def test_a_port_that_is_taken_is_told_and_none_serves_nothing() -> None:
    with LiveMetrics(Tally(), "night", 0) as live, pytest.raises(ConfigError, match="--metrics_port"):
        LiveMetrics(Tally(), "night", live.port).__enter__()
    with LiveMetrics(Tally(), "night", None) as silent:
        assert silent.port is None
