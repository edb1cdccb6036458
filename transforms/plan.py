"""Plan: which rows of a manifest still need work, found in Arrow batches before a row becomes an element."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.pvalue import PCollection
from numpy.typing import NDArray

from transforms.decisions import NO_WISH, NO_WISHES, Slot, Wish, Wishes, image_of, read_decisions, wishes_of
from transforms.errors import CanvasError, ManifestError, Skipped
from transforms.keys import default_seed, digest_of, key_words, row_keys
from transforms.ledger import PARQUET, SettledKeys, parquet_bytes, read_settled
from transforms.manifest import ColumnMap, bad_cells, normalise, product_of, source_columns
from transforms.placements import Placement
from transforms.prompt_table import PromptTable
from transforms.records import Job
from transforms.sources.allow import SourcePolicy, resolve_uri
from transforms.sources.identities import SourceIdentities
from transforms.storage.store import Store, StoreConfig, open_store
from transforms.storage.uris import folder_of, local_path, scheme_of
from transforms.tally import tally_of
from transforms.work import Step, Work

NOT_PARQUET = "write the manifest as Parquet, and whole: see docs/manifest.md"
# What a run is expected to decide: every row of the manifest in every placement, and whether it was settled before.
PLAN_SCHEMA = pa.schema(
    [
        pa.field("plan_key", pa.string(), nullable=False),
        pa.field("manifest_uri", pa.string(), nullable=False),
        pa.field("manifest_row", pa.int64(), nullable=False),
        pa.field("placement", pa.string()),
        pa.field("settled", pa.bool_(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Shard:
    """Some row groups of one manifest file.

    Attributes:
        row_groups: which of the file's row groups.
        first_row: the number, within the file, of the first row.
        rows: how many rows count, from the first.
    """

    manifest_uri: str
    row_groups: tuple[int, ...]
    first_row: int
    rows: int

    @property
    def plan_name(self) -> str:
        """The file, below a run's `plan/`, that says what the run is expected to decide of the shard."""
        return f"{digest_of([self.manifest_uri, self.row_groups, self.first_row])}.parquet"


@dataclass(frozen=True)
class PlanConfig:
    """What the plan needs to know of the job.

    Attributes:
        features: the tasks that the job allows, by name.
        placements: the placements by default, by name.
        table: every placement that a row may ask for.
        config_digest: of everything that configures a result, placements apart.
        retry_failed: try again what failed for a cause that stays.
        decisions: Parquet file of what was decided on earlier creatives, "" for none.
        prompts: by category; None for the shipped table.
    """

    output: str
    run_id: str
    features: tuple[str, ...]
    placements: tuple[str, ...]
    table: tuple[Placement, ...]
    config_digest: str
    columns: ColumnMap = ColumnMap()
    sources: SourcePolicy = SourcePolicy()
    retry_failed: bool = False
    store: StoreConfig = StoreConfig()
    decisions: str = ""
    prompts: PromptTable | None = None

    @property
    def by_name(self) -> Mapping[str, Placement]:
        """The placements by name."""
        return {placement.name: placement for placement in self.table}

    @property
    def ledger(self) -> str:
        """Where all runs' decisions are."""
        return f"{self.output}/ledger"

    @property
    def run_folder(self) -> str:
        """Where this run writes."""
        return f"{self.output}/runs/{self.run_id}"


@dataclass(frozen=True)
class Planned:
    """A planned table: what is expected, and the products that need work."""

    expected: pa.Table
    works: list[Work]


