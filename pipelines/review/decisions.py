"""The decisions' database: SQLite in one file, safe for many readers and writers on one machine."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from transforms.decisions import DECISION_SCHEMA
from transforms.errors import ConfigError

_COLUMNS = tuple(name for name in DECISION_SCHEMA.names if name != "decision_id")
_TIMES = ("decided_at", "undone_at")
_CREATE = (
    f"""CREATE TABLE IF NOT EXISTS decisions (
    decision_id INTEGER PRIMARY KEY AUTOINCREMENT,
    {", ".join(f"{name} TEXT" + ("" if DECISION_SCHEMA.field(name).nullable else " NOT NULL") for name in _COLUMNS)}
)""",
    "CREATE INDEX IF NOT EXISTS by_advertiser ON decisions (advertiser_id)",
    "CREATE INDEX IF NOT EXISTS by_batch ON decisions (batch)",
)
_WAIT_SEC = 10.0


@dataclass(frozen=True)
class Decisions:
    """The database in `path`; made on first use. Rows are never deleted: what was undone says when and by whom."""

    path: Path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection within one transaction, which waits for its turn.

        No write-ahead log: SQLite turns away, without waiting, who opens a file while another one turns its log on.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_WAIT_SEC, isolation_level=None)) as connection:
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute("BEGIN IMMEDIATE")
                for statement in _CREATE:
                    connection.execute(statement)
                yield connection  # what is not committed when it closes is rolled back
                connection.execute("COMMIT")
        except (sqlite3.DatabaseError, OSError) as error:
            remedy = "name a file of decisions, or one that does not exist yet, on a local disk"
            raise ConfigError(f"--database {self.path}: {error}", remedy=remedy) from error

    def record(self, action: str, who: str, run_id: str, entries: Iterable[Mapping[str, Any]]) -> str:
        """Write one decision on each of `entries`, all or none, and return the name of the batch.

        Args:
            entries: the other columns of `DECISION_SCHEMA`, by name; missing ones are null.
        """
        batch, now = secrets.token_hex(8), _now()
        fixed = {"batch": batch, "decided_at": now, "decided_by": who, "action": action, "run_id": run_id}
        rows = [tuple({**entry, **fixed}.get(name) for name in _COLUMNS) for entry in entries]
        with self._open() as connection:
            marks = ", ".join("?" * len(_COLUMNS))
            connection.executemany(f"INSERT INTO decisions ({', '.join(_COLUMNS)}) VALUES ({marks})", rows)
        return batch

    def undo(self, batch: str, who: str, advertiser: str) -> list[dict[str, Any]]:
        """Undo a batch of one advertiser, and return what was undone; nothing where it is undone already."""
        where = "batch = ? AND advertiser_id = ? AND undone_at IS NULL AND action != 'prune'"
        with self._open() as connection:
            found = connection.execute(f"SELECT * FROM decisions WHERE {where}", (batch, advertiser)).fetchall()
            change = f"UPDATE decisions SET undone_at = ?, undone_by = ? WHERE {where}"
            connection.execute(change, (_now(), who, batch, advertiser))
        return [_plain(row) for row in found]

    def rows(self, advertiser: str | None = None) -> list[dict[str, Any]]:
        """All decisions, or one advertiser's, in the order in which they were made; undone ones as well."""
        where, values = ("WHERE advertiser_id = ?", (advertiser,)) if advertiser is not None else ("", ())
        with self._open() as connection:
            found = connection.execute(f"SELECT * FROM decisions {where} ORDER BY decision_id", values).fetchall()
        return [_plain(row) for row in found]


def decision_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Decisions as a table of `DECISION_SCHEMA`."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=DECISION_SCHEMA)


def _plain(row: sqlite3.Row) -> dict[str, Any]:
    found = dict(row)
    return {**found, **{name: datetime.fromisoformat(found[name]) if found[name] else None for name in _TIMES}}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
