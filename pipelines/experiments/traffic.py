"""Impressions and clicks by arm, product and day: read, checked, and counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from transforms.errors import TableError
from transforms.storage.store import Store
from transforms.tables import read_table

COUNTS = ("impressions", "clicks", "long_clicks")
REQUIRED = ("arm", "product_id", *COUNTS)
Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Traffic:
    """Counts of two arms.

    Attributes:
        impressions, clicks, long_clicks: float64 [days, 2, products], whole numbers; arm 0 is the control.
        days: names of the days in order; one "" where the table has no column `day`.
        products: names, `advertiser/product` where the table has advertisers.
        arms: names of control and treatment.
    """

    impressions: Counts
    clicks: Counts
    long_clicks: Counts
    days: tuple[str, ...]
    products: tuple[str, ...]
    arms: tuple[str, str]


def read_traffic(store: Store, uri: str) -> pa.Table:
    """The table at `uri`: a Parquet file, or a folder of them.

    Raises:
        TableError: there is none, or it is no Parquet file.
    """
    tables = list(_tables(store, uri))
    if not tables:
        raise TableError(f"{uri} holds no *.parquet", remedy="name a Parquet file or a folder of them")
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise TableError(f"{uri}: the files' columns do not agree: {error}") from error


def _tables(store: Store, uri: str) -> Iterator[pa.Table]:
    found = [uri] if uri.endswith(".parquet") else sorted(item.uri for item in store.list(uri.rstrip("/")))
    for item in found:
        if item.endswith(".parquet"):
            yield read_table(store.read(item).data, item)


def count(table: pa.Table, control: str, treatment: str) -> Traffic:
    """The counts of a table with columns `arm`, `product_id`, `impressions`, `clicks`, `long_clicks`.

    Columns `advertiser_id` and `day` are used where present; any others (creative, placement) are summed over.

    Raises:
        TableError: names the column or the row and what is wrong with it.
    """
    _check_columns(table)
    if control == treatment:
        raise TableError(f"--control and --treatment are both {control!r}", remedy="name two arms")
    arms = pc.unique(table.column("arm")).to_pylist()
    for name in (control, treatment):
        if name not in arms:
            raise TableError(
                f"no rows of arm {name!r}; the table has {', '.join(map(repr, arms))}",
                remedy="name the arms with --control and --treatment",
            )
    kept = table.filter(pc.is_in(table.column("arm"), value_set=pa.array([control, treatment])))
    _check_rows(kept)
    days, day_at = _days(kept)
    products, product_at = _codes(_product_of(kept))
    arm_at = pc.equal(kept.column("arm"), treatment).to_numpy(zero_copy_only=False).astype(int)
    shape = (len(days), 2, len(products))
    flat = np.ravel_multi_index((day_at, arm_at, product_at), shape)

    def summed(name: str) -> Counts:
        sums = np.bincount(flat, _whole(kept, name), minlength=int(np.prod(shape)))
        return sums.astype(np.float64).reshape(shape)

    impressions, clicks, long_clicks = map(summed, COUNTS)
    return Traffic(impressions, clicks, long_clicks, tuple(days), tuple(products), (control, treatment))


def _check_columns(table: pa.Table) -> None:
    missing = [name for name in REQUIRED if name not in table.schema.names]
    if missing:
        raise TableError(f"the table has no column {', '.join(missing)}", remedy=f"it takes {', '.join(REQUIRED)}")
    for name in COUNTS:
        if not pa.types.is_integer(table.schema.field(name).type):
            raise TableError(f"column {name}: whole numbers expected, found {table.schema.field(name).type}")


def _check_rows(table: pa.Table) -> None:
    for name in REQUIRED:
        if table.column(name).null_count:
            raise TableError(f"column {name}: {table.column(name).null_count} cells are empty")
    counts = {name: _whole(table, name) for name in COUNTS}
    checks = [(f"{name} < 0", values < 0) for name, values in counts.items()]
    checks += [
        ("clicks > impressions", counts["clicks"] > counts["impressions"]),
        ("long_clicks > clicks", counts["long_clicks"] > counts["clicks"]),
    ]
    for text, wrong in checks:
        if wrong.any():
            row = table.slice(int(np.argmax(wrong)), 1).to_pylist()[0]
            raise TableError(f"{text} in {int(wrong.sum())} rows, first in arm {row['arm']!r}, {row['product_id']!r}")


def _whole(table: pa.Table, name: str) -> Counts:
    values: Counts = table.column(name).to_numpy().astype(np.float64)
    return values


def _product_of(table: pa.Table) -> pa.ChunkedArray:
    products = _text(table, "product_id")
    if "advertiser_id" not in table.schema.names:
        return products
    return pc.binary_join_element_wise(pc.fill_null(_text(table, "advertiser_id"), ""), products, "/")


def _text(table: pa.Table, name: str) -> pa.ChunkedArray:
    try:
        return table.column(name).cast(pa.string())
    except pa.ArrowException as error:
        raise TableError(f"column {name}: text expected: {error}") from error


def _days(table: pa.Table) -> tuple[list[str], NDArray[np.intp]]:
    """The days in their own order, as text, and each row's place among them: as texts, day 10 would come before 2."""
    if "day" not in table.schema.names:
        return [""], np.zeros(len(table), np.intp)
    column = table.column("day")
    if column.null_count:
        raise TableError(f"column day: {column.null_count} cells are empty")
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    unique = pc.unique(column)
    names = unique.take(pc.sort_indices(unique))
    places = pc.index_in(column, value_set=names).to_numpy().astype(np.intp)
    return names.cast(pa.string()).to_pylist(), places


def _codes(values: pa.ChunkedArray) -> tuple[list[str], NDArray[np.intp]]:
    """The sorted names, and each row's place among them."""
    names, places = np.unique(values.to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    return names.tolist(), places
