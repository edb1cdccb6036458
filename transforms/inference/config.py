"""Where the inference servers are and how patiently they are asked. Frozen, picklable, without secrets in its repr."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from transforms.errors import ConfigError


@dataclass(frozen=True)
class Tls:
    """PEM files of an encrypted connection.

    Attributes:
        root_certificates: the authorities that may have signed the server; "" takes gRPC's own.
        client_key, client_certificate: identify this client to the server; both or neither.
    """

    root_certificates: str = ""
    client_key: str = ""
    client_certificate: str = ""

    def __post_init__(self) -> None:
        if bool(self.client_key) != bool(self.client_certificate):
            raise ConfigError("TLS client key and client certificate come together: one of them is missing")
        for name in (self.root_certificates, self.client_key, self.client_certificate):
            if name:
                _require_pem(name)


def _require_pem(name: str) -> None:
    """Refuse what gRPC would take without a word, and then call every server unreachable for."""
    if not Path(name).is_file():
        raise ConfigError(f"TLS file {name!r} does not exist")
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise ConfigError(f"TLS file {name!r} cannot be read: {error.strerror}") from None
    if b"-----BEGIN " not in content:
        raise ConfigError(f"TLS file {name!r} holds no PEM")


@dataclass(frozen=True)
class Retry:
    """How often and how long a request is tried again.

    Waits are drawn uniformly from [0, min(max_wait_sec, first_wait_sec * 2^n)] ("full jitter",
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). With the defaults they add up to
    three quarters of a minute on average, which spans the restart of a server.

    Attributes:
        attempts: tries of one request at most, the first included, for each endpoint.
        deadline_attempts: tries of a request that runs into its deadline; the server computes on regardless, so few.
        first_wait_sec, max_wait_sec: bounds of the waits.
        down_sec: how long an endpoint that failed is passed over while another one is left.
    """

    attempts: int = 16
    deadline_attempts: int = 2
    first_wait_sec: float = 0.2
    max_wait_sec: float = 8.0
    down_sec: float = 5.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or not 1 <= self.deadline_attempts <= self.attempts:
            raise ConfigError(f"retry attempts {self.attempts}, {self.deadline_attempts}: 1 <= deadline <= attempts")
        if min(self.first_wait_sec, self.max_wait_sec, self.down_sec) < 0:
            raise ConfigError("retry waits must not be negative")


@dataclass(frozen=True)
class ServingConfig:
    """The inference servers and the terms on which they are asked.

    Attributes:
        endpoints: gRPC addresses, "host:port"; requests go round them.
        tls: None for plain text.
        headers: gRPC metadata sent with every request, for instance an authorization. A value `env:NAME` is read
            from the environment where the client runs, so that a secret need not travel with the pipeline. Values
            never appear in logs, messages or this object's repr.
        deadline_sec: deadline of one attempt; None takes the contract's own.
        max_in_flight: requests of this process under way at once.
        in_flight_per_instance: requests of this process to one model under way at once, for each of its instances
            on all endpoints; whole batches, where requests share them. Two keep an instance busy; what waits here does
            not run into its deadline.
        max_message_bytes: limit of one request or answer.
    """

    endpoints: tuple[str, ...]
    tls: Tls | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    retry: Retry = Retry()
    deadline_sec: float | None = None
    max_in_flight: int = 16
    in_flight_per_instance: int = 2
    max_message_bytes: int = 256 * 2**20

    def __post_init__(self) -> None:
        if not self.endpoints:
            raise ConfigError("no inference server: name at least one host:port")
        for endpoint in self.endpoints:
            host, _, port = endpoint.rpartition(":")
            # a URL, or a blank behind a comma, would only show as a server that is never reached
            odd = endpoint.startswith(("http://", "https://")) or any(map(str.isspace, endpoint))
            if odd or not host or not port.isdecimal() or not 0 < int(port) < 65536:
                raise ConfigError(f"inference server {endpoint!r} is not host:port")
        if self.deadline_sec is not None and self.deadline_sec <= 0:
            raise ConfigError(f"deadline_sec {self.deadline_sec} must be positive")
        if min(self.max_in_flight, self.in_flight_per_instance) < 1 or self.max_message_bytes < 2**20:
            raise ConfigError("requests in flight must be at least 1 and max_message_bytes at least 1 MiB")
