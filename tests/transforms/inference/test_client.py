"""The client's parts that need no server: translation of errors, secrets, sharing, odd answers."""

from __future__ import annotations

import os
import pickle
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException, deserialize_bytes_tensor

from transforms.errors import (
    ConfigError,
    DeadlineExceeded,
    InvalidAnswer,
    ModelFailed,
    ModelNotFound,
    NothingToCopy,
    QueueFull,
    RequestRefused,
    ServerUnavailable,
    ServingError,
    StubCrashed,
)
from transforms.inference.client import TritonClient, _channel_args, shared_client, translate
from transforms.inference.config import Retry, ServingConfig
from transforms.inference.contracts import CONTRACTS, STRING, ModelContract, TensorSpec

ONLY = {"unsafe_image": CONTRACTS["unsafe_image"]}


class Service(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Gives one answer to every request, and keeps what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.requests = answer, list[Any]()

    def ModelConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return service_pb2.ModelConfigResponse(config=model_config_pb2.ModelConfig(name=request.name))

    def ModelInfer(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        self.requests.append(request)
        return self.answer


def answering(datatype: str, shape: list[int], content: bytes) -> Service:
    answer = service_pb2.ModelInferResponse(model_name="unsafe_image", raw_output_contents=[content])
    answer.outputs.add(name="SCORE", datatype=datatype, shape=shape)
    return Service(answer)


@contextmanager
def served(service: Any) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(2))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def asked(address: str) -> dict[str, NDArray[Any]]:
    client = TritonClient(ServingConfig((address,), retry=Retry(attempts=1, deadline_attempts=1)), ONLY)
    return client.infer("unsafe_image", {"IMAGE": np.zeros((1, 224, 224, 3), np.uint8)})


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
    ("INTERNAL", "NoSource: no strip of the kept image lies off the product", NothingToCopy),
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


@pytest.mark.parametrize("value", ["Bearer hidden\n", "Bearer hiddén", "hidden\x00"])
def test_a_header_value_that_grpc_refuses_is_told_by_its_variable(value: str) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(ConfigError, match="CANVAS_TOKEN") as raised:
        patch.setattr(os, "environ", {"CANVAS_TOKEN": value})
        TritonClient(ServingConfig(("127.0.0.1:1",), headers=(("authorization", "env:CANVAS_TOKEN"),)))
    assert "hid" not in str(raised.value)


@pytest.mark.parametrize("name", ["", "x y", "Authorization", "x-bin", "naïve"])
def test_a_header_name_that_grpc_refuses_is_told(name: str) -> None:
    with pytest.raises(ConfigError, match="a name is of"):
        TritonClient(ServingConfig(("127.0.0.1:1",), headers=((name, "value"),)))


def test_a_server_on_this_machine_is_asked_past_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with served(answering("FP32", [1, 1], bytes(4))) as address:
        assert asked(address)["SCORE"].item() == 0.0
    assert dict(_channel_args("gpu-1:8001", ServingConfig(("gpu-1:8001",))))["grpc.enable_http_proxy"] == 1


@pytest.mark.parametrize("count", [1, 2, 5])
def test_patience_with_all_endpoints_together_does_not_depend_on_their_number(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, waits = Counter[str](), list[float]()

    def unavailable(self: TritonClient, what: str, endpoint: str, attempt: object) -> None:
        asked[endpoint] += 1
        raise ServerUnavailable("restarting")

    monkeypatch.setattr(TritonClient, "_once", unavailable)
    monkeypatch.setattr("transforms.inference.client.time.sleep", waits.append)
    client = TritonClient(ServingConfig(tuple(f"gpu-{number}:8001" for number in range(count))))
    monkeypatch.setattr(client, "_dice", SimpleNamespace(uniform=lambda _, longest: longest))
    with pytest.raises(ServerUnavailable):
        client.instances("segmenter")
    assert set(asked.values()) == {16}
    assert [wait for wait in waits if wait] == [min(8.0, 0.2 * 2**number) for number in range(15)]


@pytest.mark.parametrize("told", [lambda prompt: prompt, str.encode])
def test_words_reach_the_model_as_they_are(told: Any) -> None:
    contract = ModelContract("unsafe_image", (TensorSpec("PROMPT", STRING, (1,)),), ONLY["unsafe_image"].outputs)
    service, prompt = answering("FP32", [1, 1], bytes(4)), "“oak” floor, l'été\n"
    with served(service) as address:
        client = TritonClient(ServingConfig((address,)), {"unsafe_image": contract})
        client.infer("unsafe_image", {"PROMPT": np.array([[told(prompt)]], object)})
    (sent,) = deserialize_bytes_tensor(service.requests[0].raw_input_contents[0])
    assert sent.decode() == prompt


@pytest.mark.parametrize("content", [b"\0\0", b"\xff\0\0\0a"])
def test_strings_that_end_too_early_break_the_contract(content: bytes) -> None:
    with served(answering("BYTES", [1, 1], content)) as address, pytest.raises(InvalidAnswer, match="cannot be read"):
        asked(address)


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
