"""The end of a run: the index from the ledger, dead letters that are a manifest, delivery tables, what is pending."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.delivered import DELIVERED
from transforms.errors import ManifestError, ObjectNotFound, redact
from transforms.index import INDEX_SCHEMA
from transforms.ledger import PARQUET, merge_parts, parquet_bytes, read_rows
from transforms.manifest import COLUMNS, REQUIRED, ColumnMap
from transforms.plan import PLAN_SCHEMA, Shard, read_shard, with_resolved_uris
from transforms.storage.keys import percent_encode
from transforms.storage.store import Store, StoreConfig, open_store
from transforms.storage.uris import folder_of, join

_LOG = logging.getLogger(__name__)
_SHARD_ROWS = 100_000
_IDENTITY = ("manifest_uri", "manifest_row", "placement")


@dataclass(frozen=True)
class Folders:
    """Where a run's tables are."""

    output: str
    run_id: str
    dry_run: bool = False

    @property
    def run(self) -> str:
        """The run's own folder."""
        return f"{self.output}/runs/{self.run_id}"

    @property
    def ledger(self) -> str:
        """This run's part of the ledger; a dry run keeps its outcomes to itself."""
        return f"{self.run}/ledger" if self.dry_run else f"{self.output}/ledger/{self.run_id}"


@dataclass(frozen=True)
class Finished:
    """What the index holds.

    Attributes:
        outcomes: rows by outcome.
        carried: how many of them earlier runs had decided.
        pending: rows and placements that were expected and not reached.
    """

    outcomes: dict[str, int] = field(default_factory=dict)
    carried: int = 0
    pending: int = 0


def finish_run(
    folders: Folders, shards: Sequence[Shard], columns: ColumnMap, store_config: StoreConfig | None = None
) -> Finished:
    """Write index, dead letters and delivery tables of a run; safe to repeat.

    A run that is begun again under its own id may have another manifest by then: what `shards` do not hold is left
    out of its tables.

    Raises:
        StorageError: the store does not answer; what was written before stays, and a repeat finishes it.
    """
    config = store_config or StoreConfig()
    store = open_store(folders.output, config)
    expected = _expected(store, folders, shards)
    index = pa.concat_tables([_decided(store, folders, expected), _carried(store, folders, expected)])
    index = index.sort_by([(name, "ascending") for name in _IDENTITY])
    _write_shards(store, f"{folders.run}/index", index)
    _write_dead_letters(store, folders, index, shards, columns, config)
    if not folders.dry_run:
        write_delivery(store, folders.run, index)
        merge_parts(store, folders.ledger)
    counts = pc.value_counts(index.column("outcome")).to_pylist()
    carried = int(pc.sum(pc.not_equal(index.column("decided_in_run"), folders.run_id)).as_py() or 0)
    outcomes = {str(entry["values"]): int(entry["counts"]) for entry in counts}
    return Finished(outcomes, carried, len(expected) - len(index))


def _expected(store: Store, folders: Folders, shards: Iterable[Shard]) -> pa.Table:
    names = {shard.plan_name for shard in shards}
    planned = (listed.uri for listed in store.list(f"{folders.run}/plan"))
    tables = [_parquet(store, uri) for uri in planned if uri.rsplit("/", 1)[-1] in names]
    return pa.concat_tables(tables) if tables else PLAN_SCHEMA.empty_table()


def _parquet(store: Store, uri: str) -> pa.Table:
    return pq.read_table(pa.BufferReader(store.read(uri).data))


def _decided(store: Store, folders: Folders, expected: pa.Table) -> pa.Table:
    """This run's rows that are expected of it, the latest for each manifest row and placement.

    A run that is begun again under its own id finds its first part's rows settled: they are carried, and count once.
    """
    tables = list(read_rows(store, folders.ledger))
    if not tables:
        return INDEX_SCHEMA.empty_table()
    rows = _latest(pa.concat_tables(tables), _IDENTITY)
    open_places = _places(expected.filter(pc.invert(expected.column("settled"))))
    return rows.filter(pc.is_in(_places(rows), value_set=open_places.combine_chunks()))


