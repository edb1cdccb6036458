"""Metrics of a run while it goes, for Prometheus to scrape: `--metrics_port`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric

from pipelines.telemetry.metrics import gauge
from transforms.errors import ConfigError
from transforms.tally import Tally


class LiveTally:
    """What a tally counts now, as a Prometheus collector."""

    def __init__(self, tally: Tally, run_id: str) -> None:
        self._tally, self._run_id = tally, run_id

    def collect(self) -> Iterator[Metric]:
        """One snapshot."""
        tally = self._tally
        outcomes = GaugeMetricFamily("canvas_live_outcomes", "Decided so far.", labels=["run_id", "outcome", "reason"])
        for (outcome, reason), count in sorted(tally.reasons.copy().items()):
            outcomes.add_metric([self._run_id, outcome, reason], count)
        yield outcomes
        yield gauge("canvas_live_expected", "Rows and placements to be decided, as planned so far.", tally.expected)
        yield gauge("canvas_live_settled", "Decided by earlier runs.", tally.settled)
        yield gauge("canvas_live_cost", "In the currency of --price_per_hour.", tally.cost)
        yield gauge("canvas_live_stopping", "1 once the run has begun to stop.", float(bool(tally.stop_reason)))
        yield gauge("canvas_live_duration_seconds", "Since the start.", time.monotonic() - tally.started)


class LiveMetrics:
    """Serves a tally at http://host:port/metrics while it is entered.

    Args:
        port: None serves nothing.

    Raises:
        ConfigError: the address cannot be bound.
    """

    def __init__(self, tally: Tally, run_id: str, port: int | None, host: str = "127.0.0.1") -> None:
        self._registry = CollectorRegistry()
        self._registry.register(LiveTally(tally, run_id))
        self._address = None if port is None else (host, port)
        self.port: int | None = None

    def __enter__(self) -> LiveMetrics:
        if self._address is not None:
            host, port = self._address
            try:
                self._server, self._thread = start_http_server(port, host, self._registry)
            except (OSError, OverflowError) as error:
                raise ConfigError(f"--metrics_port {port}: cannot listen on {host}: {error}") from error
            self.port = self._server.server_port
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.port is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
