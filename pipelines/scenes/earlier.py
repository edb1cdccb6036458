"""What earlier runs decided of scenes, and how this run's decisions are kept while it goes.

Layout below `OUTPUT/scene_runs/<run_id>/`::

    parts/<n>.products.parquet, parts/<n>.scenes.parquet    as they were decided; products first
    products.parquet, scenes.parquet                        the whole run, when it is finished; then the parts go,
                                                            but for what a longer run of this id decided
    delivery/<advertiser>.parquet                           its scenes for feeds

Wherever a run is cut off, a scene that is found has its products' rows beside it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import pyarrow as pa

from pipelines.scenes.folders import FOLDER, Tables, read_stored
from pipelines.scenes.tables import PRODUCT_SCHEMA, SCENE_SCHEMA, Decided, Row, table_of
from transforms.ledger import PARQUET, parquet_bytes
from transforms.storage.store import Store


@dataclass
class Earlier:
    """The scenes that a re-run leaves alone: all but what failed for a cause that passes.

    Attributes:
        retry_failed: leave alone nothing that failed.
    """

    store: Store
    output: str
    retry_failed: bool = False
    _by_plan: dict[str, Row] = field(default_factory=dict)
    _by_content: dict[str, Row] = field(default_factory=dict)
    _products: dict[str, list[Row]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        """Read all runs, the latest word on a scene last.

        Raises:
            StorageError: the store does not answer.
        """
        # an advertiser's delivery table may have any name
        uris = [item.uri for item in self.store.list(f"{self.output}/{FOLDER}") if not _is_delivery(item.uri)]
        rows = [row for uri in uris if uri.endswith("scenes.parquet") for row in _rows(self.store, uri)]
        for row in sorted(rows, key=lambda row: row["finished_at"]):
            settled = row["outcome"] != "failed" or not (row["retryable"] or self.retry_failed)
            for known, key in ((self._by_plan, row["plan_key"]), (self._by_content, row["content_key"])):
                known.pop(key, None)
                if settled and key:
                    known[key] = row
        self._uris = [uri for uri in uris if uri.endswith("products.parquet")]

    def of(self, *, plan_key: str = "", content_key: str = "") -> tuple[Row, list[Row]] | None:
        """A settled scene's row and its products' rows from left to right, None where it is not settled."""
        row = self._by_plan.get(plan_key) or self._by_content.get(content_key)
        if row is None:
            return None
        key = _identity(row)
        products = self._found().get(key, [])
        wanted = sorted(products, key=lambda each: each["scene_position"])
        return (row, wanted) if len(wanted) == len(row["product_ids"]) else None

    def _found(self) -> Mapping[str, list[Row]]:
        with self._lock:  # groups ask at once, and half of what was decided must not be taken for all
            if not self._products:
                self._products = self._read_products()
        return self._products

    def _read_products(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for uri in self._uris:
            places: dict[str, dict[int, Row]] = {}
            for row in _rows(self.store, uri):
                if row["scene_group"] is not None:
                    places.setdefault(_identity(row), {})[row["scene_position"]] = row
            for key, rows in places.items():
                found.setdefault(key, list(rows.values()))
        return found


def _is_delivery(uri: str) -> bool:
    *_, runs, folder, name = ["", *uri.split("/")]
    del name
    return folder == "delivery" and runs != FOLDER


def _identity(row: Mapping[str, Any]) -> str:
    """A scene is decided once in a run."""
    return f"{row['decided_in_run']} {row['plan_key']}"


def _rows(store: Store, uri: str) -> list[Row]:
    return read_stored(store, uri).to_pylist()


def keep(store: Store, folder: str, found: Sequence[Decided]) -> None:
    """Write what was decided of a group as parts of a run."""
    _keep(store, folder, [each.scene for each in found], [row for each in found for row in each.products])


def _keep(store: Store, folder: str, scenes: Sequence[Row], products: Sequence[Row]) -> None:
    name = f"{folder}/parts/{uuid.uuid4().hex}"
    _write(store, f"{name}.products.parquet", table_of(products, PRODUCT_SCHEMA))
    _write(store, f"{name}.scenes.parquet", table_of(scenes, SCENE_SCHEMA))


def finish(store: Store, folder: str, found: Iterable[Decided], loose: Sequence[Row]) -> Tables:
    """Write a run's tables, and delete its parts.

    A run that is begun again under its own id may ask for less by then: its tables tell of that alone, and what it
    decided of the rest stays a part, where the next run finds it.
    """
    found = list(found)
    parts = [item.uri for item in store.list(f"{folder}/parts")]
    _keep_others(store, folder, parts, {each.scene["plan_key"] for each in found})
    products = table_of([*(row for each in found for row in each.products), *loose], PRODUCT_SCHEMA)
    scenes = table_of([each.scene for each in found], SCENE_SCHEMA)
    _write(store, f"{folder}/products.parquet", products)
    _write(store, f"{folder}/scenes.parquet", scenes)
    for uri in parts:
        store.delete(uri)
    return Tables(scenes, products)


def _keep_others(store: Store, folder: str, parts: Sequence[str], asked: Collection[str]) -> None:
    """Keep what a run's tables and parts hold of scenes under other plan keys than `asked`."""
    tables = [f"{folder}/scenes.parquet", f"{folder}/products.parquet"]
    uris = [*(uri for uri in tables if store.stat(uri) is not None), *parts]
    scenes, products = (
        [row for uri in uris if uri.endswith(f"{name}.parquet") for row in _rows(store, uri)] for name in Tables._fields
    )
    others = {_identity(row): row for row in scenes if row["plan_key"] not in asked}
    if others:
        places = {(_identity(row), row["scene_position"]): row for row in products if _identity(row) in others}
        _keep(store, folder, list(others.values()), list(places.values()))


def _write(store: Store, uri: str, table: pa.Table) -> None:
    store.write(uri, parquet_bytes(table), content_type=PARQUET)