def plan_table(
    table: pa.Table,
    shard: Shard,
    identities: Sequence[str],
    settled: SettledKeys,
    config: PlanConfig,
    wishes: Wishes = NO_WISHES,
) -> Planned:
    """Plan a normalised manifest `table`, the rows of `shard`.

    Args:
        identities: the source identity of every row, "" where it is unknown before load; such rows are never
            taken for settled.
        wishes: what was decided on earlier creatives. They change the keys of the rows that they concern, and of
            no other one.
    """
    wrong = bad_cells(table, list(config.by_name))
    keys = row_keys(table, identities, config.config_digest)
    words = key_words(keys)
    known = np.array([bool(identity) for identity in identities], bool)
    wanted = _wanted(table, wrong, config)
    pieces: list[pa.Table] = []
    missing: dict[tuple[int, Wish], list[str]] = {}
    wished = _wished(table, wanted, wishes, config)
    for name, placement in config.by_name.items():
        at = np.flatnonzero(wanted[name])
        if not len(at):
            continue
        own = [wished.get((int(row), name), NO_WISH) for row in at] if wished else [NO_WISH] * len(at)
        mixed = words[at] ^ key_words([digest_of(placement)])
        for place, wish in enumerate(own):
            if wish != NO_WISH:
                mixed[place] = key_words([wish.key(keys[at[place]])])[0] ^ key_words([digest_of(placement)])[0]
        done = settled.contains(mixed) & known[at]
        pieces.append(_expected(mixed, shard, at, name, done))
        for place in np.flatnonzero(~done):
            missing.setdefault((int(at[place]), own[place]), []).append(name)
    if wrong:
        at = np.array(sorted(wrong))
        pieces.append(_expected(words[at], shard, at, None, np.zeros(len(at), bool)))
    works = list(_works(table, keys, wrong, missing, shard, config))
    return Planned(pa.concat_tables(pieces) if pieces else PLAN_SCHEMA.empty_table(), works)


def _wanted(table: pa.Table, wrong: Mapping[int, str], config: PlanConfig) -> dict[str, NDArray[np.bool_]]:
    """Placement -> which rows want it: the row's own list, or the job's."""
    column = table.column("placements")
    own = np.array(column.is_valid().to_pylist(), bool)
    good = np.ones(len(table), bool)
    good[list(wrong)] = False
    wanted = {name: good & ~own if name in config.placements else np.zeros(len(table), bool) for name in config.by_name}
    for row in np.flatnonzero(own & good):
        for name in column[int(row)].as_py() or config.placements:
            wanted[name][row] = True
    return wanted


def _expected(
    words: NDArray[np.uint64], shard: Shard, rows: NDArray[np.int64], placement: str | None, done: NDArray[np.bool_]
) -> pa.Table:
    count = len(rows)
    hexes = words.astype(">u8").tobytes().hex()
    return pa.table(
        [
            pa.array([hexes[at * 32 : at * 32 + 32] for at in range(count)]),
            pa.repeat(pa.scalar(shard.manifest_uri), count),
            pa.array(rows + shard.first_row),
            pa.repeat(pa.scalar(placement, pa.string()), count),
            pa.array(done),
        ],
        schema=PLAN_SCHEMA,
    )


def _works(
    table: pa.Table,
    keys: Sequence[str],
    wrong: Mapping[int, str],
    missing: Mapping[tuple[int, Wish], list[str]],
    shard: Shard,
    config: PlanConfig,
) -> Iterator[Work]:
    """A work for each row; for several where its placements differ in what is wished of them."""
    for row, wish in sorted({*((row, NO_WISH) for row in wrong), *missing}):
        cells = {name: table.column(name)[row].as_py() for name in table.column_names}
        product = replace(
            product_of(cells, shard.manifest_uri, shard.first_row + row),
            plan_key=wish.key(keys[row]),
            placements=tuple(missing.get((row, wish), ())),
            features=_features(cells["features"], config.features),
            opted_out=wish.blocked,
        )
        own = cells["seed"] is not None
        seed = wish.seed(cells["seed"] if own else default_seed(product))
        product = replace(product, seed=seed, own_seed=own, attempt=wish.attempt)
        if row in wrong:
            message = f"{shard.manifest_uri} row {product.row}: {wrong[row]}"
            yield Work(replace(product, seed=0), (Step("plan", partial(_refuse_row, message=message)),))
        elif wish.end:
            yield Work(product, (Step("plan", partial(_leave_row, reason=wish.end)),))
        else:
            yield Work(product)


def _wished(
    table: pa.Table, wanted: Mapping[str, NDArray[np.bool_]], wishes: Wishes, config: PlanConfig
) -> dict[tuple[int, str], Wish]:
    """(row, placement) -> what is wished of it, for the rows that any decision concerns."""
    if wishes == NO_WISHES:
        return {}
    found: dict[tuple[int, str], Wish] = {}
    ids = zip(table.column("advertiser_id").to_pylist(), table.column("product_id").to_pylist(), strict=True)
    for row, (advertiser, product) in enumerate(ids):
        if not wishes.touches(advertiser, product):
            continue
        image = image_of(table.column("image_uri")[row].as_py())
        features = _features(table.column("features")[row].as_py(), config.features)
        for name, mask in wanted.items():
            if mask[row]:
                found[row, name] = wishes.of(Slot(advertiser, product, name, image), features)
    return found


