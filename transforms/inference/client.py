"""The only module that speaks to Triton: deadlines, retries, failover; server errors become ours.

gRPC only: its client is safe to share between threads. Connections are opened on first use, so a client may be
made before a fork as long as it is used after it. Images travel as uint8 in the request's body. Both ends are held
against the contract, because a server answers OK to requests with a wrong dtype and for outputs that never came.
"""

from __future__ import annotations

import atexit
import logging
import os
import random
import re
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import grpc
import numpy as np
import tritonclient.grpc as triton
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from transforms.errors import (
    ConfigError,
    DeadlineExceeded,
    InvalidAnswer,
    ModelNotFound,
    QueueFull,
    ServerUnavailable,
    ServingError,
)
from transforms.inference.config import ServingConfig, Tls
from transforms.inference.contracts import CONTRACTS, STRING, ModelContract, TensorSpec
from transforms.inference.endpoints import Endpoints
from transforms.inference.interface import InferenceClient, Tensors, check_answer, check_request, contract_of
from transforms.inference.slots import Slots
from transforms.inference.statuses import class_of
from transforms.loopback import is_loopback
from transforms.seeds import Tables, read_tables

_LOG = logging.getLogger(__name__)
_CONTROL_DEADLINE_SEC = 10.0
_Result = TypeVar("_Result")


def translate(error: InferenceServerException, what: str) -> ServingError:
    """The error of ours for one of the server's.

    Args:
        error: as tritonclient raised it.
        what: what was asked of whom, for the message.
    """
    status = str(error.status() or "").removeprefix("StatusCode.")
    # A model's traceback stays in the server's log: it names paths and shows code.
    text = str(error.message() or "no message").partition("\n\nAt:\n")[0].strip()
    return class_of(status, text)(f"{what}: {text} ({status or 'refused by the client library'})")


