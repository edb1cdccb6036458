"""What a serving configuration accepts."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from transforms.errors import ConfigError
from transforms.inference.config import Retry, ServingConfig, Tls


@pytest.mark.parametrize(
    "endpoint",
    ["host", "host:", ":8001", "host:http", "host:0", "host:70000", "http://host:8001", "https://h:1", " host:1"],
)
def test_an_endpoint_is_host_and_port(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="is not host:port"):
        ServingConfig((endpoint,))


@pytest.mark.parametrize(
    "settings", [{"deadline_sec": 0.0}, {"max_in_flight": 0}, {"max_message_bytes": 1}, {"endpoints": ()}]
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ServingConfig(**{"endpoints": ("host:8001",), **settings})


@pytest.mark.parametrize("settings", [{"attempts": 0}, {"deadline_attempts": 99}, {"down_sec": -1.0}])
def test_retries_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Retry(**settings)


def test_tls_files_must_exist_and_key_and_certificate_come_together(tmp_path: Path) -> None:
    pem = tmp_path / "a.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----")
    assert Tls(str(pem), str(pem), str(pem)).root_certificates == str(pem)
    with pytest.raises(ConfigError, match="does not exist"):
        Tls("/nowhere.pem")
    with pytest.raises(ConfigError, match="together"):
        Tls(client_key=str(pem))


def test_a_tls_file_must_hold_pem(tmp_path: Path) -> None:
    der = tmp_path / "a.der"
    der.write_bytes(b"\x30\x82")
    with pytest.raises(ConfigError, match="holds no PEM"):
        Tls(str(der))


def test_a_configuration_is_a_value() -> None:
    serving = ServingConfig(("host:8001", "[::1]:8001"))
    assert pickle.loads(pickle.dumps(serving)) == serving
    assert hash(serving) == hash(ServingConfig(("host:8001", "[::1]:8001")))