def _places(table: pa.Table) -> pa.ChunkedArray:
    """Manifest row and placement as one text, to look tables up in each other."""
    uri, row, placement = (table.column(name) for name in _IDENTITY)
    return pc.binary_join_element_wise(uri, row.cast(pa.string()), pc.fill_null(placement, ""), "\n")


def _latest(table: pa.Table, by: tuple[str, ...]) -> pa.Table:
    numbered = table.select([*by, "finished_at"]).append_column("at", pa.array(np.arange(len(table))))
    numbered = numbered.sort_by([("finished_at", "ascending"), ("at", "ascending")])
    last = numbered.group_by(list(by), use_threads=False).aggregate([("at", "last")])
    return table.take(last.column("at_last"))


def _carried(store: Store, folders: Folders, expected: pa.Table) -> pa.Table:
    """What earlier runs decided, as rows of this run."""
    settled = expected.filter(expected.column("settled"))
    if not len(settled):
        return INDEX_SCHEMA.empty_table()
    keys = pc.unique(settled.column("plan_key"))
    found = [INDEX_SCHEMA.empty_table()]
    for table in read_rows(store, f"{folders.output}/ledger", keys):
        found.append(table.filter(pc.is_in(table.column("plan_key"), value_set=keys)))
    rows = _latest(pa.concat_tables(found), ("plan_key",))
    at = pc.index_in(settled.column("plan_key"), value_set=rows.column("plan_key").combine_chunks())
    carried = rows.take(at)
    for name in ("manifest_uri", "manifest_row"):
        carried = _replaced(carried, name, settled.column(name))
    return _replaced(carried, "run_id", pa.repeat(pa.scalar(folders.run_id), len(carried)))


def _replaced(table: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), INDEX_SCHEMA.field(name), values)


def _write_shards(store: Store, folder: str, table: pa.Table) -> None:
    """Write `table` in parts, and take away what a longer table of the same run left behind."""
    starts = range(0, max(len(table), 1), _SHARD_ROWS)
    for number, start in enumerate(starts):
        part = parquet_bytes(table.slice(start, _SHARD_ROWS))
        store.write(f"{folder}/{_part(number)}", part, content_type=PARQUET)
    written = {_part(number) for number in range(len(starts))}
    _delete_others(store, folder, written)


def _part(number: int) -> str:
    return f"part-{number:05d}.parquet"


def _delete_others(store: Store, folder: str, kept: Collection[str]) -> None:
    """Delete the Parquet files below `folder` that are not named."""
    for uri in [listed.uri for listed in store.list(folder)]:
        if uri.endswith(".parquet") and uri.rsplit("/", 1)[-1] not in kept:
            store.delete(uri)


def _write_dead_letters(
    store: Store, folders: Folders, index: pa.Table, shards: Sequence[Shard], columns: ColumnMap, config: StoreConfig
) -> None:
    """The failed rows as a manifest of their own: the row's columns, only the placements that failed, and why."""
    failed = index.filter(pc.equal(index.column("outcome"), "failed"))
    letters = list(_dead_letters(failed, shards, columns, config)) if len(failed) else []
    schema = DEAD_LETTER_SCHEMA
    _write_shards(store, f"{folders.run}/dead_letters", pa.Table.from_pylist(letters, schema=schema))


DEAD_LETTER_SCHEMA = pa.schema(
    [
        *[
            pa.field(name, pa.list_(pa.string()) if name in ("placements", "features") else pa.string())
            for name in COLUMNS
            if name != "seed"
        ],
        pa.field("seed", pa.int64()),
        *[pa.field(name, pa.string()) for name in ("run_id", "stage", "reason", "detail", "remedy", "manifest_uri")],
        pa.field("manifest_row", pa.int64()),
        pa.field("retryable", pa.bool_()),
    ]
)


