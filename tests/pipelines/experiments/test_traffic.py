from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.experiments.traffic import count, read_traffic
from transforms.errors import TableError
from transforms.storage.store import open_store

COLUMNS: dict[str, list[object]] = {
    "arm": ["a", "b", "a", "b"],
    "product_id": ["p", "p", "q", "p"],
    "impressions": [100, 90, 10, 5],
    "clicks": [10, 9, 1, 1],
    "long_clicks": [4, 3, 0, 0],
}


def table(**changes: list[object]) -> pa.Table:
    return pa.table({**COLUMNS, **changes})


def test_rows_of_one_product_arm_and_day_are_summed() -> None:
    traffic = count(table(), "a", "b")
    assert (traffic.days, traffic.products) == (("",), ("p", "q"))
    np.testing.assert_array_equal(traffic.impressions[0], [[100, 10], [95, 0]])
    np.testing.assert_array_equal(traffic.long_clicks[0], [[4, 0], [3, 0]])


def test_products_of_two_advertisers_and_days_are_kept_apart() -> None:
    traffic = count(table(advertiser_id=["x", "x", "y", "y"], day=["2", "1", "2", "1"]), "a", "b")
    assert traffic.products == ("x/p", "y/p", "y/q")
    assert traffic.days == ("1", "2")
    np.testing.assert_array_equal(traffic.clicks[0], [[0, 0, 0], [9, 1, 0]])


def test_days_keep_the_order_of_their_own_kind() -> None:
    for days in ([10, 9, 2, 1], [date(2026, 1, day) for day in (10, 9, 2, 1)]):
        traffic = count(table(day=list(days)), "a", "b")
        assert traffic.days == tuple(map(str, reversed(days)))
        np.testing.assert_array_equal(traffic.clicks.sum(axis=(1, 2)), [1, 1, 9, 10])


def test_ids_that_are_no_text_are_named() -> None:
    with pytest.raises(TableError, match="product_id"):
        count(table(product_id=[b"\xff", b"p", b"q", b"p"]), "a", "b")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clicks": [101, 9, 1, 1]}, "clicks > impressions in 1 rows, first in arm 'a', 'p'"),
        ({"long_clicks": [4, 10, 0, 0]}, "long_clicks > clicks"),
        ({"impressions": [-1, 90, 10, 5]}, "impressions < 0"),
        ({"clicks": [10, None, 1, 1]}, "column clicks: 1 cells are empty"),
        ({"clicks": [1.5, 1.0, 1.0, 1.0]}, "whole numbers expected, found double"),
        ({"arm": ["a", "a", "a", "c"]}, "no rows of arm 'b'; the table has 'a', 'c'"),
    ],
)
def test_a_table_that_cannot_be_right_is_refused_by_name(changes: dict[str, list[object]], message: str) -> None:
    with pytest.raises(TableError, match=message.replace("(", r"\(")):
        count(table(**changes), "a", "b")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(TableError, match="no column long_clicks"):
        count(table().drop_columns(["long_clicks"]), "a", "b")


def test_files_of_a_folder_are_read_as_one(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    for name in ("one", "two"):
        pq.write_table(table(), tmp_path / f"{name}.parquet")
    assert len(read_traffic(store, str(tmp_path))) == 8


def test_what_is_no_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("arm,product_id")
    store = open_store(str(tmp_path))
    with pytest.raises(TableError, match="not a Parquet file"):
        read_traffic(store, str(tmp_path / "x.parquet"))
    with pytest.raises(TableError, match="holds no"):
        read_traffic(store, str(tmp_path / "nothing"))
