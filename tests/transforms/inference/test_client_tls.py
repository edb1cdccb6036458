"""The client over mutual TLS, with headers, against a gRPC server that demands both."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc

from transforms.errors import ConfigError, RequestRefused, ServerUnavailable
from transforms.inference.client import TritonClient
from transforms.inference.config import Retry, ServingConfig, Tls
from transforms.inference.contracts import CONTRACTS

ONLY = {"segmenter": CONTRACTS["segmenter"]}
ONCE = Retry(attempts=1, deadline_attempts=1)


class Service(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Tells one digest to whoever sends the token, and of every model but one."""

    def __init__(self, digest: str, lacks: str) -> None:
        self.digest, self.lacks = digest, lacks

    def ModelConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        if dict(context.invocation_metadata()).get("authorization") != "Bearer good":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "token")
        if request.name == self.lacks:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Request for unknown model: '{request.name}' is not found")
        config = model_config_pb2.ModelConfig(name=request.name)
        config.parameters["model_digest"].string_value = self.digest
        return service_pb2.ModelConfigResponse(config=config)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """(key, certificate): self-signed for 127.0.0.1, its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "catalog tests")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder: Path = tmp_path_factory.mktemp("pem")
    plain = serialization.NoEncryption()
    encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").write_bytes(encoded)
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return str(folder / "key.pem"), str(folder / "certificate.pem")


@contextmanager
def serve(pem: tuple[str, str], digest: str, lacks: str = "") -> Iterator[str]:
    key, certificate = (Path(name).read_bytes() for name in pem)
    server = grpc.server(ThreadPoolExecutor(2))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Service(digest, lacks), server)
    credentials = grpc.ssl_server_credentials([(key, certificate)], certificate, require_client_auth=True)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def config(pem: tuple[str, str], *addresses: str, token: str = "Bearer good") -> ServingConfig:
    return ServingConfig(addresses, Tls(pem[1], *pem), (("authorization", token),), ONCE)


def test_a_client_with_certificate_and_token_is_answered(pem: tuple[str, str]) -> None:
    with serve(pem, "d1") as address:
        assert TritonClient(config(pem, address), ONLY).model_digests() == {"segmenter": "d1"}


def test_a_client_without_either_is_refused_and_its_token_not_told(pem: tuple[str, str]) -> None:
    with serve(pem, "d1") as address:
        with pytest.raises(RequestRefused, match="UNAUTHENTICATED") as raised:
            TritonClient(config(pem, address, token="Bearer stolen"), ONLY).model_digests()
        assert "stolen" not in str(raised.value)
        for tls in (Tls(pem[1]), None):
            with pytest.raises(ServerUnavailable):
                TritonClient(ServingConfig((address,), tls, retry=ONCE), ONLY).model_digests()


def test_endpoints_that_serve_different_models_are_refused(pem: tuple[str, str]) -> None:
    with serve(pem, "d1") as first, serve(pem, "d2") as second, pytest.raises(ConfigError, match="another 'segmenter'"):
        TritonClient(config(pem, first, second), ONLY).model_digests()


def test_a_server_without_digests_is_refused(pem: tuple[str, str]) -> None:
    with serve(pem, "") as address, pytest.raises(ConfigError, match="model_digest"):
        TritonClient(config(pem, address), ONLY).model_digests()


def test_a_tls_file_that_this_machine_lacks_is_told_by_name(pem: tuple[str, str], tmp_path: Path) -> None:
    copy = tmp_path / "authorities.pem"
    copy.write_bytes(Path(pem[1]).read_bytes())
    client = TritonClient(ServingConfig(("127.0.0.1:1",), Tls(str(copy)), retry=ONCE), ONLY)
    copy.unlink()
    with pytest.raises(ConfigError, match=r"authorities\.pem' cannot be read"):
        client.model_digests()


def test_a_model_that_one_endpoint_lacks_is_not_served(pem: tuple[str, str]) -> None:
    two = {name: CONTRACTS[name] for name in ("segmenter", "reward")}
    with serve(pem, "d") as whole, serve(pem, "d", lacks="reward") as part:
        assert set(TritonClient(config(pem, whole), two).model_digests()) == {"segmenter", "reward"}
        assert set(TritonClient(config(pem, whole, part), two).model_digests()) == {"segmenter"}
