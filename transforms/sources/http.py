"""Fetch an image over http(s) from a host that a stranger named.

The host's name is resolved here, the address is checked, and that very address is connected to, so that a name cannot
mean one host while it is checked and another while it is read. Certificates are verified for the name. Redirects go
through the same checks. A watchdog ends the request at the deadline however slowly the server trickles.
"""

from __future__ import annotations

import random
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urljoin

import urllib3
from urllib3.util import Timeout, Url

from transforms.errors import (
    SourceDenied,
    SourceError,
    SourceNotAllowed,
    SourceNotFound,
    SourceTooLarge,
    SourceUnavailable,
)
from transforms.sources.allow import Rules, SourcePolicy, parse_http, port_of
from transforms.sources.connections import pool_at, watched

Resolve = Callable[[str, int], list[str]]
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRY_STATUSES = frozenset({408, 425, 429})
_HEADERS = {"User-Agent": "catalog-canvas", "Accept": "image/*", "Accept-Encoding": "identity"}
_CHUNK_BYTES = 64 * 1024
_BACKOFF_SEC = 0.25
_NAMES_KEPT_SEC = 30.0
_HUNG_UP = (ssl.SSLEOFError, ssl.SSLZeroReturnError)  # a balancer that restarts, and no word of a certificate
_LENGTH = re.compile(r"[0-9]{1,19}")  # of a body that there can be; what else a server says of it is not believed


class Answer(NamedTuple):
    """The body, and the ETag where the server gave one."""

    data: bytes
    etag: str


class _Moved(NamedTuple):
    location: str


def resolve_host(host: str, port: int) -> list[str]:
    """The addresses of `host`, by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def fetch_http(uri: str, *, rules: Rules, policy: SourcePolicy, resolve: Resolve = resolve_host) -> Answer:
    """The bytes behind an http(s) URL.

    Raises:
        SourceNotAllowed: no rule allows the URL, a redirect's target or the host's address.
        SourceNotFound, SourceDenied, SourceTooLarge: what the server said.
        SourceUnavailable: no answer in time, after all attempts.
    """
    deadline = time.monotonic() + policy.total_deadline_sec
    for attempt in range(1, policy.max_attempts + 1):
        try:
            return _follow(uri, rules, policy, resolve, deadline)
        except SourceUnavailable:
            pause = _BACKOFF_SEC * 2**attempt * random.uniform(0.5, 1.5)
            if attempt == policy.max_attempts or time.monotonic() + pause > deadline:
                raise
            time.sleep(pause)
    raise SourceUnavailable(f"{uri}: not tried; max_attempts is {policy.max_attempts}")


def _follow(uri: str, rules: Rules, policy: SourcePolicy, resolve: Resolve, deadline: float) -> Answer:
    target = uri
    for _ in range(policy.max_redirects + 1):
        url = _parsed(uri, target)
        if not rules.allows_url(url):
            raise SourceNotAllowed(f"{_via(uri, target)}: no entry of --allow_source fits")
        answer = _ask(url, _via(uri, target), rules, policy, resolve, deadline)
        if isinstance(answer, Answer):
            return answer
        target = _joined(url, answer.location)
    raise SourceError(f"{uri}: more than {policy.max_redirects} redirects")


def _joined(url: Url, location: str) -> str:
    try:
        base = url._replace(host=f"[{url.host}]") if ":" in (url.host or "") else url
        return urljoin(base.url, location)
    except ValueError as error:
        raise SourceError(f"{url.url}: redirected to {location!r}, which is no URL") from error


def _parsed(uri: str, target: str) -> Url:
    try:
        return parse_http(target)
    except SourceNotAllowed as error:
        if target == uri:
            raise
        message = f"{_via(uri, target)}: not an http(s) URL with a host"
        raise SourceNotAllowed(message, remedy="correct image_uri, or the server that redirects it") from error


def _via(uri: str, target: str) -> str:
    return uri if uri == target else f"{uri} redirected to {target}"


def _ask(url: Url, name: str, rules: Rules, policy: SourcePolicy, resolve: Resolve, deadline: float) -> Answer | _Moved:
    """Ask one URL, at the first of its host's allowed addresses that can be connected to."""
    refused: SourceUnavailable | None = None
    for address in _addresses(url, name, rules, resolve, deadline):
        try:
            return _ask_at(address, url, name, policy, deadline)
        except _CannotConnect as error:
            refused = error
    raise refused or SourceUnavailable(f"{name}: no address")


class _CannotConnect(SourceUnavailable):
    """This address does not answer; another of the host's may."""


def _addresses(url: Url, name: str, rules: Rules, resolve: Resolve, deadline: float) -> list[str]:
    found = _resolve_in_time(url, name, resolve, deadline)
    allowed = [address for address in found if rules.allows_address(url, address)]
    if not allowed:
        raise SourceNotAllowed(f"{name}: {url.host} is at {', '.join(found) or 'no address'}, which is not public")
    return allowed