def _features(own: Sequence[str] | None, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """What the job allows of what the row asks for; an empty list asks for nothing special, as an empty cell does."""
    return tuple(name for name in allowed if name in own) if own else allowed


def _refuse_row(_: Job, *, message: str) -> Job:
    raise ManifestError(message)


LEFT = {
    "opted_out": Skipped("opted_out", "the advertiser opted out"),
    "withdrawn": Skipped("withdrawn", "the creative was withdrawn"),
    "refused": Skipped("refused", "every candidate so far was refused"),
}


def _leave_row(_: Job, *, reason: str) -> Job:
    left = LEFT[reason]
    raise Skipped(left.reason, left.detail)


def read_shard(store: Store, shard: Shard, columns: ColumnMap) -> pa.Table:
    """The shard's rows, normalised."""
    parquet = open_parquet(store, shard.manifest_uri)
    names = source_columns(parquet.schema_arrow, columns)
    table = parquet.read_row_groups(list(shard.row_groups), columns=names)
    return normalise(table.slice(0, shard.rows), columns)


def with_resolved_uris(table: pa.Table, folder: str) -> pa.Table:
    """`table` with relative image references made absolute, so that keys and dead letters stand on their own."""
    uris = [_resolved(uri, folder) for uri in table.column("image_uri").to_pylist()]
    return table.set_column(table.schema.get_field_index("image_uri"), "image_uri", pa.array(uris, pa.string()))


def _resolved(uri: str, folder: str) -> str:
    try:
        return resolve_uri(uri, folder) if uri else uri
    except CanvasError:
        return uri  # no reference at all: loading it gives the reason


def open_parquet(store: Store, uri: str) -> pq.ParquetFile:
    """A manifest file, memory-mapped where it is local.

    Raises:
        ManifestError: it is not a Parquet file.
    """
    try:
        if scheme_of(uri) == "file":
            return pq.ParquetFile(str(local_path(uri)), memory_map=True)
        return pq.ParquetFile(pa.BufferReader(store.read(uri).data))
    except pa.ArrowInvalid as error:
        raise ManifestError(f"{uri} is not a Parquet file: {error}", remedy=NOT_PARQUET) from error


@dataclass
class PlanRows(beam.PTransform[PCollection[Shard], PCollection[Work]]):  # type: ignore[misc]
    """Turns manifest shards into the works that are still to be done."""

    config: PlanConfig

    def expand(self, shards: PCollection[Shard]) -> PCollection[Work]:
        """Plan, and record what the run is expected to decide."""
        return shards | beam.ParDo(_PlanShard(self.config))


class _PlanShard(beam.DoFn):  # type: ignore[misc]
    def __init__(self, config: PlanConfig) -> None:
        self.config = config

    def setup(self) -> None:
        config = self.config
        self.identities = SourceIdentities(config.sources, config.store)
        self.store = open_store(config.output, config.store)
        self.settled = read_settled(self.store, config.ledger, retry_failed=config.retry_failed)
        self.wishes = wishes_of(read_decisions(config.decisions, config.store)) if config.decisions else NO_WISHES

    def process(self, shard: Shard) -> Iterator[Work]:
        config = self.config
        manifests = open_store(shard.manifest_uri, config.store)
        folder = folder_of(shard.manifest_uri)
        table = with_resolved_uris(read_shard(manifests, shard, config.columns), folder)
        identities = self.identities.of(table.column("image_uri").to_pylist(), base_uri=folder)
        planned = plan_table(table, shard, identities, self.settled, config, self.wishes)
        uri = f"{config.run_folder}/plan/{shard.plan_name}"
        self.store.write(uri, parquet_bytes(planned.expected), content_type=PARQUET)
        settled = int(pc.sum(planned.expected.column("settled")).as_py() or 0)
        tally_of(config.run_id).expect(len(planned.expected) - settled, settled)
        yield from planned.works
