from __future__ import annotations

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given, settings
from hypothesis import strategies as st
from image_host import ImageHost, Reply, image_host

from transforms.errors import (
    SourceDenied,
    SourceError,
    SourceNotAllowed,
    SourceNotFound,
    SourceTooLarge,
    SourceUnavailable,
)
from transforms.sources import http
from transforms.sources.allow import SourcePolicy, compile_rules, parse_http
from transforms.sources.connections import _manager
from transforms.sources.http import Answer, _joined, fetch_http

JPEG = b"\xff\xd8\xff\xe0" + b"pixels" * 100
PUBLIC = "93.184.216.34"


@pytest.fixture
def host() -> Iterator[ImageHost]:
    with image_host() as running:
        yield running


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(http, "_BACKOFF_SEC", 0.001)
    yield
    _manager().clear()
    http._resolved.cache_clear()


def get(
    uri: str,
    *allow: str,
    resolve: Callable[[str, int], list[str]] = http.resolve_host,
    deadline_sec: float = 5.0,
    max_bytes: int = 10_000,
    max_attempts: int = 3,
) -> Answer:
    policy = SourcePolicy(
        allow=allow,
        max_bytes=max_bytes,
        connect_deadline_sec=0.5,
        total_deadline_sec=deadline_sec,
        max_redirects=3,
        max_attempts=max_attempts,
    )
    return fetch_http(uri, rules=compile_rules(allow, "/nowhere"), policy=policy, resolve=resolve)


def at(host: ImageHost, path: str = "") -> str:
    return f"http://127.0.0.1:{host.port}{path}"


def test_an_image_is_fetched_from_an_address_written_out_in_a_rule(host: ImageHost) -> None:
    host.replies["/a.jpg?w=1"] = Reply(JPEG, headers={"ETag": '"abc"'})
    assert get(at(host, "/a.jpg?w=1"), at(host)) == Answer(JPEG, '"abc"')


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
    ],
)
def test_a_name_at_an_address_that_is_not_public_is_refused(host: ImageHost, address: str) -> None:
    with pytest.raises(SourceNotAllowed, match="not public"):
        get(f"http://images.test:{host.port}/a.jpg", f"http://images.test:{host.port}", resolve=lambda *_: [address])
    assert host.asked == []


@pytest.mark.parametrize("literal", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "localhost", "[::ffff:127.0.0.1]"])
def test_no_way_to_write_loopback_passes_a_rule_for_any_host(host: ImageHost, literal: str) -> None:
    with pytest.raises(SourceNotAllowed):
        get(f"http://{literal}:{host.port}/a.jpg", f"http://*:{host.port}")
    assert host.asked == []


def test_a_private_network_may_be_allowed_for_named_hosts(host: ImageHost) -> None:
    host.replies["/a.jpg"] = Reply(JPEG)
    uri, rule = f"http://images.test:{host.port}/a.jpg", f"http://images.test:{host.port}"
    assert get(uri, rule, "127.0.0.0/8", resolve=lambda *_: ["127.0.0.1"]).data == JPEG
    assert host.asked == [("/a.jpg", f"images.test:{host.port}")]


