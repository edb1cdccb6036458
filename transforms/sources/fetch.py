"""Fetch the image that a row refers to, from wherever the rules allow."""

from __future__ import annotations

import os
from typing import NamedTuple

from transforms.errors import (
    ChecksumMismatch,
    ObjectNotFound,
    ObjectTooLarge,
    SourceDenied,
    SourceError,
    SourceNotAllowed,
    SourceNotFound,
    SourceTooLarge,
    SourceUnavailable,
    StorageError,
    StoreDenied,
    StoreUnavailable,
)
from transforms.sources.allow import Rules, SourcePolicy, compile_rules, resolve_uri
from transforms.sources.http import Resolve, fetch_http, resolve_host
from transforms.sources.sniff import check_content
from transforms.storage.store import Object, StoreConfig, open_store
from transforms.storage.uris import bucket_and_key, local_path, scheme_of

_ERRORS: tuple[tuple[type[StorageError], type[SourceError]], ...] = (
    (ObjectNotFound, SourceNotFound),
    (ObjectTooLarge, SourceTooLarge),
    (StoreDenied, SourceDenied),
    (StoreUnavailable, SourceUnavailable),
    (ChecksumMismatch, SourceUnavailable),
)


class Fetched(NamedTuple):
    """A source file as it is.

    Attributes:
        data: never empty.
        identity: what `SourceIdentities` gives for a local file or an S3 object; http: the ETag, "" without one.
        uri: the reference, relative ones resolved.
    """

    data: bytes
    identity: str
    uri: str


def fetch(
    uri: str,
    *,
    base_uri: str,
    policy: SourcePolicy | None = None,
    store_config: StoreConfig | None = None,
    resolve: Resolve = resolve_host,
) -> Fetched:
    """The bytes that `uri` refers to.

    Args:
        uri: a local path, `file://`, `s3://` or `http(s)://`; a relative one lies in the manifest's folder.
        base_uri: the manifest's folder.
        policy: what may be read, and how much.
        store_config: for `s3://`.
        resolve: host and port to addresses.

    Raises:
        SourceError: one of its classes for each cause.
    """
    policy = policy or SourcePolicy()
    rules, full_uri = compile_rules(policy.allow, base_uri), resolve_uri(uri, base_uri)
    kind = scheme_of(full_uri)
    if kind in ("http", "https"):
        data, identity = fetch_http(full_uri, rules=rules, policy=policy, resolve=resolve)
    else:
        data, identity, _ = _read(full_uri, kind, rules, policy, store_config)
    check_content(data, full_uri)
    return Fetched(data, identity, full_uri)


def _read(uri: str, kind: str, rules: Rules, policy: SourcePolicy, config: StoreConfig | None) -> Object:
    try:
        allowed = _allowed(uri, kind, rules)
        return open_store(uri, config).read(allowed, limit_bytes=policy.max_bytes)
    except StorageError as error:
        raise translate_storage_error(error) from error


def _allowed(uri: str, kind: str, rules: Rules) -> str:
    """The URI to read: a local path without symbolic links, so that what is checked is what is read."""
    if kind == "file":
        path = _real(uri)
        allowed, uri_to_read = rules.allows_path(path), path
    else:
        allowed, uri_to_read = kind == "s3" and rules.allows_object(bucket_and_key(uri)), uri
    if not allowed:
        raise SourceNotAllowed(f"{uri}: no entry of --allow_source fits")
    return uri_to_read


def _real(uri: str) -> str:
    try:
        return os.path.realpath(local_path(uri))
    except (OSError, ValueError) as error:  # a null byte, or a name that is too long
        raise SourceNotFound(f"{uri!r}: no path: {error}") from error


def translate_storage_error(error: StorageError) -> SourceError:
    """The one place where a store's errors become a source's."""
    for theirs, ours in _ERRORS:
        if isinstance(error, theirs):
            return ours(str(error))
    return SourceError(str(error))
