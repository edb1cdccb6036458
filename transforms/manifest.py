"""The manifest: which columns it has, under which names, and how a row becomes a `Product`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.category_names import CategoryNames
from transforms.errors import ManifestError
from transforms.records import TASKS, Product

REQUIRED = ("advertiser_id", "product_id", "image_uri")
TEXTS = ("title", "description", "product_category", "brand", "color", "prompt")
LISTS = ("placements", "features")
COLUMNS = (*REQUIRED, *TEXTS, *LISTS, "seed")

# The usual names of Google Merchant Center and Pinterest catalog feeds, in order of preference.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "advertiser_id": ("merchant_id", "account_id"),
    "product_id": ("id", "item_id", "offer_id"),
    "image_uri": ("image_link", "image_url"),
    "title": ("name",),
    "product_category": ("google_product_category", "product_type"),
    "color": ("colour",),
}


@dataclass(frozen=True)
class ColumnMap:
    """Where each of `COLUMNS` comes from.

    Attributes:
        names: (column, name in the file) pairs that the job states; they win over the usual names.
        advertiser_id: the advertiser of every row where the file has no such column, "" for none.
        category_names: what a product_category that is nothing but one of these numbers is called.
    """

    names: tuple[tuple[str, str], ...] = ()
    advertiser_id: str = ""
    category_names: CategoryNames = field(default_factory=dict)

    def source_of(self, column: str, present: Sequence[str]) -> str | None:
        """The file's name for `column`, None where it has none."""
        stated = dict(self.names).get(column)
        candidates = (stated,) if stated else (column, *ALIASES.get(column, ()))
        return next((name for name in candidates if name in present), None)


def check_schema(schema: pa.Schema, columns: ColumnMap, manifest_uri: str) -> None:
    """Refuse a file whose columns cannot be used.

    Raises:
        ManifestError: names the column, its type and the file.
    """
    for column, name in columns.names:
        if column not in COLUMNS:
            raise ManifestError(f"{manifest_uri}: --column maps to {column!r}, which is not one of {COLUMNS}")
        if name not in schema.names:
            raise ManifestError(f"{manifest_uri}: --column {column}={name}: the file has no column {name!r}")
    for column in COLUMNS:
        found = columns.source_of(column, schema.names)
        if found is None:
            if column in REQUIRED and not (column == "advertiser_id" and columns.advertiser_id):
                raise ManifestError(
                    f"{manifest_uri}: required column {column!r} is missing; it has {schema.names}",
                    remedy=f"if it has another name there: --column {column}=NAME"
                    + ("; if all rows are of one advertiser: --advertiser_id" if column == "advertiser_id" else ""),
                )
            continue
        if schema.names.count(found) > 1:
            raise ManifestError(f"{manifest_uri}: column {found!r} (for {column!r}) is there more than once")
        _check_type(column, found, schema.field(found).type, manifest_uri)


def _check_type(column: str, name: str, kind: pa.DataType, manifest_uri: str) -> None:
    if column == "image_uri" and _holds_bytes(kind):
        raise ManifestError(
            f"{manifest_uri}: column {name!r} has type {kind}: images are given as references, never as bytes"
        )
    if column in LISTS:
        good, wanted = _is_list_of_text(kind), "list<string>"
    elif column == "seed":
        good, wanted = pa.types.is_integer(kind) or pa.types.is_null(kind), "int64"
    else:
        numbered = column in ("advertiser_id", "product_id", "product_category")
        good, wanted = _is_text(kind) or (numbered and pa.types.is_integer(kind)), "string"
    if not good:
        raise ManifestError(f"{manifest_uri}: column {name!r} (for {column!r}) has type {kind}, expected {wanted}")


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(_holds_bytes(kind.field(index).type) for index in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    is_view = getattr(pa.types, "is_string_view", lambda _: False)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind) or is_view(kind))


def _is_list_of_text(kind: pa.DataType) -> bool:
    if pa.types.is_null(kind):
        return True
    return bool((pa.types.is_list(kind) or pa.types.is_large_list(kind)) and _is_text(kind.value_type))


def source_columns(schema: pa.Schema, columns: ColumnMap) -> list[str]:
    """The file's columns that are worth reading."""
    found = (columns.source_of(column, schema.names) for column in COLUMNS)
    return list(dict.fromkeys(name for name in found if name is not None))


