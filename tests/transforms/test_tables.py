"""Tables that were written by somebody else."""

import random
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.errors import TableError
from transforms.tables import read_table


def written() -> bytes:
    sink = BytesIO()
    pq.write_table(pa.table({"name": [f"lamp {number}" for number in range(500)], "count": range(500)}), sink)
    return sink.getvalue()


def test_a_whole_file_is_read_by_its_columns() -> None:
    assert read_table(written(), "x").column_names == ["name", "count"]
    assert read_table(written(), "x", ["count"]).column_names == ["count"]


def test_whatever_is_damaged_is_refused_by_name() -> None:
    noise, refused = random.Random(1), 0
    for _ in range(300):
        data = bytearray(written())
        data[noise.randrange(len(data))] ^= 1 + noise.randrange(255)
        try:
            read_table(bytes(data[: noise.choice([len(data), len(data) // 2])]), "night.parquet")
        except TableError as error:
            refused += 1
            assert str(error).startswith("night.parquet") and "\n" not in str(error)
    assert refused > 150


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(TableError, match="label"):
        read_table(written(), "x", ["label"])
