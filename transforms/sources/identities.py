"""Cheap identities of many sources at once, so that a run can be planned before anything is read.

"" stands for unknown before load: http(s), what is not there, what no rule allows, and any store that does not answer.
An unknown identity never makes a row count as done; the row is loaded, and its content decides.

S3 keys are looked up in sorted runs: a listing starts just before a wanted key, gives 1,000 keys, and the next starts
before the first wanted key that it did not reach. So a million keys that lie close together cost a thousand requests,
and scattered ones never more than one each.
"""

from __future__ import annotations

import os
import stat
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from transforms.errors import CanvasError, StorageError
from transforms.sources.allow import Rules, SourcePolicy, compile_rules, resolve_uri
from transforms.storage.local import file_identity
from transforms.storage.s3 import S3Store
from transforms.storage.store import StoreConfig, open_store
from transforms.storage.uris import Location, bucket_and_key, local_path, scheme_of

_RUN_KEYS, _PAGE_KEYS = 2000, 1000
_FEW_KEYS = 4
_MAX_KNOWN, _MAX_FOLDERS = 2_000_000, 200_000
_LAST = "~" * 8  # sorts behind what keys are made of


class _Folder(NamedTuple):
    real: str
    allowed: bool


class _Files:
    """Identities of local files under one set of rules.

    One `stat` for each file: as cheap as a listing of its folder, which would have to stat each entry too. Folders are
    resolved once, from their parents, so that a folder for each of a million products costs one `lstat` each.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._folders: dict[str, _Folder] = {}

    def identity(self, path: str) -> str:
        """ "" for what is not there, not allowed or not a file."""
        try:
            real = self._allowed(path)
            facts = os.stat(real) if real else None  # noqa: PTH116 - a Path for each of a million rows costs more
        except (OSError, ValueError, RecursionError):  # no path: too deep, or a null byte
            return ""
        return file_identity(facts) if facts and stat.S_ISREG(facts.st_mode) else ""

    def _allowed(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        known = self._folders.get(folder) or self._enter(folder)
        path = f"{known.real}/{name}"
        if known.allowed and name != "..":
            return path
        return path if self._rules.allows_path(os.path.realpath(path)) else ""

    def _enter(self, folder: str) -> _Folder:
        if len(self._folders) > _MAX_FOLDERS:
            self._folders.clear()
        parent, slash, name = folder.rpartition("/")
        if slash and name not in ("", ".", ".."):
            real = f"{(self._folders.get(parent) or self._enter(parent)).real}/{name}"
            real = os.path.realpath(real) if os.path.islink(real) else real  # noqa: PTH114
        else:
            real = os.path.realpath(folder or "/").rstrip("/")
        known = self._folders[folder] = _Folder(real, self._rules.allows_path(real))
        return known


class SourceIdentities:
    """Looks identities up; keeps what S3 listings showed, so that batches of one manifest do not list twice.

    Args:
        policy: nothing that it does not allow is looked up.
        store_config: for `s3://`.
        threads: S3 requests at once.
    """

    def __init__(
        self, policy: SourcePolicy | None = None, store_config: StoreConfig | None = None, *, threads: int = 16
    ) -> None:
        self._policy, self._config, self._threads = policy or SourcePolicy(), store_config, threads
        self._known: dict[Location, str] = {}
        self._files: dict[Rules, _Files] = {}

    def of(self, uris: Sequence[str], *, base_uri: str) -> list[str]:
        """The identity of each of `uris`, in their order; `base_uri` is their manifest's folder."""
        rules = compile_rules(self._policy.allow, base_uri)
        files = self._files.setdefault(rules, _Files(rules))
        base_folder = local_path(base_uri).as_posix() if scheme_of(base_uri) == "file" else None
        found = [""] * len(uris)
        objects: dict[Location, list[int]] = {}
        for position, uri in enumerate(uris):
            if uri.startswith("/"):
                found[position] = files.identity(uri)
            elif base_folder is not None and ":" not in uri:
                found[position] = files.identity(f"{base_folder}/{uri}")
            else:
                found[position] = self._slower(uri, base_uri, rules, objects, position)
        self._look_up(objects)
        for at, positions in objects.items():
            for position in positions:
                found[position] = self._known.get(at, "")
        return found

    def _slower(self, uri: str, base_uri: str, rules: Rules, objects: dict[Location, list[int]], position: int) -> str:
        """A URI with a scheme; an S3 object is noted in `objects` to be looked up with the others."""
        try:
            full = resolve_uri(uri, base_uri)
            kind = scheme_of(full)
            if kind == "file":
                return self._files[rules].identity(local_path(full).as_posix())
            if kind == "s3" and bucket_and_key(full).key and rules.allows_object(bucket_and_key(full)):
                objects.setdefault(bucket_and_key(full), []).append(position)
        except CanvasError:
            pass  # no reference at all: loading it gives the reason
        return ""

    def _look_up(self, wanted: Iterable[Location]) -> None:
        if len(self._known) > _MAX_KNOWN:
            self._known.clear()
        buckets: dict[str, list[str]] = {}
        for at in wanted:
            if at not in self._known:
                buckets.setdefault(at.bucket, []).append(at.key)
        runs = [(bucket, run) for bucket, keys in buckets.items() for run in _runs(sorted(keys))]
        if not runs:
            return
        store = open_store("s3://", self._config)
        if not isinstance(store, S3Store):
            raise TypeError(f"{type(store).__name__} is no S3 store")
        with ThreadPoolExecutor(min(self._threads, len(runs))) as pool:
            for known in pool.map(lambda run: _look_up_run(store, *run), runs):
                self._known.update(known)


def _runs(keys: list[str]) -> list[list[str]]:
    return [keys[start : start + _RUN_KEYS] for start in range(0, len(keys), _RUN_KEYS)]


def _look_up_run(store: S3Store, bucket: str, keys: list[str]) -> dict[Location, str]:
    """The identities of sorted `keys` of one bucket, of what exists of them."""
    try:
        return _head_each(store, bucket, keys) if len(keys) <= _FEW_KEYS else _leap(store, bucket, keys)
    except StorageError:
        return {}


def _head_each(store: S3Store, bucket: str, keys: Iterable[str]) -> dict[Location, str]:
    stats = {key: store.stat(f"s3://{bucket}/{key}") for key in keys}
    return {Location(bucket, key): found.identity for key, found in stats.items() if found is not None}


def _leap(store: S3Store, bucket: str, keys: list[str]) -> dict[Location, str]:
    prefix, known, position = _common(keys[0], keys[-1]), {}, 0
    reached = ""
    while position < len(keys):
        page = store.page(bucket, prefix, max(reached, _just_before(keys[position])), _PAGE_KEYS)
        listed = [bucket_and_key(each.uri) for each in page.found]
        known.update({at: each.identity for at, each in zip(listed, page.found, strict=True)})
        if not page.truncated or not listed:
            break
        names = [at.key for at in listed]
        if names != sorted(names):
            # SeaweedFS and S3 directory buckets list folder by folder: what a leap passes over may come before it.
            return known | _head_each(store, bucket, (key for key in keys if Location(bucket, key) not in known))
        reached = names[-1]
        position = max(position + 1, bisect_right(keys, reached))
    return known


def _common(first: str, last: str) -> str:
    length = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:length]


def _just_before(key: str) -> str:
    """A text that sorts before `key`, with hardly any key in between.

    >>> _just_before("shots/b") < "shots/b"
    True
    """
    last = ord(key[-1])
    return f"{key[:-1]}{chr(last - 1)}{_LAST}" if 0x21 < last < 0x7F else key[:-1]
