"""The client's parts that need no server: translation of errors, secrets, sharing."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
from tritonclient.utils import InferenceServerException

from transforms.errors import (
    ConfigError,
    DeadlineExceeded,
    ModelFailed,
    ModelNotFound,
    QueueFull,
    RequestRefused,
    ServerUnavailable,
    ServingError,
    StubCrashed,
)
from transforms.inference.client import TritonClient, shared_client, translate
from transforms.inference.config import ServingConfig

# (status, text, ours): read off tritonserver 2.51 and gRPC 1.85 by provoking each.
SEEN = [
    ("INVALID_ARGUMENT", "unexpected shape for input 'IMAGE' for model 'segmenter'", RequestRefused),
    ("INVALID_ARGUMENT", "inference input 'IMAGE' data-type is 'FP32', but model expects 'UINT8'", RequestRefused),
    ("NOT_FOUND", "Request for unknown model: 'x' is not found", ModelNotFound),
    ("NOT_FOUND", "Request for unknown model: 'x' has no available versions", ServerUnavailable),
    (
        "INTERNAL",
        "Failed to process the request(s) for model 'x', message: ValueError: no\n\nAt:\n  /m.py",
        ModelFailed,
    ),
    ("INTERNAL", "Stub process 'human_detector_0_0' is not healthy.", StubCrashed),
    ("UNAVAILABLE", "[request id: <id_unknown>] Exceeds maximum queue size", QueueFull),
    ("UNAVAILABLE", "Request timeout expired", QueueFull),
    ("UNAVAILABLE", "Stream removed", ServerUnavailable),
    ("UNKNOWN", "Stream removed", ServerUnavailable),
    ("UNAVAILABLE", "failed to connect to all addresses; Connection refused", ServerUnavailable),
    ("UNAVAILABLE", "Socket closed", ServerUnavailable),
    ("DEADLINE_EXCEEDED", "Deadline Exceeded", DeadlineExceeded),
    ("CANCELLED", "CANCELLED", ServerUnavailable),
    ("ABORTED", "", ServerUnavailable),
    ("RESOURCE_EXHAUSTED", "CLIENT: Sent message larger than max (9 vs. 8)", RequestRefused),
    ("RESOURCE_EXHAUSTED", "too many connections", ServerUnavailable),
    ("UNAUTHENTICATED", "token", RequestRefused),
    ("PERMISSION_DENIED", "no", RequestRefused),
    ("UNIMPLEMENTED", "", RequestRefused),
    ("DATA_LOSS", "odd", ServingError),
    (None, "got unexpected numpy array shape [1], expected [2]", RequestRefused),
]


@pytest.mark.parametrize(("status", "text", "ours"), SEEN)
def test_every_status_of_the_server_has_an_error_of_ours(status: str | None, text: str, ours: type) -> None:
    error = translate(InferenceServerException(text, status and f"StatusCode.{status}"), "segmenter at host:1")
    assert type(error) is ours
    assert "segmenter at host:1" in str(error)
    assert "/m.py" not in str(error)


def test_exactly_what_may_pass_by_itself_is_retried() -> None:
    retried = {ours for _, _, ours in SEEN if ours.retryable}
    assert retried == {ServerUnavailable, QueueFull, StubCrashed, DeadlineExceeded}


def test_header_values_come_from_the_environment_and_show_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANVAS_TOKEN", "Bearer hidden")
    serving = ServingConfig(("127.0.0.1:1",), headers=(("authorization", "env:CANVAS_TOKEN"), ("x", "plain-secret")))
    client = TritonClient(serving)
    assert client._headers == {"authorization": "Bearer hidden", "x": "plain-secret"}
    assert "hidden" not in repr(serving) + str(pickle.dumps(serving))
    assert "plain-secret" not in repr(serving)
    monkeypatch.delenv("CANVAS_TOKEN")
    with pytest.raises(ConfigError, match="CANVAS_TOKEN"):
        TritonClient(serving)


def test_a_process_shares_one_client_and_its_child_makes_its_own() -> None:
    serving = ServingConfig(("127.0.0.1:1",))
    mine = shared_client(serving)
    assert shared_client(ServingConfig(("127.0.0.1:1",))) is mine
    assert shared_client(ServingConfig(("127.0.0.1:2",))) is not mine
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"own" if shared_client(serving) is not mine else b"same")
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    assert os.read(reader, 8) == b"own"
    os.close(reader)


def test_a_request_that_breaks_the_contract_is_never_sent() -> None:
    client = TritonClient(ServingConfig(("127.0.0.1:1",)))
    with pytest.raises(RequestRefused):
        client.infer("segmenter", {"IMAGE": np.zeros((1, 320, 320, 3), np.float32)})
    with pytest.raises(ModelNotFound):
        client.infer("magic", {})
    assert client.counts() == {}