def _resolve_in_time(url: Url, name: str, resolve: Resolve, deadline: float) -> list[str]:
    """The system's resolver knows no deadline: wait in another thread and leave it behind where it takes too long."""
    found: list[list[str] | OSError] = []

    def look_up() -> None:
        try:
            found.append(_resolved(resolve, url.host or "", port_of(url), int(time.monotonic() / _NAMES_KEPT_SEC)))
        except (OSError, UnicodeError) as error:
            found.append(OSError(str(error)))

    thread = threading.Thread(target=look_up, name="resolve", daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if not found:
        raise SourceUnavailable(f"{name}: the name was not resolved in time")
    if isinstance(found[0], OSError):
        raise SourceUnavailable(f"{name}: the name cannot be resolved: {found[0]}")
    return found[0]


@lru_cache(maxsize=1024)
def _resolved(resolve: Resolve, host: str, port: int, _period: int) -> list[str]:
    return resolve(host, port)


def _ask_at(address: str, url: Url, name: str, policy: SourcePolicy, deadline: float) -> Answer | _Moved:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise SourceUnavailable(f"{name}: no answer within {policy.total_deadline_sec:g} s")
    timeout = Timeout(connect=min(policy.connect_deadline_sec, remaining), read=remaining)
    with _translated(name, policy), watched(remaining) as watch:
        try:
            response = pool_at(address, url).urlopen(
                "GET",
                url.request_uri,
                headers={**_HEADERS, "Host": _host_header(url)},
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                answer = _read(response, name, policy)
            finally:
                _release(response)
            if watch.expired:  # a body without a length looks complete when its socket is shut
                raise urllib3.exceptions.ProtocolError("shut at the deadline")
            return answer
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if watch.expired:
                raise SourceUnavailable(f"{name}: not complete within {policy.total_deadline_sec:g} s") from error
            raise


def _release(response: urllib3.BaseHTTPResponse) -> None:
    """Back into the pool if it was read to its end; a connection with a rest in it is closed."""
    if response.closed:
        response.release_conn()
    else:
        response.close()


def _read(response: urllib3.BaseHTTPResponse, name: str, policy: SourcePolicy) -> Answer | _Moved:
    location = response.headers.get("Location")
    if response.status in _REDIRECTS and location:
        return _Moved(_as_written(location))
    if response.status != 200:
        raise _refusal(response.status, name)
    length = response.headers.get("Content-Length", "")
    if _LENGTH.fullmatch(length) and int(length) > policy.max_bytes:
        raise SourceTooLarge(f"{name}: {length} bytes, over the limit of {policy.max_bytes}")
    parts: list[bytes] = []
    size = 0
    for part in response.stream(_CHUNK_BYTES, decode_content=False):
        size += len(part)
        if size > policy.max_bytes:
            raise SourceTooLarge(f"{name}: more than the limit of {policy.max_bytes} bytes")
        parts.append(part)
    return Answer(b"".join(parts), response.headers.get("ETag", ""))


def _as_written(header: str) -> str:
    """A header's text: Python reads its bytes as Latin-1, and servers that do not encode a path write UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header


def _refusal(status: int, name: str) -> SourceError:
    """The one place where HTTP statuses become our errors."""
    if status in (404, 410):
        return SourceNotFound(f"{name}: HTTP {status}")
    if status in (401, 402, 403, 407, 451):
        return SourceDenied(f"{name}: HTTP {status}")
    if status in _RETRY_STATUSES or status >= 500:
        return SourceUnavailable(f"{name}: HTTP {status}")
    return SourceError(f"{name}: HTTP {status}, not an image")


@contextmanager
def _translated(name: str, policy: SourcePolicy) -> Iterator[None]:
    """The one place where urllib3's errors become ours."""
    try:
        yield
    except urllib3.exceptions.SSLError as error:
        if isinstance(error.args[0], _HUNG_UP):
            raise SourceUnavailable(f"{name}: {error}") from error
        raise SourceError(f"{name}: {error}", remedy="the image host's certificate must be valid") from error
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        raise _CannotConnect(f"{name}: {error}") from error
    except urllib3.exceptions.ReadTimeoutError as error:
        raise SourceUnavailable(f"{name}: not complete within {policy.total_deadline_sec:g} s") from error
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:  # urllib3 lets a chunk of -5 bytes through
        raise SourceUnavailable(f"{name}: {error}") from error


def _host_header(url: Url) -> str:
    host = f"[{url.host}]" if ":" in (url.host or "") else str(url.host)
    return f"{host}:{url.port}" if url.port else host
