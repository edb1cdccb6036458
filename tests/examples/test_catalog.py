from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from examples.catalog_rows import IMAGES, MISSING, SCHEMA, read_rows, write_expected, write_manifest
from examples.catalog_takes import TAKES

CATALOG = Path("examples/catalog")


def test_the_committed_manifest_is_the_one_the_table_gives(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.parquet")
    made = pq.read_table(tmp_path / "manifest.parquet")
    assert made.schema == SCHEMA
    assert made.equals(pq.read_table(CATALOG / "manifest.parquet"))


def test_every_image_exists_but_the_missing_one() -> None:
    named = {row["image"] for row in read_rows()}
    assert {image for image in named if not (CATALOG / "images" / image).exists()} == {MISSING}
    assert {path.name for path in (CATALOG / "images").iterdir()} == named - {MISSING}


def test_every_row_is_expected_to_end_somewhere(tmp_path: Path) -> None:
    write_expected(tmp_path / "expected.csv")
    with (tmp_path / "expected.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert (tmp_path / "expected.csv").read_bytes() == (CATALOG / "expected.csv").read_bytes()
    assert {row["outcome"] for row in rows} == {"enhanced", "skipped", "rejected", "failed"}
    assert sum(row["outcome"] == "enhanced" for row in rows) >= 14
    assert all(bool(row["reason"]) == (row["outcome"] != "enhanced") for row in rows)


def test_no_two_rows_are_the_same_product() -> None:
    keys = [(row["advertiser_id"], row["product_id"]) for row in read_rows()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("image", sorted(IMAGES))
def test_every_photograph_has_a_take(image: str) -> None:
    assert IMAGES[image][0] in TAKES
