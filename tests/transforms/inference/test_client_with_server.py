"""The client against the real server, well behaved and not."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from tritons import TROUBLED_CONTRACTS

from pipelines.embedded import EmbeddedServer
from transforms.errors import (
    DeadlineExceeded,
    InvalidAnswer,
    ModelFailed,
    ModelNotFound,
    RequestRefused,
    ServerUnavailable,
    ServingError,
)
from transforms.inference.batching import infer_batch
from transforms.inference.client import TritonClient
from transforms.inference.config import Retry, ServingConfig
from transforms.inference.contracts import UINT8, TensorSpec

pytestmark = pytest.mark.triton
OK, CRASH, RAISE, NOT_FINITE, OUT_OF_RANGE, OTHER_NAME, OTHER_DTYPE, OTHER_SHAPE, SLEEP = range(9)


def client_of(server: EmbeddedServer, *others: str, **settings: Any) -> TritonClient:
    return TritonClient(ServingConfig((*others, server.address), **settings), TROUBLED_CONTRACTS)


def trouble(kind: int) -> dict[str, NDArray[Any]]:
    image = np.zeros((1, 8, 8, 3), np.uint8)
    image[0, 0, 0, 0] = kind
    return {"IMAGE": image}


def noise(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(count).integers(0, 256, (count, 224, 224, 3), np.uint8)


@pytest.fixture
def closed_port() -> Iterator[str]:
    """A port that is held and on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{one.getsockname()[1]}"


def server_process(server: EmbeddedServer) -> psutil.Process:
    port = server.address.rpartition(":")[2]
    found = [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "tritonserver" and f"--grpc-port={port}" in (process.info["cmdline"] or [])
    ]
    (only,) = found
    return only


def test_the_segmenter_finds_a_product_and_makes_no_noise_of_an_empty_image(troubled_triton: EmbeddedServer) -> None:
    rows, columns = np.mgrid[:320, :320]
    disc = (rows - 160) ** 2 + (columns - 160) ** 2 < 80**2
    product = np.where(disc[..., None], (150, 30, 40), 250).astype(np.uint8)
    empty = np.full((320, 320, 3), 250, np.uint8)
    client = client_of(troubled_triton)
    found, nothing = (
        client.infer("segmenter", {"IMAGE": image[None]})["ALPHA"][0, ..., 0] for image in (product, empty)
    )
    overlap = (disc & (found > 0.5)).sum() / (disc | (found > 0.5)).sum()
    assert overlap > 0.9
    assert nothing.max() < 0.2


def test_a_result_does_not_depend_on_its_batch_mates(troubled_triton: EmbeddedServer) -> None:
    client, images = client_of(troubled_triton), noise(3)
    alone = np.concatenate([client.infer("unsafe_image", {"IMAGE": image[None]})["SCORE"] for image in images])
    together = client.infer("unsafe_image", {"IMAGE": images})["SCORE"]
    backwards = infer_batch(client, "unsafe_image", {"IMAGE": np.tile(images[::-1], (2, 1, 1, 1))})["SCORE"]
    with ThreadPoolExecutor(4) as pool:
        crowded = list(pool.map(lambda image: client.infer("unsafe_image", {"IMAGE": image[None]})["SCORE"], images))
    assert alone.tobytes() == together.tobytes() == np.concatenate(crowded).tobytes()
    assert np.tile(alone[::-1], (2, 1)).tobytes() == backwards.tobytes()
    assert len(set(alone.ravel().tolist())) == 3


def test_every_served_model_has_a_digest(troubled_triton: EmbeddedServer) -> None:
    digests = client_of(troubled_triton).model_digests()
    assert set(digests) == {"segmenter", "unsafe_image", "human_detector", "text_detector"}
    assert all(len(digest) == 64 for digest in digests.values())
    assert len(set(digests.values())) == 4


@pytest.mark.parametrize("kind", [NOT_FINITE, OUT_OF_RANGE, OTHER_NAME, OTHER_DTYPE, OTHER_SHAPE])
def test_an_answer_that_breaks_the_contract_is_not_taken(troubled_triton: EmbeddedServer, kind: int) -> None:
    with pytest.raises(InvalidAnswer, match=r"human_detector: "):
        client_of(troubled_triton).infer("human_detector", trouble(kind))


def test_a_model_that_raises_fails_at_once_and_without_its_traceback(troubled_triton: EmbeddedServer) -> None:
    client = client_of(troubled_triton)
    with pytest.raises(ModelFailed, match="a model that raises") as raised:
        client.infer("human_detector", trouble(RAISE))
    assert "model.py" not in str(raised.value)
    assert client.counts() == {"requests": 1, "model_failed": 1}