class TritonClient:
    """An `InferenceClient` over one or more Triton servers that hold the same repository.

    Args:
        serving: where the servers are and how patiently they are asked.
        contracts: the models that may be asked.
    """

    def __init__(self, serving: ServingConfig, contracts: Mapping[str, ModelContract] = CONTRACTS) -> None:
        self._serving, self._contracts = serving, contracts
        self._endpoints = Endpoints(serving.endpoints, serving.retry.down_sec)
        self._slots = threading.BoundedSemaphore(serving.max_in_flight)
        self._model_slots: dict[str, Slots] = {}
        self._connections: dict[str, Any] = {}
        self._headers = {name: _revealed(name, value) for name, value in serving.headers}
        self._counts: Counter[str] = Counter()
        self._digests: Mapping[str, str] | None = None
        self._seeds: dict[str, Tables] = {}
        self._lock = threading.Lock()
        self._dice = random.SystemRandom()

    def infer(self, model: str, inputs: Tensors, *, deadline_sec: float | None = None) -> dict[str, NDArray[Any]]:
        """See `InferenceClient.infer`. The returned arrays may be read-only."""
        contract = contract_of(model, self._contracts)
        batch = check_request(contract, inputs)
        deadline = deadline_sec or self._serving.deadline_sec or contract.deadline_sec
        request = [_encoded(spec, inputs[spec.name]) for spec in contract.inputs]

        def attempt(endpoint: str) -> dict[str, NDArray[Any]]:
            with slots.taken(places), self._slots:
                result = self._connection(endpoint).infer(
                    contract.name, request, headers=self._headers, client_timeout=deadline
                )
            outputs = _decoded(contract, result)
            check_answer(contract, batch, inputs, outputs)
            return outputs

        self._count("requests")
        slots = self._slots_of(contract)
        places = contract.max_batch if contract.queue_delay_usec is None else batch
        return self._persist(self._endpoints, model, attempt)

    def model_digests(self) -> Mapping[str, str]:
        """See `InferenceClient.model_digests`; asked once, and ConfigError where two endpoints differ.

        Only what every endpoint serves counts: requests go round them all.
        """
        if self._digests is None:
            digests: dict[str, str] = {}
            held = [self._digests_at(endpoint) for endpoint in self._serving.endpoints]
            for endpoint, models in zip(self._serving.endpoints, held, strict=True):
                for model, digest in models.items():
                    if digests.setdefault(model, digest) != digest:
                        raise ConfigError(f"{endpoint} serves another {model!r} than the endpoints before it")
            self._digests = {name: digest for name, digest in digests.items() if all(name in one for one in held)}
        return self._digests

    def seeds(self, model: str) -> Tables:
        """See `InferenceClient.seeds`; asked once."""
        if model not in self._seeds:
            parameters = self._served(self._endpoints, model).parameters
            held = parameters["seeds"].string_value if "seeds" in parameters else ""
            self._seeds[model] = read_tables(held, model)
        return self._seeds[model]

    def counts(self) -> dict[str, int]:
        """Requests, retries, and failed attempts by the reason of their error."""
        with self._lock:
            return dict(self._counts)

    def instances(self, model: str) -> int:
        """See `InferenceClient.instances`; by the first endpoint to answer, times the endpoints."""
        config = self._served(self._endpoints, model)
        return max(1, sum(group.count for group in config.instance_group)) * len(self._endpoints)

    def close(self) -> None:
        """Close every connection; the next request opens them anew."""
        with self._lock:
            connections, self._connections = self._connections, {}
        for connection in connections.values():
            connection.close()

    def _persist(self, endpoints: Endpoints, what: str, attempt: Callable[[str], _Result]) -> _Result:
        """Run `attempt` on one endpoint after the other until it succeeds or its tries are used up."""
        retry, tries, deadlines, endpoint = self._serving.retry, 0, 0, ""
        while True:
            endpoint = endpoints.pick(but=endpoint)
            try:
                result = self._once(what, endpoint, attempt)
            except ServingError as error:
                tries, deadlines = tries + 1, deadlines + isinstance(error, DeadlineExceeded)
                self._note(endpoints, endpoint, error)
                spent = tries >= retry.attempts * len(endpoints) or deadlines >= retry.deadline_attempts
                if spent or not error.retryable:
                    raise
            else:
                endpoints.mark_up(endpoint)
                return result
            self._count("retries")
            time.sleep(self._wait_sec(tries, len(endpoints)))

    def _once(self, what: str, endpoint: str, attempt: Callable[[str], _Result]) -> _Result:
        try:
            return attempt(endpoint)
        except InferenceServerException as error:
            raise translate(error, f"{what} at {endpoint}") from None

    def _note(self, endpoints: Endpoints, endpoint: str, error: ServingError) -> None:
        self._count(error.reason)
        if isinstance(error, ServerUnavailable) and not isinstance(error, QueueFull):
            endpoints.mark_down(endpoint)
        if error.retryable:
            _LOG.info("%s", error)

    def _wait_sec(self, tries: int, endpoints: int) -> float:
        """No wait until every endpoint had its turn, then full jitter: as long in all, however many there are."""
        (rounds, turn), retry = divmod(tries, endpoints), self._serving.retry
        if turn:
            return 0.0
        return self._dice.uniform(0, min(retry.max_wait_sec, retry.first_wait_sec * 2.0 ** (rounds - 1)))

    def _slots_of(self, contract: ModelContract) -> Slots:
        """Room for a model's items, by the instances that the first endpoint to answer has of it.

        A request fills a batch, unless requests of its model share batches.
        """
        if contract.name not in self._model_slots:
            batches = self.instances(contract.name) * self._serving.in_flight_per_instance
            slots = Slots(batches * contract.max_batch)
            with self._lock:
                self._model_slots.setdefault(contract.name, slots)
        return self._model_slots[contract.name]

    def _served(self, endpoints: Endpoints, model: str) -> Any:
        """A model's configuration as one of `endpoints` has it."""

        def attempt(endpoint: str) -> Any:
            return (
                self._connection(endpoint)
                .get_model_config(model, headers=self._headers, client_timeout=_CONTROL_DEADLINE_SEC)
                .config
            )

        return self._persist(endpoints, f"configuration of {model}", attempt)

    def _digests_at(self, endpoint: str) -> dict[str, str]:
        digests, only = {}, Endpoints((endpoint,), self._serving.retry.down_sec)
        for model in self._contracts:
            try:
                config = self._served(only, model)
            except ModelNotFound:  # a server may hold some of the models
                continue
            digests[model] = str(config.parameters["model_digest"].string_value)
            if not digests[model]:
                raise ConfigError(f"{endpoint} serves {model!r} without a model_digest: materialise its repository")
        return digests

    def _connection(self, endpoint: str) -> Any:
        with self._lock:
            if endpoint not in self._connections:
                self._connections[endpoint] = _connect(endpoint, self._serving)
            return self._connections[endpoint]

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1


