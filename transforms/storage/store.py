"""The interface that every object store offers, and how to get one.

Every call takes a full URI; a store is the client of a kind of URI, not of one folder. All errors are
`transforms.errors.StorageError`. `list` and the keys know folders only: `list(uri)` gives what lies below `uri + "/"`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from transforms.errors import StorageError
from transforms.storage.uris import scheme_of


class Object(NamedTuple):
    """A whole object. `etag` is the identity that `stat` and `list` give for the same bytes."""

    data: bytes
    etag: str
    size: int


class Stat(NamedTuple):
    """What a store knows of an object without reading it.

    Attributes:
        identity: changes whenever the object does; S3: the ETag, local: size and mtime in nanoseconds.
        size: bytes.
        mtime: seconds since the epoch, for a reader; not part of any key.
    """

    identity: str
    size: int
    mtime: float


class Listed(NamedTuple):
    """An object as a listing shows it."""

    uri: str
    size: int
    identity: str


class Written(NamedTuple):
    """What a write did.

    Attributes:
        digest: SHA-256 of what was sent, hex.
        etag: identity of what is stored, "" where `created` is false.
        created: false exactly where `if_absent` found the key taken; then nothing was stored.
    """

    digest: str
    etag: str
    created: bool


@dataclass(frozen=True)
class StoreConfig:
    """How to reach S3; local files need none of it. Credentials come from boto3's usual chain and from nowhere else.

    Attributes:
        endpoint_url: "" for AWS itself.
        region: "" for the chain's own.
        addressing: bucket in the path or in the host name; most S3-compatible stores want `path`.
        checksum: `when_required` for stores that do not understand the CRC32 that boto3 sends by default.
        conditional_writes: whether the store honours `If-None-Match: *`; `probe` finds out with a small object.
        connect_timeout_sec, read_timeout_sec: for each attempt.
        max_attempts: tries in all; in standard mode 10 survive eight 503 in a row.
        max_connections: at least the threads that use the store.
    """

    endpoint_url: str = ""
    region: str = ""
    addressing: Literal["auto", "path", "virtual"] = "auto"
    checksum: Literal["when_supported", "when_required"] = "when_supported"
    conditional_writes: Literal["probe", "yes", "no"] = "probe"
    connect_timeout_sec: float = 5.0
    read_timeout_sec: float = 30.0
    max_attempts: int = 10
    max_connections: int = 64


class Store(Protocol):
    """An object store. Safe to use from many threads."""

    def read(self, uri: str, *, limit_bytes: int | None = None) -> Object:
        """The whole object.

        Raises:
            ObjectNotFound: no such object.
            ObjectTooLarge: it holds more than `limit_bytes`; at most that many bytes were read.
        """

    def stat(self, uri: str) -> Stat | None:
        """Identity, size and time; None where there is no such object."""

    def write(
        self,
        uri: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        if_absent: bool = False,
        metadata: Mapping[str, str] | None = None,
    ) -> Written:
        """Store `data` whole or not at all.

        Args:
            uri: where.
            data: the object.
            content_type: MIME type; local files have none.
            if_absent: leave an object that is already there alone; of concurrent writers exactly one wins (see
                :attr:`conditional_writes`).
            metadata: ASCII names and values kept with the object; local files have none.

        Raises:
            ChecksumMismatch: what is stored is not what was sent.
            StoreFull: no space.
        """

    def list(self, prefix_uri: str) -> Iterator[Listed]:
        """Every object below the folder `prefix_uri`; none where there is no such folder.

        Local files and AWS list in the order of keys, SeaweedFS folder by folder: do not depend on it.
        """

    def delete(self, uri: str) -> None:
        """Remove the object; nothing happens where there is none."""

    @property
    def conditional_writes(self) -> bool:
        """False once a place was met where `if_absent` is not atomic: two writers at once may both report success."""

    def probe_conditional_writes(self, prefix_uri: str) -> bool:
        """Whether `if_absent` is atomic below `prefix_uri`, found out with a small object that is deleted again."""


_stores: dict[tuple[str, StoreConfig], Store] = {}
_opening = threading.Lock()


def open_store(uri: str, config: StoreConfig | None = None) -> Store:
    """The store of `uri`'s kind: one for each process and configuration, shared by its threads, made anew after a fork.

    Raises:
        StorageError: no store for this scheme.
    """
    kind = scheme_of(uri)
    key = (kind, config or StoreConfig())
    store = _stores.get(key)
    if store is None:
        with _opening:
            store = _stores[key] = _stores.get(key) or _build(kind, key[1])
    return store


def _build(kind: str, config: StoreConfig) -> Store:
    if kind == "file":
        from transforms.storage.local import LocalStore

        return LocalStore()
    if kind == "s3":
        from transforms.storage.s3 import S3Store

        return S3Store(config)
    raise StorageError(f"no store for {kind}:// URIs", remedy="use a local path or s3://")


def _forget() -> None:
    """A child process shares neither its parent's connections nor a lock that a parent's thread may hold."""
    global _opening
    _stores.clear()
    _opening = threading.Lock()


os.register_at_fork(after_in_child=_forget)
