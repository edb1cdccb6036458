"""The ledger: what is decided, under which key, written in parts while a run goes.

Layout below `OUTPUT/ledger/<run_id>/`::

    part-<unique>.parquet    index rows, as a worker decided them
    rows-<n>.parquet         the parts of a finished run, merged
    keys-<n>.parquet         the key columns of rows-<n>, so that a plan reads little

Merging writes rows, then keys, then deletes the parts: wherever it is cut off, readers still find every row, and
a row that they find twice counts once.

A re-run leaves alone what is enhanced, skipped, rejected, or failed for a cause that stays (a truncated file, a
bad row). It tries again what failed for a cause that passes (`retryable`), and a source that is missing or denied,
as soon as its identity changes, since the identity is part of the key.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from transforms.errors import ObjectNotFound
from transforms.index import INDEX_SCHEMA, index_table
from transforms.keys import key_words
from transforms.storage.store import Store
from transforms.tables import columns_of, read_table

KEY_COLUMNS = ("plan_key", "content_key", "outcome", "retryable", "finished_at")
_PLAN_COLUMNS = ("plan_key", "outcome", "retryable", "finished_at")
_CONTENT_COLUMNS = ("content_key", "outcome", "retryable", "finished_at")
_ROWS_PER_FILE = 100_000
_LISTINGS = 5  # as many runs may end and merge while one reads


def parquet_bytes(table: pa.Table) -> bytes:
    """`table` as one Parquet file."""
    sink = BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


@dataclass
class LedgerWriter:
    """Collects index rows and writes them as parts. Used from one thread.

    Attributes:
        folder: `OUTPUT/ledger/<run_id>`.
        max_rows, max_age_sec: a part is written when either is reached, so that a killed run loses little.
    """

    store: Store
    folder: str
    max_rows: int = 500
    max_age_sec: float = 5.0
    _rows: list[Mapping[str, Any]] = field(default_factory=list)
    _since: float = field(default_factory=time.monotonic)

    def add(self, row: Mapping[str, Any]) -> None:
        """Keep `row`, and write a part when it is time."""
        if not self._rows:
            self._since = time.monotonic()
        self._rows.append(row)
        if len(self._rows) >= self.max_rows or time.monotonic() - self._since >= self.max_age_sec:
            self.flush()

    def flush(self) -> None:
        """Write what is kept."""
        if self._rows:
            name = f"{self.folder}/part-{uuid.uuid4().hex}.parquet"
            self.store.write(name, parquet_bytes(index_table(self._rows)), content_type=PARQUET)
            self._rows = []


PARQUET = "application/vnd.apache.parquet"


@dataclass(frozen=True)
class SettledKeys:
    """The keys that a re-run leaves alone, sorted, as two uint64 words."""

    high: NDArray[np.uint64]
    low: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.high)

    def contains(self, words: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of uint64 [N, 2] `words` are settled. A clash of the high words counts as not settled."""
        if not len(self.high):
            return np.zeros(len(words), bool)
        at = np.minimum(np.searchsorted(self.high, words[:, 0]), len(self.high) - 1)
        found: NDArray[np.bool_] = (self.high[at] == words[:, 0]) & (self.low[at] == words[:, 1])
        return found


def read_settled(store: Store, ledger: str, *, retry_failed: bool = False) -> SettledKeys:
    """The settled keys of a whole ledger; the latest outcome of a key counts.

    Args:
        ledger: `OUTPUT/ledger`.
        retry_failed: try everything that failed again, whatever the cause.
    """
    tables = [read_table(data, uri, _PLAN_COLUMNS) for uri, data in _contents(store, ledger, ("keys-", "part-"))]
    if not tables:
        return SettledKeys(np.empty(0, np.uint64), np.empty(0, np.uint64))
    table = pa.concat_tables(tables)
    words, settled = key_words(table.column("plan_key").to_pylist()), _settled(table, retry_failed)
    order, last = _latest(words, table)
    kept = words[order][last & settled[order]]
    return SettledKeys(kept[:, 0].copy(), kept[:, 1].copy())


def _settled(table: pa.Table, retry_failed: bool) -> NDArray[np.bool_]:
    """Which rows a re-run leaves alone."""
    again = table.column("retryable") if not retry_failed else pa.array([True] * len(table))
    failed = pc.and_(pc.equal(table.column("outcome"), "failed"), again)
    left: NDArray[np.bool_] = pc.invert(failed).to_numpy(zero_copy_only=False).astype(bool)
    return left