def normalise(table: pa.Table, columns: ColumnMap) -> pa.Table:
    """`table` with exactly `COLUMNS`, texts stripped and null-free, ids as strings, lists and seed nullable."""
    arrays = {}
    for column in COLUMNS:
        name = columns.source_of(column, table.column_names)
        arrays[column] = _normalised(column, table.column(name) if name else None, table.num_rows, columns)
    return pa.table(arrays)


def _normalised(
    column: str, values: pa.ChunkedArray | None, rows: int, columns: ColumnMap
) -> pa.ChunkedArray | pa.Array:
    if column == "seed":
        return pa.nulls(rows, pa.int64()) if values is None else values.cast(pa.int64(), safe=False)
    if column in LISTS:
        kind = pa.list_(pa.string())
        return pa.nulls(rows, kind) if values is None else _legible(values.cast(kind), column)
    if values is None:
        text = columns.advertiser_id if column == "advertiser_id" else ""
        return pa.repeat(pa.scalar(text, pa.string()), rows)
    texts = pc.utf8_trim_whitespace(pc.fill_null(_legible(values.cast(pa.string()), column), ""))
    return _named(texts, columns.category_names) if column == "product_category" else texts


def _named(categories: pa.ChunkedArray, names: CategoryNames) -> pa.ChunkedArray:
    """`categories` with names in place of the numbers that have one."""
    if not names:
        return categories
    known = pc.index_in(categories, value_set=pa.array(list(names), pa.string()))
    return pc.coalesce(pa.array(list(names.values()), pa.string()).take(known), categories)


def _legible(values: pa.ChunkedArray, column: str) -> pa.ChunkedArray:
    """`values` in UTF-8, which not every writer of Parquet checks: one bad cell must not cost the other rows.

    What cannot be decoded is replaced; in a required column the cell is left empty, since half an id is another id.
    """
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        raw = values.cast(pa.list_(pa.binary()) if column in LISTS else pa.binary()).to_pylist()
        return pa.chunked_array([pa.array([_decoded(cell, column) for cell in raw], values.type)])
    return values


def _decoded(cell: bytes | list[bytes | None] | None, column: str) -> str | list[Any] | None:
    if cell is None:
        return None
    if isinstance(cell, list):
        return [_decoded(name, column) for name in cell]
    try:
        return cell.decode()
    except UnicodeDecodeError:
        return "" if column in REQUIRED else cell.decode(errors="replace")


def bad_cells(table: pa.Table, placements: Sequence[str]) -> dict[int, str]:
    """Row number -> what is wrong with it, for the rows of a normalised `table` that no work can start from."""
    wrong: dict[int, str] = {}
    for column in REQUIRED:
        for row in _where(pc.equal(table.column(column), "")):
            wrong.setdefault(row, f"column {column!r} is empty or not UTF-8")
    for column, known in (("placements", tuple(placements)), ("features", TASKS)):
        for row, name in _unknown_names(table.column(column), known):
            wrong.setdefault(row, f"column {column!r} holds {name!r}, which is not one of {known}")
    for row in _where(pc.less(table.column("seed"), 0)):
        wrong.setdefault(row, "column 'seed' is negative")
    return wrong


def _unknown_names(column: pa.ChunkedArray, known: tuple[str, ...]) -> Iterator[tuple[int, str | None]]:
    names = pc.list_flatten(column)
    if not len(names):
        return
    parents = pc.list_parent_indices(column)
    for index in _where(pc.invert(pc.is_in(names, value_set=pa.array(known, pa.string())))):
        yield parents[index].as_py(), names[index].as_py()


def _where(condition: pa.ChunkedArray | pa.Array) -> list[int]:
    """Where `condition` is true. Not Arrow's own `indices_nonzero`: pyarrow 25 crashes on a column without chunks."""
    values = condition.to_numpy(zero_copy_only=False)
    return [int(row) for row in np.flatnonzero(values == True)]  # noqa: E712 - null is neither


def product_of(row: Mapping[str, object], manifest_uri: str, number: int) -> Product:
    """The product of one normalised row (a mapping by `COLUMNS`); placements, seed and key are left to the plan."""
    texts: dict[str, Any] = {column: str(row[column]) for column in (*REQUIRED, *TEXTS)}
    return Product(manifest_uri=manifest_uri, row=number, **texts)