def test_the_address_that_was_checked_is_the_one_connected_to(host: ImageHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that turns to loopback after its check reaches nothing: no second look-up happens."""
    asked: list[str] = []
    connected: list[tuple[str, int]] = []
    connect = socket.socket.connect

    def resolve(name: str, port: int) -> list[str]:
        asked.append(name)
        return [PUBLIC] if len(asked) == 1 else ["127.0.0.1"]

    def note(self: socket.socket, address: tuple[str, int]) -> None:
        connected.append(address)
        if address[0] == PUBLIC:
            raise ConnectionRefusedError
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", note)
    with pytest.raises((SourceUnavailable, SourceNotAllowed)):
        get(f"http://rebind.test:{host.port}/a.jpg", f"http://rebind.test:{host.port}", resolve=resolve)
    assert connected and {address for address, _ in connected} == {PUBLIC}
    assert host.asked == []


def test_private_addresses_among_public_ones_are_passed_over(host: ImageHost, monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[str] = []

    def refuse(self: socket.socket, address: tuple[str, int]) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(SourceUnavailable):
        get("http://mixed.test/a.jpg", "http://mixed.test", resolve=lambda *_: ["127.0.0.1", PUBLIC], max_attempts=1)
    assert connected == [PUBLIC]


def test_the_next_address_is_tried_where_one_does_not_answer(host: ImageHost) -> None:
    host.replies["/a.jpg"] = Reply(JPEG)
    rule = f"http://two.test:{host.port}"
    answer = get(f"{rule}/a.jpg", rule, "127.0.0.0/8", resolve=lambda *_: ["127.0.0.99", "127.0.0.1"])
    assert answer.data == JPEG


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_the_rules_is_followed(host: ImageHost, status: int) -> None:
    host.replies["/a.jpg"] = Reply(status=status, headers={"Location": "/b.jpg"})
    host.replies["/b.jpg"] = Reply(JPEG)
    assert get(at(host, "/a.jpg"), at(host)).data == JPEG


@pytest.mark.parametrize("code", ["utf-8", "latin-1"])
def test_a_redirect_that_is_not_encoded_is_followed(host: ImageHost, code: str) -> None:
    host.replies["/a.jpg"] = Reply(status=302, headers={"Location": "/caf\xe9 b.jpg".encode(code).decode("latin-1")})
    host.replies["/caf%C3%A9%20b.jpg"] = Reply(JPEG)
    assert get(at(host, "/a.jpg"), at(host)).data == JPEG


def test_a_redirect_to_a_private_address_is_refused(host: ImageHost) -> None:
    with image_host() as inner:
        inner.replies["/secret"] = Reply(JPEG)
        host.replies["/a.jpg"] = Reply(status=302, headers={"Location": at(inner, "/secret")})
        with pytest.raises(SourceNotAllowed, match="redirected"):
            get(at(host, "/a.jpg"), at(host))
        with pytest.raises(SourceNotAllowed, match="not public"):
            get(at(host, "/a.jpg"), at(host), f"http://*:{inner.port}")
        assert inner.asked == []


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://x", "//[", "http://"])
def test_a_redirect_to_anything_else_is_refused(host: ImageHost, location: str) -> None:
    host.replies["/a.jpg"] = Reply(status=302, headers={"Location": location})
    with pytest.raises(SourceError, match="redirect") as caught:
        get(at(host, "/a.jpg"), at(host))
    assert at(host, "/a.jpg") in str(caught.value)


def test_redirects_end(host: ImageHost) -> None:
    host.replies["/a.jpg"] = Reply(status=302, headers={"Location": "/a.jpg"})
    with pytest.raises(SourceError, match="more than 3 redirects"):
        get(at(host, "/a.jpg"), at(host))
    assert len(host.asked) == 4


@pytest.mark.parametrize(
    ("status", "kind", "asked"),
    [
        (404, SourceNotFound, 1),
        (410, SourceNotFound, 1),
        (401, SourceDenied, 1),
        (403, SourceDenied, 1),
        (418, SourceError, 1),
        (204, SourceError, 1),
        (206, SourceError, 1),
        (304, SourceError, 1),
        (408, SourceUnavailable, 3),
        (429, SourceUnavailable, 3),
        (500, SourceUnavailable, 3),
        (503, SourceUnavailable, 3),
    ],
)
def test_statuses_become_errors_of_ours(host: ImageHost, status: int, kind: type[SourceError], asked: int) -> None:
    host.replies["/a.jpg"] = Reply(status=status)
    with pytest.raises(SourceError) as caught:
        get(at(host, "/a.jpg"), at(host))
    assert type(caught.value) is kind and str(status) in str(caught.value)
    assert len(host.asked) == asked


def test_another_try_may_succeed(host: ImageHost) -> None:
    replies = iter([Reply(status=503), Reply(hang_up=True), Reply(JPEG)])
    host.replies["/a.jpg"] = lambda: next(replies)
    assert get(at(host, "/a.jpg"), at(host)).data == JPEG


def test_a_body_that_breaks_off_is_not_taken_for_whole(host: ImageHost) -> None:
    host.replies["/a.jpg"] = lambda: Reply(JPEG, length=len(JPEG) + 10, headers={"Connection": "close"})
    with pytest.raises(SourceUnavailable):
        get(at(host, "/a.jpg"), at(host), deadline_sec=1.0)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"x" * 1000, pause_sec=0.05),
        Reply(b"x" * 1000, pause_sec=0.05, length=None),
        Reply(trickle_header=True, pause_sec=0.05),
    ],
    ids=["body", "body without length", "header"],
)
def test_a_trickle_ends_at_the_deadline(host: ImageHost, reply: Reply) -> None:
    host.replies["/a.jpg"] = reply
    started = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"0\.5 s"):
        get(at(host, "/a.jpg"), at(host), deadline_sec=0.5)
    assert time.monotonic() - started < 20  # the whole takes 50 s


def test_a_server_that_accepts_and_says_nothing_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        rule = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(SourceUnavailable):
            get(f"{rule}/a.jpg", rule, deadline_sec=0.4)
        assert time.monotonic() - started < 20


def test_a_resolver_that_does_not_answer_ends_at_the_deadline() -> None:
    released = threading.Event()

    def resolve(*_: object) -> list[str]:
        released.wait(60)
        return [PUBLIC]

    started = time.monotonic()
    with pytest.raises(SourceUnavailable, match="resolved in time"):
        get("http://slow.test/a.jpg", "http://slow.test", resolve=resolve, deadline_sec=0.3)
    assert time.monotonic() - started < 20
    released.set()


def test_a_name_that_does_not_exist_is_unavailable() -> None:
    def resolve(*_: object) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(SourceUnavailable, match="Name or service"):
        get("http://gone.test/a.jpg", "http://gone.test", resolve=resolve)


@pytest.mark.parametrize("length", [-1, None])
def test_more_than_the_limit_is_not_read(host: ImageHost, length: int | None) -> None:
    host.replies["/a.jpg"] = Reply(b"x" * 10_001, length=length)
    with pytest.raises(SourceTooLarge, match="10000"):
        get(at(host, "/a.jpg"), at(host))
    host.replies["/b.jpg"] = Reply(b"x" * 10_000, length=length)
    assert len(get(at(host, "/b.jpg"), at(host)).data) == 10_000


HEADS = st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 x\r\nLocation: ", b"HTTP/1.1 200 OK\r\n\r\n"])
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@settings(max_examples=60, deadline=None)
@given(HEADS | st.just(CHUNKED), st.binary(max_size=80))
@example(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 70_000 + b"\r\n\r\n")
@example(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 200 + b"\r\n")
@example(b"HTTP/1.1 200 OK\r\n", b"Content-Length: -5\r\n\r\nabc")
@example(b"HTTP/1.1 200 OK\r\n", b"Content-Length: \xb2\r\n\r\nabc")
@example(b"HTTP/1.1 200 OK\r\n", b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabc")
@example(CHUNKED, b"ffffffffffffffff\r\n")
@example(CHUNKED, b"-5\r\nabc")
def test_whatever_a_server_answers_there_is_a_body_or_an_error_of_ours(head: bytes, rest: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_once() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):  # who asked may have left at the deadline
                connection.recv(65536)
                connection.sendall(head + rest)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1)

        thread = threading.Thread(target=answer_once, daemon=True)
        thread.start()
        rule = f"http://127.0.0.1:{server.getsockname()[1]}"
        try:
            assert isinstance(get(f"{rule}/a.jpg", rule, max_attempts=1, deadline_sec=0.3).data, bytes)
        except SourceError as error:
            assert str(error)
        _manager().clear()
        thread.join(5)


def test_connections_are_kept(host: ImageHost) -> None:
    host.replies["/a.jpg"] = Reply(JPEG)
    for _ in range(5):
        get(at(host, "/a.jpg"), at(host))
    assert len(host.connections) == 1


def test_credentials_in_a_url_are_refused_and_not_shown(host: ImageHost) -> None:
    with pytest.raises(SourceNotAllowed) as caught:
        get(f"http://ann:hunter2@127.0.0.1:{host.port}/a.jpg", at(host))
    assert "hunter2" not in str(caught.value)


def certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate of `name` with its key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + signed.public_bytes(serialization.Encoding.PEM)
    path = folder / "certificate.pem"
    path.write_bytes(pem)
    return path


@pytest.fixture
def tls_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ImageHost]:
    """A server with a trusted certificate for images.test, which resolves to loopback."""
    path = certificate(tmp_path, "images.test")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with image_host(context) as running:
        running.replies["/a.jpg"] = Reply(JPEG)
        yield running


def test_a_certificate_is_verified_for_the_name_and_not_the_address(tls_host: ImageHost) -> None:
    rule = f"https://images.test:{tls_host.port}"
    assert get(f"{rule}/a.jpg", rule, "127.0.0.0/8", resolve=lambda *_: ["127.0.0.1"]).data == JPEG
    assert tls_host.asked == [("/a.jpg", f"images.test:{tls_host.port}")]


def test_a_certificate_of_another_name_is_refused(tls_host: ImageHost) -> None:
    rule = f"https://other.test:{tls_host.port}"
    with pytest.raises(SourceError, match=r"images\.test|certificate") as caught:
        get(f"{rule}/a.jpg", rule, "127.0.0.0/8", resolve=lambda *_: ["127.0.0.1"])
    assert not caught.value.retryable and tls_host.asked == []


def test_a_server_that_hangs_up_while_it_greets_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        rule = f"https://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(SourceUnavailable, match="EOF"):
            get(f"{rule}/a.jpg", rule, max_attempts=1)
        thread.join(5)


def test_a_relative_redirect_from_an_ipv6_address_stays_there() -> None:
    url = parse_http("https://[2606:4700::1]:8443/a/b.jpg")
    assert parse_http(_joined(url, "c.jpg")) == parse_http("https://[2606:4700::1]:8443/a/c.jpg")
