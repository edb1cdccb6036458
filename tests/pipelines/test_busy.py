"""The busy share: read where there are metrics, and no run is spoiled where there are none."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipelines.busy import BusyMeter
from transforms.errors import ServerUnavailable

METRICS = b'HTTP/1.0 200 OK\r\n\r\nnv_inference_compute_infer_duration_us{model="a",version="1"} %d\n'


@contextmanager
def listening(*answers: bytes) -> Iterator[str]:
    """A server that gives one answer after the other, whatever it is asked; its URL."""
    left = list(answers)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(left.pop(0))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/metrics"
        server.shutdown()


def no_instances(model: str) -> int:
    raise ServerUnavailable(f"{model} is gone")


def test_the_metrics_of_this_machine_are_read_past_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with listening(METRICS % 0, METRICS % 10**6) as url, BusyMeter([url], lambda _: 1) as busy:
        pass
    assert busy.model == "a"
    assert busy.compute_sec == {"a": 1.0}


@pytest.mark.parametrize("url", ["gpu-1", "http://gpu-1:none/metrics", "http://ann:hunter2@gpu-1:8002/metrics"])
def test_a_url_that_is_none_gives_no_share(url: str) -> None:
    with BusyMeter([url], lambda _: 1) as busy:
        pass
    assert busy.share is None


def test_a_port_that_speaks_no_http_gives_no_share() -> None:
    with listening(b"\x00\x00\x18\x04\n", b"\x00\x00\x18\x04\n") as url, BusyMeter([url], lambda _: 1) as busy:
        pass
    assert busy.share is None


def test_servers_that_went_after_their_last_figures_cost_no_run() -> None:
    with listening(METRICS % 0, METRICS % 10**6) as url, BusyMeter([url], no_instances) as busy:
        pass
    assert busy.share is None
