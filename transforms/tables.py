"""Parquet tables that somebody else wrote: read whole, or refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.errors import TableError


def read_table(data: bytes, uri: str, columns: Iterable[str] | None = None) -> pa.Table:
    """The table of a Parquet file.

    Args:
        data: its bytes.
        uri: where they are from, for the message.
        columns: that are wanted; None for all.

    Raises:
        TableError: it is no such file, is damaged, or lacks a column.
    """
    with _named(uri):
        return pq.read_table(pa.BufferReader(data), columns=None if columns is None else list(columns))


def columns_of(data: bytes, uri: str) -> list[str]:
    """The columns of a Parquet file.

    Raises:
        TableError: it is no such file, or is damaged.
    """
    with _named(uri):
        return list(pq.read_schema(pa.BufferReader(data)).names)


@contextmanager
def _named(uri: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:  # a damaged page is an OSError
        why = str(error).partition("\n")[0]
        raise TableError(f"{uri}: not a Parquet file that can be read: {why}", remedy=_REMEDY) from error


_REMEDY = "restore the file, or name another; tables of an earlier version lack columns"
