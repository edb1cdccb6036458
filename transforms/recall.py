"""Recall: what earlier runs decided about the same content, found once a source is loaded.

A plan knows a row by its source's identity. A source behind http has none, and a file that was copied, touched or moved
has another one; their bytes tell. So right after load the content keys are looked up in the ledger, and what is
settled there is taken over: nothing is checked, painted or written again.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import ObjectNotFound
from transforms.index import INDEX_SCHEMA
from transforms.ledger import SettledContents, read_index_file, read_settled_contents
from transforms.records import Job, Outcome
from transforms.storage.store import Store

_TABLES_KEPT = 4
# What is this run's own, or the row's own, in an outcome that is taken over.
_OWN = frozenset(
    {
        *("schema_version", "run_id", "decided_in_run", "manifest_uri", "manifest_row", "advertiser_id", "product_id"),
        *("title", "product_category", "placement", "outcome", "stage", "reason", "detail", "value", "limit", "remedy"),
        *("retryable", "plan_key", "image_uri", "source_uri", "seed", "worker", "finished_at"),
    }
)


@dataclass
class Recall:
    """Looks content keys up in a ledger. The keys are read at the first question; safe to ask from many threads.

    Attributes:
        ledger: `OUTPUT/ledger`.
        retry_failed: nothing that failed is taken over, whatever the cause.
    """

    store: Store
    ledger: str
    retry_failed: bool = False
    _settled: SettledContents | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._rows_of = lru_cache(maxsize=_TABLES_KEPT)(self._read)

    def outcome_of(self, job: Job) -> Outcome | None:
        """The outcome that an earlier run came to for `job`'s content key; None where there is none to take over,
        or where the advertiser has opted out of its task since.

        Args:
            job: loaded, with its placement and content key.

        Raises:
            StorageError: the ledger cannot be read.
        """
        assert job.placement is not None and job.content_key
        with self._lock:
            if self._settled is None:
                self._settled = read_settled_contents(self.store, self.ledger, retry_failed=self.retry_failed)
            uri = self._settled.file_of(job.content_key)
            row = self._row(uri, job.content_key) if uri else None
        if row is None or row["task"] in job.product.opted_out:
            return None
        return _taken_over(job, row)

    def _row(self, uri: str, key: str) -> Mapping[str, Any] | None:
        try:
            return self._rows_of(uri).get(key)
        except ObjectNotFound:
            return None  # another run has merged the part meanwhile: the work is at worst done again

    def _read(self, uri: str) -> Mapping[str, Mapping[str, Any]]:
        return _Rows(read_index_file(self.store, uri))


class _Rows(Mapping[str, Mapping[str, Any]]):
    """A ledger file's rows by content key; a row becomes Python objects when it is asked for."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        keys = table.column("content_key").to_pylist()
        # the latest row of a key counts, as in the ledger's keys; a merged file holds parts in no order of time
        order = pc.sort_indices(table.column("finished_at")).to_pylist()
        self._at = {keys[at]: at for at in order if keys[at]}

    def __getitem__(self, key: str) -> Mapping[str, Any]:
        row: Mapping[str, Any] = self._table.slice(self._at[key], 1).to_pylist()[0]
        return row

    def __iter__(self) -> Any:
        return iter(self._at)

    def __len__(self) -> int:
        return len(self._at)


def _taken_over(job: Job, row: Mapping[str, Any]) -> Outcome:
    columns = {name: row[name] for name in INDEX_SCHEMA.names if name not in _OWN}
    columns["source_uri"] = job.uris.get("source")
    return Outcome(
        job.product,
        row["placement"],
        row["outcome"],
        row["stage"],
        row["reason"],
        detail=row["detail"] or "",
        value=row["value"],
        limit=row["limit"],
        remedy=row["remedy"] or "",
        retryable=row["retryable"],
        columns=columns,
        decided_in_run=row["decided_in_run"],
    )
