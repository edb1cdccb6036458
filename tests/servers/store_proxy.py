"""A proxy in front of an S3 server that answers wrongly on request, over real sockets."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import unquote, urlsplit

from seaweed import client

Kind = Literal[
    "slow_down",
    "not_implemented",
    "hang_up",
    "lose_answer",
    "ignore_condition",
    "wrong_etag",
    "cut_body",
    "damage_body",
    "stall",
]
_SLOW_DOWN = (
    b'<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'
)
_NOT_IMPLEMENTED = (
    b'<?xml version="1.0"?><Error><Code>NotImplemented</Code><Message>A header is not known.</Message></Error>'
)
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass
class Fault:
    """What goes wrong, with which method, how many more times.

    `slow_down` and `not_implemented` answer 503 and 501 unasked; `hang_up` closes unasked; `lose_answer` asks and
    closes; `ignore_condition` stores whatever If-None-Match says; `wrong_etag` replaces the ETag; `cut_body` sends half
    of the answer; `damage_body` asks with one byte changed; `stall` answers after a minute, or when the proxy ends.
    """

    kind: Kind
    method: str
    times: int = 1


@dataclass
class Faults:
    """The faults still to happen, and what was asked."""

    pending: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, method: str) -> str:
        """The kind of fault for this request, "" for none."""
        with self.lock:
            self.asked.append(method)
            for fault in self.pending:
                if fault.method == method and fault.times > 0:
                    fault.times -= 1
                    return fault.kind
        return ""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no news."""


@contextmanager
def store_proxy(endpoint_url: str) -> Iterator[tuple[str, Faults]]:
    """Run a proxy in front of `endpoint_url`; yields its own URL and its faults."""
    faults, target, ended = Faults(), urlsplit(endpoint_url).netloc, threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kind = faults.next(self.command)
            if kind == "hang_up":
                self.close_connection = True
            elif kind == "slow_down":
                self._answer(503, [("Content-Type", "application/xml")], _SLOW_DOWN)
            elif kind == "not_implemented":
                self._answer(501, [("Content-Type", "application/xml")], _NOT_IMPLEMENTED)
            elif kind == "ignore_condition":
                _, bucket, key = urlsplit(self.path).path.split("/", 2)
                etag = client(endpoint_url).put_object(Bucket=bucket, Key=unquote(key), Body=body)["ETag"]
                self._answer(200, [("ETag", etag)], b"")
            else:
                self._forward(kind, body)

        def _forward(self, kind: str, body: bytes) -> None:
            if kind == "damage_body":
                body = bytes([body[0] ^ 1]) + body[1:]
            if kind == "stall":
                ended.wait(60)
            upstream = http.client.HTTPConnection(target, timeout=30)
            upstream.request(self.command, self.path, body, dict(self.headers.items()))
            answer = upstream.getresponse()
            data = answer.read()
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP]
            length = answer.getheader("Content-Length") or str(len(data))
            upstream.close()
            if kind == "lose_answer":
                self.close_connection = True
            elif kind == "wrong_etag":
                rest = [(name, value) for name, value in headers if name.lower() != "etag"]
                self._answer(answer.status, [*rest, ("ETag", '"00000000000000000000000000000000"')], data, length)
            else:
                self._answer(answer.status, headers, data, length, cut=kind == "cut_body")

        def _answer(
            self, status: int, headers: list[tuple[str, str]], data: bytes, length: str = "", *, cut: bool = False
        ) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if cut else data)
            self.close_connection = self.close_connection or cut

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _serve  # noqa: N815

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", faults
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