def test_what_the_server_does_not_hold_or_take_is_refused(troubled_triton: EmbeddedServer) -> None:
    with pytest.raises(ModelNotFound, match="studio"):
        plane = np.zeros((1, 8, 8, 1), np.uint8)
        inputs = {"IMAGE": trouble(OK)["IMAGE"], "PRODUCT": plane, "KNOWN": plane}
        texts = {"PROMPT": np.array([["oak"]], object), "SEED": np.array([[1]])}
        client_of(troubled_triton).infer("studio", {**inputs, **texts})
    other = {
        "segmenter": TROUBLED_CONTRACTS["segmenter"].__class__(
            "segmenter", (TensorSpec("IMAGE", UINT8, (100, 100, 3)),), TROUBLED_CONTRACTS["segmenter"].outputs
        )
    }
    with pytest.raises(RequestRefused):
        TritonClient(ServingConfig((troubled_triton.address,)), other).infer(
            "segmenter", {"IMAGE": np.zeros((1, 100, 100, 3), np.uint8)}
        )


def test_a_slow_model_runs_into_its_deadline_twice_and_no_more(troubled_triton: EmbeddedServer) -> None:
    client = client_of(troubled_triton, retry=Retry(first_wait_sec=0.01))
    with pytest.raises(DeadlineExceeded, match="human_detector"):
        client.infer("human_detector", trouble(SLEEP), deadline_sec=0.2)
    assert client.counts()["deadline_exceeded"] == 2
    assert client.infer("human_detector", trouble(OK), deadline_sec=20)["SCORE"] == 0.5


def test_a_full_queue_is_waited_out_and_counted(troubled_triton: EmbeddedServer) -> None:
    client = client_of(troubled_triton, in_flight_per_instance=8, retry=Retry(attempts=50, max_wait_sec=0.5))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.infer("text_detector", trouble(OK)), range(16)))
    assert len(answers) == 16
    counts = client.counts()
    assert counts["queue_full"] > 0
    assert counts["retries"] == counts["queue_full"]


def test_no_more_requests_of_a_model_are_in_flight_than_allowed(troubled_triton: EmbeddedServer) -> None:
    client = client_of(troubled_triton, in_flight_per_instance=1, retry=Retry(attempts=1, deadline_attempts=1))
    with ThreadPoolExecutor(8) as pool:  # more would be rejected, as above
        list(pool.map(lambda _: client.infer("text_detector", trouble(OK)), range(8)))
    assert client.counts() == {"requests": 8}


def test_a_dead_endpoint_is_passed_over_without_a_wait(
    troubled_triton: EmbeddedServer, closed_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    clock = SimpleNamespace(sleep=waits.append, monotonic=time.monotonic)
    monkeypatch.setattr("transforms.inference.client.time", clock)
    client = client_of(troubled_triton, closed_port, retry=Retry(down_sec=600))
    for _ in range(6):
        client.infer("human_detector", trouble(OK))
    assert client.counts() == {"requests": 6, "retries": 1, "server_unavailable": 1}
    assert not any(waits)


def test_with_no_server_the_error_says_so(closed_port: str) -> None:
    client = TritonClient(ServingConfig((closed_port,), retry=Retry(attempts=2, first_wait_sec=0.01)))
    with pytest.raises(ServerUnavailable, match=r"segmenter at 127\.0\.0\.1"):
        client.infer("segmenter", {"IMAGE": np.zeros((1, 320, 320, 3), np.uint8)})
    assert client.counts() == {"requests": 1, "server_unavailable": 2, "retries": 1}


def test_after_a_stub_crashed_the_next_request_succeeds(troubled_triton: EmbeddedServer) -> None:
    once = client_of(troubled_triton, retry=Retry(attempts=1, deadline_attempts=1))
    with pytest.raises(ServingError):
        once.infer("human_detector", trouble(CRASH), deadline_sec=20)
    patient = client_of(troubled_triton)
    assert patient.infer("human_detector", trouble(OK))["SCORE"] == 0.5


def test_a_server_killed_in_the_middle_of_a_request_costs_a_retry(troubled_triton: EmbeddedServer) -> None:
    client, answers = client_of(troubled_triton), []
    asking = threading.Thread(target=lambda: answers.append(client.infer("human_detector", trouble(SLEEP))))
    process = server_process(troubled_triton)
    asking.start()
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGKILL)
    asking.join(240)
    assert len(answers) == 1
    assert client.counts()["server_unavailable"] >= 1
