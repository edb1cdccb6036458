"""Runs as tables that can be laid side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.scenes.folders import is_scene_run, read_tables
from transforms.errors import ConfigError, TableError
from transforms.ledger import read_index
from transforms.storage.store import Store, StoreConfig, open_store

Key = tuple[str, str, str, int]
_NAME = ("advertiser_id", "product_id")


class Words(NamedTuple):
    """What a run's rows are called, and what owns several of them and so counts once in tests."""

    rows: str
    owners: str


_CREATIVES, _SCENES = Words("rows and placements", "products"), Words("scenes", "groups")


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        name: its run id, or where it is if the index is empty.
        uri: `OUTPUT/runs/<run_id>`, or `OUTPUT/scene_runs/<run_id>`.
        index: its rows (`transforms.index.INDEX_SCHEMA`), or its scenes, whose product is their group; and `place`: the
            placement, of a scene with its seed.
        photos: the rows that say what was photographed: the index, or the products of the scenes.
    """

    name: str
    uri: str
    index: pa.Table
    photos: pa.Table
    words: Words = _CREATIVES


def read_run(uri: str, config: StoreConfig) -> Run:
    """The run at `uri`.

    Raises:
        TableError: it holds no index, or no tables of scenes.
    """
    folder = uri.rstrip("/")
    store = open_store(folder, config)
    if is_scene_run(folder):
        return _read_scenes(folder, store)
    tables = read_index(store, folder)
    if not tables:
        remedy = "name a finished run's folder, OUTPUT/runs/RUN_ID or OUTPUT/scene_runs/RUN_ID"
        raise TableError(f"{uri} holds no index/*.parquet", remedy=remedy)
    index = pa.concat_tables(tables)
    index = index.append_column("place", index.column("placement"))
    return Run(_run_id(index, folder), folder, index, index)


def _read_scenes(folder: str, store: Store) -> Run:
    scenes, products = read_tables(store, folder)
    seeds = pc.binary_join_element_wise("seed", pc.cast(scenes.column("seed"), pa.string()), " ")
    places = pc.binary_join_element_wise(scenes.column("placement"), seeds, ", ", null_handling="skip")
    index = scenes.append_column("product_id", scenes.column("scene_group")).append_column("place", places)
    photos = products.filter(pc.is_valid(products.column("scene_group")))
    return Run(_run_id(index, folder), folder, index, photos, _SCENES)


def _run_id(index: pa.Table, folder: str) -> str:
    return str(index.column("run_id")[0].as_py()) if len(index) else folder.rsplit("/", 1)[-1]


def check_comparable(runs: Sequence[Run]) -> None:
    """Refuse runs that have nothing to lay side by side.

    Raises:
        ConfigError: some made scenes and some did not; the last two have scenes of the same groups and placements, and
            no seed in common.
    """
    if len({run.words for run in runs}) > 1:
        remedy = "compare runs of one kind: all of them OUTPUT/runs/RUN_ID, or all OUTPUT/scene_runs/RUN_ID"
        raise ConfigError("some of the runs made scenes and some did not", remedy=remedy)
    before, after = (run.index for run in runs[-2:])
    if runs[-1].words is _SCENES and _shared(before, after, "placement") and not _shared(before, after, "place"):
        seeds = " and ".join(", ".join(map(str, _seeds(table))) for table in (before, after))
        remedy = "compare runs of the same --seeds; without --seeds a group keeps one seed, the same every night"
        raise ConfigError(f"the scenes have no seed in common ({seeds})", remedy=remedy)


def _shared(before: pa.Table, after: pa.Table, column: str) -> bool:
    one, other = ({key[:3] for key in keys_of(table, column)} for table in (before, after))
    return bool(one & other)


def _seeds(scenes: pa.Table) -> list[int]:
    """The first few."""
    found: list[int] = sorted(pc.unique(scenes.column("seed")).to_pylist())
    return found[:4]


def keys_of(index: pa.Table, place: str = "place") -> list[Key]:
    """Each row's advertiser, product and place ("" where it has none), numbered where a manifest repeats them."""
    columns = [pc.fill_null(index.column(name), "").to_pylist() for name in (*_NAME, place)]
    seen: Counter[tuple[str, str, str]] = Counter()
    keys = []
    for triple in zip(*columns, strict=True):
        keys.append((*triple, seen[triple]))
        seen[triple] += 1
    return keys


@dataclass(frozen=True)
class Pairing:
    """Which rows of two runs are the same product and placement, or the same group, placement and seed.

    Attributes:
        before, after: row numbers of the pairs, int64 [pairs].
        gone, new: row numbers that only the earlier, only the later run has.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    gone: NDArray[np.int64]
    new: NDArray[np.int64]


def pair(before: pa.Table, after: pa.Table) -> Pairing:
    """Pair the rows of two indexes."""
    earlier = {key: row for row, key in enumerate(keys_of(before))}
    pairs, new = [], []
    for row, key in enumerate(keys_of(after)):
        other = earlier.pop(key, None)
        if other is None:
            new.append(row)
        else:
            pairs.append((other, row))
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return Pairing(both[:, 0], both[:, 1], np.array(sorted(earlier.values()), np.int64), np.array(new, np.int64))


def map_values(index: pa.Table, column: str) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """A map column by name: row numbers and values."""
    cells = index.column(column).combine_chunks()
    if isinstance(cells, pa.ChunkedArray):  # no rows at all
        return {}
    lengths = np.diff(cells.offsets.to_numpy())
    rows = np.repeat(np.arange(len(cells)), lengths)
    first, last = cells.offsets[0].as_py(), cells.offsets[len(cells)].as_py()
    names = cells.keys.slice(first, last - first).dictionary_encode()
    codes = names.indices.to_numpy(zero_copy_only=False)
    values = cells.items.slice(first, last - first).to_numpy(zero_copy_only=False).astype(float)
    return {
        name: (rows[codes == code].astype(np.int64), values[codes == code])
        for code, name in enumerate(names.dictionary.to_pylist())
    }
