"""A real http(s) server on a loopback port that answers as a test says, trickles included."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """What one path answers.

    Attributes:
        pause_sec: before each byte of the body; of the header too where `trickle_header`.
        length: the Content-Length that is claimed; None for none at all.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pause_sec: float = 0.0
    trickle_header: bool = False
    length: int | None = -1
    hang_up: bool = False


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no news."""


@dataclass
class ImageHost:
    """A running server: its port, the replies by path, and the requests it got as (path, Host header)."""

    port: int
    replies: dict[str, Reply | Callable[[], Reply]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)


@contextmanager
def image_host(tls: ssl.SSLContext | None = None) -> Iterator[ImageHost]:
    """Serve on 127.0.0.1 until the block ends."""
    host = ImageHost(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            host.asked.append((self.path, self.headers["Host"]))
            host.connections.add(self.client_address)
            reply = host.replies.get(self.path, Reply(status=404))
            reply = reply() if callable(reply) else reply
            self.close_connection = reply.hang_up or reply.length is None
            if not reply.hang_up:
                with suppress(OSError):
                    self._send(reply)

        def _send(self, reply: Reply) -> None:
            if reply.trickle_header:
                self._trickle(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 1000, reply.pause_sec)
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.length is not None:
                self.send_header("Content-Length", str(len(reply.body) if reply.length < 0 else reply.length))
            self.end_headers()
            self._trickle(reply.body, reply.pause_sec)

        def _trickle(self, data: bytes, pause_sec: float) -> None:
            if not pause_sec:
                self.wfile.write(data)
                return
            for byte in data:
                self.wfile.write(bytes([byte]))
                time.sleep(pause_sec)

    server = _Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    host.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
