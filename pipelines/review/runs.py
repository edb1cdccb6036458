"""What the review page needs of a finished run: its rows by advertiser, and the placements they were made for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import pyarrow as pa

from pipelines.report.spend import read_report
from pipelines.review.scenes import members_of, scene_rows
from pipelines.scenes.folders import is_scene_run
from transforms.errors import ManifestError, ObjectNotFound
from transforms.keys import digest_of
from transforms.ledger import read_index
from transforms.placements import Placement, extend_placements
from transforms.storage.store import Store, StoreConfig, open_store

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        uri: `OUTPUT/runs/RUN_ID`, or `OUTPUT/scene_runs/RUN_ID`.
        rows: its index, or its scenes with their products (see `pipelines.review.scenes`), with `item_id` added;
            ordered by advertiser, product and placement.
        placements: every placement that a row may have been made for.
        report: `report.json`, {} where there is none.
    """

    uri: str
    run_id: str
    rows: tuple[Row, ...]
    placements: Mapping[str, Placement]
    report: Mapping[str, Any]
    store: StoreConfig = StoreConfig()
    advertisers: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)

    @property
    def output(self) -> str:
        """The folder that the run wrote to."""
        return self.uri.rsplit("/", 2)[0]


def read_run(uri: str, config: StoreConfig) -> Run:
    """Read a run's index, or its scenes, and its report.

    Raises:
        ManifestError, TableError: the folder holds no index, or no tables of scenes; a file of it is damaged.
    """
    uri = uri.rstrip("/")
    store = open_store(uri, config)
    rows = _ordered(scene_rows(uri, store) if is_scene_run(uri) else _index_rows(uri, store))
    report = _report(store, uri)
    extra = report.get("options", {}).get("extra_placements", "[]")
    return Run(
        uri,
        uri.rsplit("/", 1)[-1],
        rows,
        extend_placements(json.loads(extra)),
        report,
        config,
        _by_advertiser(rows),
    )


def _index_rows(uri: str, store: Store) -> list[dict[str, Any]]:
    tables = read_index(store, uri)
    if not tables:
        raise ManifestError(
            f"{uri} has no index/*.parquet", remedy="name a folder OUTPUT/runs/RUN_ID of a finished run"
        )
    rows: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist()
    return rows


def _ordered(rows: list[dict[str, Any]]) -> tuple[Row, ...]:
    found = [{**row, "item_id": item_id(row)} for row in rows]
    keys = ("advertiser_id", "product_id", "manifest_row", "placement")
    return tuple(sorted(found, key=lambda row: tuple(str(row[key] if row[key] is not None else "") for key in keys)))


def _by_advertiser(rows: tuple[Row, ...]) -> dict[str, tuple[Row, ...]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["advertiser_id"] or "", []).append(row)
    return {name: tuple(mine) for name, mine in found.items()}


def item_id(row: Row) -> str:
    """The name of a row and placement in addresses: 20 hex digits, the same for every night's run of one manifest."""
    scene = [row["scene_group"], row["seed"]] if members_of(row) else []
    return digest_of([row["manifest_uri"], row["manifest_row"], row["placement"], *scene])[:20]


def slug_of(advertiser: str) -> str:
    """An advertiser's name as one harmless path segment, different for different advertisers.

    >>> slug_of("Casa Verde")[:11]
    'casa-verde-'
    """
    plain = re.sub(r"[^a-z0-9]+", "-", advertiser.lower()).strip("-")[:40]
    return f"{plain or 'advertiser'}-{blake2b(advertiser.encode(), digest_size=4).hexdigest()}"


def _report(store: Store, uri: str) -> dict[str, Any]:
    try:
        return read_report(store, f"{uri}/report.json")
    except ObjectNotFound:
        return {}
