"""What an advertiser takes away: every accepted creative once, under a name that the feed knows."""

import csv
import io
import zipfile
from pathlib import Path

import pytest

from pipelines.review.decisions import Decisions
from pipelines.review.delivery import accepted_rows, feed_rows, zip_chunks
from pipelines.review.judge import entry_of
from pipelines.review.runs import Row, Run
from transforms.errors import ObjectNotFound, StoreUnavailable


def lamps(run: Run) -> list[Row]:
    """Three photos of one product in one placement, and a product whose name looks like a number's."""
    lamp = next(row for row in run.rows if row["product_id"] == "lamp-1" and row["placement"] == "pmax_square")
    photos = [{**lamp, "creative_uri": f"photo-{number}"} for number in range(3)]
    return [photos[0], {**lamp, "placement": "pmax_square-2", "creative_uri": "other"}, *photos[1:]]


def test_the_feed_in_the_zip_names_every_creatives_own_file(run: Run) -> None:
    rows = lamps(run)
    data = b"".join(zip_chunks(rows, lambda row: row["creative_uri"].encode()))
    archive = zipfile.ZipFile(io.BytesIO(data))
    feed = list(csv.DictReader(io.StringIO(archive.read("delivery.csv").decode())))
    assert {entry["creative_uri"]: archive.read(entry["file"]).decode() for entry in feed} == {
        row["creative_uri"]: row["creative_uri"] for row in rows
    }
    assert len(set(archive.namelist())) == len(rows) + 1
    assert [entry["file"] for entry in feed] == [entry["file"] for entry in feed_rows(rows)]


def test_a_creative_that_is_gone_does_not_keep_the_others(run: Run) -> None:
    rows = lamps(run)

    def read(row: Row) -> bytes:
        if row["creative_uri"] == "photo-1":
            raise ObjectNotFound("photo-1")
        return str(row["creative_uri"]).encode()

    archive = zipfile.ZipFile(io.BytesIO(b"".join(zip_chunks(rows, read))))
    feed = list(csv.DictReader(io.StringIO(archive.read("delivery.csv").decode())))
    assert [archive.read(entry["file"]).decode() for entry in feed] == ["photo-0", "other", "photo-2"]
    assert "creatives/lamp-1/pmax_square-3.jpg" in archive.read("missing.txt").decode()


def test_a_store_that_does_not_answer_gives_no_zip_that_looks_whole(run: Run) -> None:
    def read(row: Row) -> bytes:
        raise StoreUnavailable("503")

    with pytest.raises(StoreUnavailable):
        list(zip_chunks(lamps(run), read))


def test_what_was_pruned_is_not_delivered_though_its_refusal_is_undone(run: Run, tmp_path: Path) -> None:
    row, store = lamps(run)[0], Decisions(tmp_path / "d.sqlite")
    entry = entry_of(row)
    store.record("accept", "ann", "1", [entry])
    batch = store.record("refuse", "ann", "1", [entry])
    store.record("prune", "olga", "1", [entry])
    store.undo(batch, "ann", "acme")
    assert accepted_rows([row], store.rows()) == []