_SHARED: dict[tuple[int, ServingConfig], TritonClient] = {}
_SHARED_LOCK = threading.Lock()


def shared_client(serving: ServingConfig) -> InferenceClient:
    """This process's client for `serving`: its limit of requests in flight holds for all threads together."""
    key = (os.getpid(), serving)  # a forked child must not use its parent's connections
    with _SHARED_LOCK:
        if key not in _SHARED:
            client = _SHARED[key] = TritonClient(serving)
            atexit.register(client.close)  # before gRPC's own modules are torn down
        return _SHARED[key]


def _connect(endpoint: str, serving: ServingConfig) -> Any:
    credentials = _credentials(serving.tls) if serving.tls else None
    return triton.InferenceServerClient(endpoint, creds=credentials, channel_args=_channel_args(endpoint, serving))


def _credentials(tls: Tls) -> Any:
    """What `tls` names; read here, because a worker's machine may lack files that the launch has seen."""
    try:
        held = [
            Path(name).read_bytes() if name else None
            for name in (tls.root_certificates, tls.client_key, tls.client_certificate)
        ]
    except OSError as error:
        raise ConfigError(f"TLS file {error.filename!r} cannot be read: {error.strerror}") from None
    return grpc.ssl_channel_credentials(*held)


def _channel_args(endpoint: str, serving: ServingConfig) -> list[tuple[str, int]]:
    """All of them: given arguments replace the library's, and gRPC's own receive limit is 4 MB."""
    return [
        # what listens on this machine is not behind the proxy that the environment names for the world outside
        ("grpc.enable_http_proxy", int(not is_loopback(endpoint.rpartition(":")[0].strip("[]")))),
        ("grpc.max_send_message_length", serving.max_message_bytes),
        ("grpc.max_receive_message_length", serving.max_message_bytes),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
        # own connections, so that two clients of one process do not share a broken one
        ("grpc.use_local_subchannel_pool", 1),
    ]


_HEADER_NAME = re.compile(r"[0-9a-z_.-]+(?<!-bin)")  # gRPC takes bytes, not text, under names that end in -bin
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")


def _revealed(name: str, value: str) -> str:
    """A header's value, one that gRPC takes; else it would call each request the server's fault."""
    variable = value.removeprefix("env:") if value.startswith("env:") else ""
    if variable and variable not in os.environ:
        raise ConfigError(f"header {name!r} wants the environment variable {variable!r}, which is not set")
    if not _HEADER_NAME.fullmatch(name):
        raise ConfigError(f"header {name!r}: a name is of a-z, 0-9, '_', '.' and '-', and does not end in '-bin'")
    revealed = os.environ[variable] if variable else value
    if not _HEADER_VALUE.fullmatch(revealed):
        source = f"the environment variable {variable!r}" if variable else "its value"
        raise ConfigError(
            f"header {name!r}: {source} holds a line break or another character that headers cannot carry"
        )
    return revealed


def _encoded(spec: TensorSpec, tensor: NDArray[Any]) -> Any:
    encoded = triton.InferInput(spec.name, list(tensor.shape), spec.dtype)
    if spec.dtype == STRING:
        tensor = np.array([_utf8(text) for text in tensor.ravel()], np.object_).reshape(tensor.shape)
    encoded.set_data_from_numpy(tensor)
    return encoded


def _utf8(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode()


def _decoded(contract: ModelContract, result: Any) -> dict[str, NDArray[Any]]:
    outputs = {}
    for output in result.get_response().outputs:
        try:
            outputs[output.name] = result.as_numpy(output.name)
        # fewer bytes than the shape says: numpy 2 in a stub's environment does this; or strings that end too early
        except (ValueError, struct.error) as error:
            raise InvalidAnswer(f"{contract.name}: {output.name} cannot be read: {error}") from None
    return outputs
