"""What a real run tells dashboards, from its command line."""

import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipelines.embedded import EmbeddedServer
from pipelines.enhance import run
from pipelines.launch import ExitCode

pytestmark = pytest.mark.triton


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root, beam = logging.getLogger(), logging.getLogger("apache_beam")
    levels, handlers = (root.level, beam.level), list(root.handlers)
    yield
    root.setLevel(levels[0])
    beam.setLevel(levels[1])
    root.handlers[:] = handlers


def flags(folder: Path, server: EmbeddedServer, *more: str) -> list[str]:
    """A night of two rows without images: quick, and every part of the launch runs."""
    table = {"advertiser_id": ["a", "a"], "product_id": ["p", "q"], "image_uri": ["none.jpg", "nor-this.jpg"]}
    pq.write_table(pa.table(table), folder / "manifest.parquet")
    return [
        f"--manifest={folder / 'manifest.parquet'}", f"--output={folder / 'out'}", f"--triton={server.address}",
        "--features=background", "--placements=pmax_square", "--max_failed_share=1", "--run_id=night",
        "--log_format=json", *more,
    ]  # fmt: skip


def test_a_run_is_told_as_json_events_and_prometheus_metrics(
    tmp_path: Path, triton: EmbeddedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(flags(tmp_path, triton, "--metrics_port=0")) == ExitCode.SOME_FAILED
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {event["run_id"] for event in events} == {"night"}
    told = {event["event"]: event for event in events}
    assert told["run started"]["manifest_files"] == 1
    assert told["run finished"]["outcomes"] == {"failed": 2}
    assert told["run finished"]["status"] == "complete"
    text = (tmp_path / "out" / "runs" / "night" / "metrics.prom").read_text()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    failed = [sample for sample in samples if sample.name == "canvas_run_outcomes"]
    assert [(sample.labels, sample.value) for sample in failed] == [
        ({"outcome": "failed", "reason": "not_found", "placement": "pmax_square"}, 2.0)
    ]


def test_a_port_that_is_taken_ends_the_launch_with_an_event(
    tmp_path: Path, triton: EmbeddedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(flags(tmp_path, triton, f"--metrics_port={port}")) == ExitCode.BAD_CONFIG
    last = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (last["event"], last["exit_code"]) == ("run failed", 2)
    assert f"--metrics_port {port}" in last["detail"]