def _dead_letters(
    failed: pa.Table, shards: Iterable[Shard], columns: ColumnMap, config: StoreConfig
) -> Iterator[dict[str, object]]:
    errors: dict[str, dict[int, list[dict[str, object]]]] = {}
    for row in failed.select(["manifest_uri", "manifest_row", "placement", *_WHY, *_KNOWN]).to_pylist():
        errors.setdefault(row["manifest_uri"], {}).setdefault(row["manifest_row"], []).append(row)
    for shard in shards:
        mine = errors.get(shard.manifest_uri, {})
        wanted = [row for row in mine if 0 <= row - shard.first_row < shard.rows]
        if not wanted:
            continue
        table, changed = _rows_of(shard, columns, config), False
        for row in sorted(wanted):
            cells = table.slice(row - shard.first_row, 1).to_pylist()
            if not (cells and _is_of(cells[0], mine[row][0])):
                cells, changed = [_known_cells(mine[row][0])], True
            yield _dead_letter(cells[0], mine[row])
        if changed:
            _LOG.warning("%s has changed since the run read it; dead letters lack some words", shard.manifest_uri)


def _rows_of(shard: Shard, columns: ColumnMap, config: StoreConfig) -> pa.Table:
    """The shard's rows, none where its file is gone or another one by now: the next night's may be there already."""
    try:
        table = read_shard(open_store(shard.manifest_uri, config), shard, columns)
    except (ManifestError, ObjectNotFound, OSError, pa.ArrowException, LookupError) as error:
        _LOG.warning("%s cannot be read again: %s", shard.manifest_uri, error)
        return pa.table({name: pa.array([], pa.string()) for name in COLUMNS})
    return with_resolved_uris(table, folder_of(shard.manifest_uri))


def _is_of(cells: dict[str, object], decided: dict[str, object]) -> bool:
    """Whether a manifest's row is the one that was decided."""
    found = {**cells, "image_uri": redact(str(cells["image_uri"]))}
    return all(found[name] == decided[name] for name in _KNOWN)


def _known_cells(decided: dict[str, object]) -> dict[str, object]:
    """What the index alone knows of a row."""
    return {name: decided.get(name) for name in COLUMNS}


_KNOWN = (*REQUIRED, "title", "product_category")
_WHY = ("run_id", "stage", "reason", "detail", "remedy", "retryable")


def _dead_letter(cells: dict[str, object], errors: list[dict[str, object]]) -> dict[str, object]:
    first = errors[0]
    letter = {**cells, **{name: first[name] for name in (*_WHY, "manifest_uri", "manifest_row")}}
    letter["image_uri"] = redact(str(cells["image_uri"]))
    placements = [error["placement"] for error in errors if error["placement"]]
    letter["placements"] = placements or cells["placements"]
    return letter


def write_delivery(store: Store, run: str, table: pa.Table, columns: Sequence[str] = DELIVERED) -> None:
    """For each advertiser the creatives that a feed can take: `columns` of the enhanced rows, below folder `run`.

    Equal rows of a manifest have one creative, and a feed takes it once.
    """
    enhanced = table.filter(pc.equal(table.column("outcome"), "enhanced"))
    advertisers = pc.unique(enhanced.column("advertiser_id")).to_pylist()
    for advertiser in advertisers:
        mine = enhanced.filter(pc.equal(enhanced.column("advertiser_id"), advertiser)).select(list(columns))
        first: dict[object, int] = {}
        for at, creative in enumerate(mine.column("creative_uri").to_pylist()):
            first.setdefault(creative or at, at)
        mine = mine.take(pa.array(list(first.values()), pa.int64()))
        store.write(join(run, "delivery", _table_of(advertiser)), parquet_bytes(mine), content_type=PARQUET)
    # a listing shows names as a `file://` URI holds them
    kept = {join(run, "delivery", _table_of(advertiser)).rsplit("/", 1)[-1] for advertiser in advertisers}
    _delete_others(store, join(run, "delivery"), kept)


def _table_of(advertiser: str) -> str:
    return f"{percent_encode(advertiser)}.parquet"
