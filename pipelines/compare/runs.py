"""Runs as tables that can be laid side by side."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from transforms.errors import TableError
from transforms.ledger import read_index
from transforms.storage.store import StoreConfig, open_store

Key = tuple[str, str, str, int]


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        name: its run id, or where it is if the index is empty.
        uri: `OUTPUT/runs/<run_id>`.
        index: its rows (`transforms.index.INDEX_SCHEMA`).
    """

    name: str
    uri: str
    index: pa.Table


def read_run(uri: str, config: StoreConfig) -> Run:
    """The run at `uri`.

    Raises:
        TableError: it holds no index.
    """
    folder = uri.rstrip("/")
    tables = read_index(open_store(folder, config), folder)
    if not tables:
        raise TableError(f"{uri} holds no index/*.parquet", remedy="name a finished run's folder, OUTPUT/runs/RUN_ID")
    index = pa.concat_tables(tables)
    name = index.column("run_id")[0].as_py() if len(index) else folder.rsplit("/", 1)[-1]
    return Run(name, folder, index)


def keys_of(index: pa.Table) -> list[Key]:
    """Each row's advertiser, product and placement ("" where it has none), numbered where a manifest repeats them."""
    columns = [
        pc.fill_null(index.column(name), "").to_pylist() for name in ("advertiser_id", "product_id", "placement")
    ]
    seen: Counter[tuple[str, str, str]] = Counter()
    keys = []
    for triple in zip(*columns, strict=True):
        keys.append((*triple, seen[triple]))
        seen[triple] += 1
    return keys


@dataclass(frozen=True)
class Pairing:
    """Which rows of two runs are the same product and placement.

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