def _latest(words: NDArray[np.uint64], table: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(order, last): the rows sorted by key and time, and which of the sorted ones are their key's last."""
    when = table.column("finished_at").cast(pa.int64()).to_numpy()
    order = np.lexsort((when, words[:, 1], words[:, 0]))
    ordered = words[order]
    return order, np.append((ordered[1:] != ordered[:-1]).any(axis=1), True)


@dataclass(frozen=True)
class SettledContents:
    """The content keys that are settled, and the ledger file that holds each one's row."""

    keys: SettledKeys
    file_at: NDArray[np.int32]
    files: tuple[str, ...]

    def file_of(self, content_key: str) -> str:
        """The file whose rows hold `content_key` (32 hex digits); "" where it is not settled."""
        words = key_words([content_key])
        if not self.keys.contains(words)[0]:
            return ""
        return self.files[self.file_at[int(np.searchsorted(self.keys.high, words[0, 0]))]]


def read_settled_contents(store: Store, ledger: str, *, retry_failed: bool = False) -> SettledContents:
    """The settled content keys of a whole ledger; the latest outcome of a key counts.

    Args:
        ledger: `OUTPUT/ledger`.
        retry_failed: leave out everything that failed, whatever the cause.
    """
    tables: list[pa.Table] = []
    files: list[str] = []
    for uri, data in _contents(store, ledger, ("keys-", "part-")):
        if "content_key" not in columns_of(data, uri):
            continue  # merged by an earlier version, whose content keys meant something else
        table = read_table(data, uri, _CONTENT_COLUMNS)
        table = table.filter(pc.is_valid(table.column("content_key")))
        if len(table):
            tables.append(table.append_column("file", pa.repeat(pa.scalar(len(files), pa.int32()), len(table))))
            files.append(_rows_beside(uri))
    if not tables:
        empty = np.empty(0, np.uint64)
        return SettledContents(SettledKeys(empty, empty), np.empty(0, np.int32), ())
    table = pa.concat_tables(tables)
    words, settled = key_words(table.column("content_key").to_pylist()), _settled(table, retry_failed)
    order, last = _latest(words, table)
    chosen = order[last & settled[order]]
    kept, at = words[chosen], table.column("file").to_numpy()[chosen]
    return SettledContents(SettledKeys(kept[:, 0].copy(), kept[:, 1].copy()), at, tuple(files))


def _rows_beside(uri: str) -> str:
    """The file with the rows of a file with keys; a part is both."""
    folder, _, name = uri.rpartition("/")
    return f"{folder}/rows-{name.removeprefix('keys-')}" if name.startswith("keys-") else uri


def read_index_file(store: Store, uri: str) -> pa.Table:
    """One file of index rows, every column."""
    return _read(store, uri, INDEX_SCHEMA.names)


def read_rows(store: Store, folder: str, keys: pa.Array | None = None) -> Iterator[pa.Table]:
    """The index rows below `folder` (a ledger or one run's), a table for each file.

    Args:
        keys: plan keys; files without any of them are passed over, and so need not have the columns of this version.
    """
    for uri, data in _contents(store, folder, ("rows-", "part-")):
        if keys is None or pc.any(pc.is_in(read_table(data, uri, ["plan_key"]).column(0), value_set=keys)).as_py():
            yield read_table(data, uri, INDEX_SCHEMA.names)


def read_index(store: Store, run_folder: str) -> list[pa.Table]:
    """The tables of a finished run's index."""
    found = sorted(listed.uri for listed in store.list(f"{run_folder}/index"))
    return [_read(store, uri, INDEX_SCHEMA.names) for uri in found if uri.endswith(".parquet")]


def merge_parts(store: Store, folder: str) -> None:
    """Merge the parts of a finished run's `folder`; see the module's text for why it may be cut off anywhere."""
    parts = _files(store, folder, ("part-",))
    if len(parts) < 2:
        return
    batch: list[pa.Table] = []
    done: list[str] = []
    for uri in parts:
        batch.append(_read(store, uri, INDEX_SCHEMA.names))
        done.append(uri)
        if sum(map(len, batch)) >= _ROWS_PER_FILE:
            _write_merged(store, folder, batch, done)
            batch, done = [], []
    if done:
        _write_merged(store, folder, batch, done)


def _write_merged(store: Store, folder: str, tables: list[pa.Table], parts: Iterable[str]) -> None:
    table, name = pa.concat_tables(tables), uuid.uuid4().hex
    store.write(f"{folder}/rows-{name}.parquet", parquet_bytes(table), content_type=PARQUET)
    store.write(f"{folder}/keys-{name}.parquet", parquet_bytes(table.select(KEY_COLUMNS)), content_type=PARQUET)
    for uri in parts:
        store.delete(uri)


def _files(store: Store, folder: str, starts: tuple[str, ...]) -> list[str]:
    found = (listed.uri for listed in store.list(folder.rstrip("/") + "/"))
    return sorted(uri for uri in found if uri.rsplit("/", 1)[-1].startswith(starts) and uri.endswith(".parquet"))


def _contents(store: Store, folder: str, starts: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """(URI, bytes) of every file, whatever another run merges meanwhile: then its rows are in a file that is new."""
    seen: set[str] = set()
    for remaining in reversed(range(_LISTINGS)):
        try:
            for uri in _files(store, folder, starts):
                if uri not in seen:
                    data = store.read(uri).data
                    seen.add(uri)
                    yield uri, data
            return
        except ObjectNotFound:
            if not remaining:
                raise


def _read(store: Store, uri: str, columns: Iterable[str]) -> pa.Table:
    return read_table(store.read(uri).data, uri, columns)
