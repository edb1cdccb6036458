"""A study: what is to be rated and what raters said, in one SQLite file.

Items and pairs have random ids, and each rater meets them in an order of their own, so neither an address nor a place
in the sequence says whose an image is. Two different raters are enough for an item: the file refuses a third.
"""

from __future__ import annotations

import hmac
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipelines.rating.contestants import Entry
from pipelines.rating.units import Answer, Item, Progress, Unit, pairs_of
from transforms.errors import ConfigError, TableError

RATERS = 2
LEASE_SEC = 900.0  # an item that a rater left lying goes to another after this
MODES = ("defects", "pairs")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS study (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS items (
  id TEXT PRIMARY KEY, number INTEGER UNIQUE NOT NULL, contestant TEXT NOT NULL, task TEXT NOT NULL,
  placement TEXT NOT NULL, original_uri TEXT NOT NULL, output_uri TEXT NOT NULL, original_digest TEXT NOT NULL,
  output_digest TEXT NOT NULL, UNIQUE (contestant, task, placement, original_digest, output_digest));
CREATE TABLE IF NOT EXISTS units (
  id TEXT PRIMARY KEY, first TEXT NOT NULL REFERENCES items, second TEXT REFERENCES items, UNIQUE (first, second));
CREATE TABLE IF NOT EXISTS leases (
  unit TEXT NOT NULL REFERENCES units, rater TEXT NOT NULL, since REAL NOT NULL, PRIMARY KEY (unit, rater));
CREATE TABLE IF NOT EXISTS answers (
  unit TEXT NOT NULL REFERENCES units, rater TEXT NOT NULL, answer TEXT NOT NULL, seconds REAL, at REAL NOT NULL,
  PRIMARY KEY (unit, rater));
CREATE TABLE IF NOT EXISTS passed (unit TEXT NOT NULL REFERENCES units, rater TEXT NOT NULL, PRIMARY KEY (unit, rater));
CREATE TABLE IF NOT EXISTS papers (
  seed TEXT NOT NULL, number INTEGER NOT NULL, unit TEXT NOT NULL REFERENCES units, PRIMARY KEY (seed, number),
  UNIQUE (seed, unit));
CREATE TRIGGER IF NOT EXISTS two_raters BEFORE INSERT ON answers
  WHEN (SELECT count(*) FROM answers WHERE unit = NEW.unit AND rater <> NEW.rater) >= 2
  BEGIN SELECT raise(ABORT, 'two raters have answered'); END;
"""


class TooEarly(Exception):
    """An answer before the images can have been seen."""


class TakenAlready(Exception):
    """Two others have answered meanwhile."""


@dataclass(frozen=True)
class Study:
    """A study's file. Safe to use from many threads and processes.

    Attributes:
        path: of the SQLite file.
        clock: seconds since the epoch.
    """

    path: Path
    clock: Callable[[], float] = time.time

    @classmethod
    def open(cls, path: Path, mode: str = "", clock: Callable[[], float] = time.time) -> Study:
        """Open the study at `path`; with a `mode` make it where it is missing.

        Raises:
            TableError: no such study, or no study at all.
            ConfigError: it is of another mode.
        """
        if not mode and not path.exists():
            raise TableError(f"{path}: no such study", remedy="make one with `serve` or `sheets`")
        study = cls(path, clock)
        try:
            with study.connect() as db:
                db.executescript(_SCHEMA)
                db.execute("INSERT OR IGNORE INTO study VALUES ('secret', ?)", (secrets.token_hex(32),))
                db.execute("INSERT OR IGNORE INTO study VALUES ('mode', ?)", (mode or "defects",))
        except sqlite3.DatabaseError as error:
            raise TableError(f"{path}: not a study: {error}") from error
        if mode and study.mode != mode:
            raise ConfigError(f"{path} is a study of {study.mode}, not of {mode}", remedy="take another --db")
        return study

    @contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """A connection within one transaction."""
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as db:
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            if db.in_transaction:
                db.execute("COMMIT")

    def _value(self, name: str) -> str:
        with self.connect() as db:
            return str(db.execute("SELECT value FROM study WHERE name = ?", (name,)).fetchone()[0])

    @property
    def secret(self) -> str:
        """Signs cookies and shuffles; it survives a restart."""
        return self._value("secret")

    @property
    def mode(self) -> str:
        """`defects` or `pairs`."""
        return self._value("mode")

    def add(self, entries: Sequence[Entry], sample: int | None = None) -> int:
        """Add outputs that are not in the study yet; returns how many.

        Args:
            sample: at most so many originals, the same ones for every contestant.
        """
        secret = self.secret
        subjects = sorted({entry.original_digest for entry in entries}, key=lambda digest: _shuffle(secret, digest))
        kept = set(subjects[:sample])
        chosen = [entry for entry in entries if entry.original_digest in kept]
        chosen.sort(key=lambda entry: _shuffle(secret, entry.contestant, entry.output_digest, entry.placement))
        with self.connect() as db:
            before, number = db.execute("SELECT count(*), coalesce(max(number), 0) FROM items").fetchone()
            for at, entry in enumerate(chosen, number + 1):
                db.execute("INSERT OR IGNORE INTO items VALUES (?,?,?,?,?,?,?,?,?)", (_id(), at, *_fields(entry)))
            self._add_units(db)
            return int(db.execute("SELECT count(*) FROM items").fetchone()[0]) - int(before)

    def _add_units(self, db: sqlite3.Connection) -> None:
        mode = db.execute("SELECT value FROM study WHERE name = 'mode'").fetchone()[0]
        items = [Item(*row) for row in db.execute("SELECT * FROM items ORDER BY number")]
        if mode == "defects":
            known = {row[0] for row in db.execute("SELECT first FROM units")}
            for item in items:
                if item.id not in known:
                    db.execute("INSERT INTO units VALUES (?,?,NULL)", (_id(), item.id))
            return
        for one, other in pairs_of(items):
            if not db.execute("SELECT 1 FROM units WHERE first = ? AND second = ?", (one.id, other.id)).fetchone():
                db.execute("INSERT INTO units VALUES (?,?,?)", (_id(), one.id, other.id))

    def items(self) -> list[Item]:
        """All items, by number."""
        with self.connect() as db:
            return [Item(*row) for row in db.execute("SELECT * FROM items ORDER BY number")]

    def take(self, rater: str) -> Unit | None:
        """The unit that `rater` should answer next: the one they hold already, else one that lacks raters."""
        now = self.clock()
        with self.connect() as db:
            held = db.execute("SELECT unit FROM leases WHERE rater = ? ORDER BY since DESC", (rater,)).fetchone()
            if held:
                return self._unit(db, held[0], rater)
            secret = _secret(db)
            free = [row[0] for row in db.execute(_FREE, (rater, rater, now - LEASE_SEC, rater, RATERS))]
            if not free:
                return None
            chosen = min(free, key=lambda unit: _shuffle(secret, rater, unit))
            db.execute("INSERT INTO leases VALUES (?,?,?)", (chosen, rater, now))
            return self._unit(db, chosen, rater)

    def _unit(self, db: sqlite3.Connection, unit: str, rater: str) -> Unit:
        first, second = db.execute("SELECT first, second FROM units WHERE id = ?", (unit,)).fetchone()
        items = [
            Item(*db.execute("SELECT * FROM items WHERE id = ?", (each,)).fetchone())
            for each in (first, second)
            if each
        ]
        if len(items) == 2 and int(_shuffle(_secret(db), "side", rater, unit)[0], 16) % 2:
            items.reverse()
        return Unit(unit, items[0], items[1] if len(items) == 2 else None)

    def left_of(self, unit: str, rater: str) -> str:
        """The item that `rater` sees on the left."""
        with self.connect() as db:
            return self._unit(db, unit, rater).first.id

    def held(self, unit: str, rater: str) -> Unit | None:
        """The unit, if `rater` holds it."""
        with self.connect() as db:
            if not db.execute("SELECT 1 FROM leases WHERE unit = ? AND rater = ?", (unit, rater)).fetchone():
                return None
            return self._unit(db, unit, rater)

    def answer(self, unit: str, rater: str, answer: Mapping[str, Any], least_sec: float = 0.0) -> None:
        """Keep an answer.

        Raises:
            TooEarly: sooner than `least_sec` after the unit was given out.
            TakenAlready: the rater does not hold the unit, or two others have answered.
        """
        now = self.clock()
        with self.connect() as db:
            lease = db.execute("SELECT since FROM leases WHERE unit = ? AND rater = ?", (unit, rater)).fetchone()
            if lease is None:
                raise TakenAlready
            if now - lease[0] < least_sec:
                raise TooEarly
            db.execute("DELETE FROM leases WHERE unit = ? AND rater = ?", (unit, rater))
            taken = not self._insert(db, unit, rater, answer, now - lease[0])
        if taken:
            raise TakenAlready

    def _insert(
        self, db: sqlite3.Connection, unit: str, rater: str, answer: Mapping[str, Any], seconds: float | None
    ) -> bool:
        try:
            db.execute(
                "INSERT OR REPLACE INTO answers VALUES (?,?,?,?,?)",
                (unit, rater, json.dumps(answer), seconds, self.clock()),
            )
        except sqlite3.IntegrityError:
            return False
        return True

    def record(self, answers: Mapping[int, Mapping[str, int]], rater: str) -> list[int]:
        """Keep answers from a sheet by item number; returns the numbers that two others have answered already."""
        with self.connect() as db:
            units = dict(db.execute("SELECT number, units.id FROM items JOIN units ON first = items.id"))
        numbers = {units[number]: number for number in answers}
        refused = self.record_units({units[number]: answer for number, answer in answers.items()}, rater)
        return [numbers[unit] for unit in refused]

    def record_units(self, answers: Mapping[str, Mapping[str, Any]], rater: str) -> list[str]:
        """Keep answers from a sheet by unit; returns the units that two others have answered already."""
        with self.connect() as db:
            return [unit for unit, answer in answers.items() if not self._insert(db, unit, rater, answer, None)]

    def on_paper(self, seed: int) -> list[Unit]:
        """All pairs as the sheets of a seed show them: their order and sides follow from it and the study alone.

        The order is kept: a form that was printed names pairs by their number, and pairs that join later come last.
        """
        with self.connect() as db:
            secret, sheets = _secret(db), f"\0sheets {seed}"  # no rater's name
            known = [
                row[0] for row in db.execute("SELECT unit FROM papers WHERE seed = ? ORDER BY number", (str(seed),))
            ]
            joined = {row[0] for row in db.execute("SELECT id FROM units")} - set(known)
            order = [*known, *sorted(joined, key=lambda unit: _shuffle(secret, sheets, unit))]
            rows = [(str(seed), number, unit) for number, unit in enumerate(order, 1)]
            db.executemany("INSERT INTO papers VALUES (?,?,?)", rows[len(known) :])
            return [self._unit(db, unit, sheets) for unit in order]

    def skip(self, unit: str, rater: str) -> None:
        """Leave a unit to others: it could not be shown."""
        with self.connect() as db:
            db.execute("DELETE FROM leases WHERE unit = ? AND rater = ?", (unit, rater))
            db.execute("INSERT OR IGNORE INTO passed VALUES (?,?)", (unit, rater))

    def undo(self, rater: str) -> bool:
        """Take back the rater's last answer and hold its unit again; False where there is none."""
        with self.connect() as db:
            last = db.execute("SELECT unit FROM answers WHERE rater = ? ORDER BY at DESC LIMIT 1", (rater,)).fetchone()
            if last is None:
                return False
            db.execute("DELETE FROM leases WHERE rater = ?", (rater,))
            db.execute("DELETE FROM answers WHERE unit = ? AND rater = ?", (last[0], rater))
            db.execute("INSERT INTO leases VALUES (?,?,?)", (last[0], rater, self.clock()))
            return True

    def progress(self, rater: str) -> Progress:
        """How far the study and the rater are."""
        with self.connect() as db:
            units = db.execute("SELECT count(*) FROM units").fetchone()[0]
            done = db.execute(
                "SELECT count(*) FROM (SELECT 1 FROM answers GROUP BY unit HAVING count(*) >= ?)", (RATERS,)
            ).fetchone()[0]
            mine = db.execute("SELECT count(*) FROM answers WHERE rater = ?", (rater,)).fetchone()[0]
            return Progress(units, done, mine)

    def answers(self) -> list[Answer]:
        """Everything that was said, in the order it was said."""
        query = "SELECT unit, first, second, rater, answer FROM answers JOIN units ON units.id = unit ORDER BY at, unit"
        with self.connect() as db:
            return [
                Answer(unit, one, other, rater, json.loads(said)) for unit, one, other, rater, said in db.execute(query)
            ]


_FREE = """
SELECT id FROM units WHERE id NOT IN (SELECT unit FROM answers WHERE rater = ?)
  AND id NOT IN (SELECT unit FROM passed WHERE rater = ?)
  AND (SELECT count(*) FROM answers WHERE unit = units.id)
    + (SELECT count(*) FROM leases WHERE unit = units.id AND since > ? AND rater <> ?) < ?
"""


def _secret(db: sqlite3.Connection) -> str:
    """The secret, within a transaction."""
    return str(db.execute("SELECT value FROM study WHERE name = 'secret'").fetchone()[0])


def _fields(entry: Entry) -> tuple[str, ...]:
    return (
        entry.contestant,
        entry.task,
        entry.placement,
        entry.original_uri,
        entry.output_uri,
        entry.original_digest,
        entry.output_digest,
    )


def _id() -> str:
    return secrets.token_urlsafe(12)


def _shuffle(secret: str, *parts: str) -> str:
    return hmac.new(secret.encode(), "\0".join(parts).encode(), sha256).hexdigest()
