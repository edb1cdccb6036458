"""Kept http(s) connections to checked addresses, and a watchdog that shuts them at a deadline."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Url

from transforms.sources.allow import port_of

_POOLS, _CONNECTIONS = 64, 32


@dataclass
class Watch:
    """The socket of the request under way in this thread, to be shut at its deadline."""

    sock: socket.socket | None = None
    expired: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def use(self, sock: socket.socket | None) -> None:
        """Watch this socket from now on."""
        with self.lock:
            self.sock = sock
        if self.expired:
            self.expire()

    def expire(self) -> None:
        """The deadline: whoever reads from the socket gets an error or its end."""
        self.expired = True
        with self.lock, suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)


_current = threading.local()


@contextmanager
def watched(seconds: float) -> Iterator[Watch]:
    """A socket timeout is for each packet, so a trickle never meets it: a timer shuts the socket instead."""
    watch = _current.watch = Watch()
    timer = threading.Timer(seconds, watch.expire)
    timer.daemon = True
    timer.start()
    try:
        yield watch
    finally:
        timer.cancel()
        watch.use(None)
        _current.watch = None


class _WatchedHTTP(HTTPConnection):
    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _current.watch.use(self.sock)
        super().putrequest(*args, **kwargs)


class _WatchedHTTPS(HTTPSConnection):
    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _current.watch.use(self.sock)
        super().putrequest(*args, **kwargs)


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


@lru_cache(maxsize=1)
def _manager() -> urllib3.PoolManager:
    manager = urllib3.PoolManager(_POOLS, maxsize=_CONNECTIONS)
    manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
    return manager


def pool_at(address: str, url: Url) -> urllib3.HTTPConnectionPool:
    """Kept connections to `address`, which speak for `url`'s host."""
    tls: Mapping[str, Any] = {}
    if url.scheme == "https":
        tls = {"server_hostname": url.host, "assert_hostname": url.host, "cert_reqs": "CERT_REQUIRED"}
    return _manager().connection_from_host(address, port_of(url), url.scheme, pool_kwargs=dict(tls))


os.register_at_fork(after_in_child=_manager.cache_clear)  # a child must not speak on its parent's connections
