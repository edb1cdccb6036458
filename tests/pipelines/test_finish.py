from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.finish import Finished, Folders, finish_run, write_delivery
from pipelines.replay import read_dead_letters, select
from pipelines.sources import cut_shards
from transforms.index import INDEX_SCHEMA, index_row
from transforms.ledger import LedgerWriter, parquet_bytes, read_index
from transforms.manifest import ColumnMap
from transforms.placements import PLACEMENTS
from transforms.plan import PlanConfig, Shard, _PlanShard
from transforms.records import Outcome
from transforms.run_work import Keyring
from transforms.storage.store import StoreConfig, open_store
from transforms.work import Work

PLACED = ("pinterest_standard", "pmax_square")
NOW = datetime(2026, 11, 1, tzinfo=UTC)


class Night:
    """An output folder, a manifest of three rows, and runs over it without images or servers."""

    def __init__(self, folder: Path) -> None:
        self.output, self.store = str(folder / "out"), open_store(str(folder))
        (folder / "a.jpg").write_bytes(b"image")
        table = pa.table(
            {
                "advertiser_id": ["acme", "acme", "b/c"],
                "product_id": ["one", "two", "three"],
                "image_uri": ["a.jpg"] * 3,
                "brand": ["x", "y", "z"],
            }
        )
        self.manifest = str(folder / "m.parquet")
        pq.write_table(table, self.manifest)
        self.minutes = 0

    def config(self, run_id: str) -> PlanConfig:
        return PlanConfig(self.output, run_id, ("background",), PLACED, tuple(PLACEMENTS.values()), "c")

    @property
    def shards(self) -> list[Shard]:
        return cut_shards([self.manifest], ColumnMap(), StoreConfig())

    def plan(self, run_id: str) -> list[Work]:
        planner = _PlanShard(self.config(run_id))
        planner.setup()
        return [work for shard in self.shards for work in planner.process(shard)]

    def decide(self, run_id: str, works: Sequence[Work], outcome: str = "enhanced", *, twice: bool = False) -> None:
        keyring = Keyring(dict(PLACEMENTS), "c", {}, "engine")
        writer = LedgerWriter(self.store, Folders(self.output, run_id).ledger)
        for work in works:
            for placement in work.product.placements:
                self.minutes += 1
                ended = Outcome(work.product, placement, outcome, "write", "ok", retryable=outcome == "failed")
                row = index_row(ended, run_id, keyring.plan_key(ended), NOW + timedelta(minutes=self.minutes))
                for _ in range(2 if twice else 1):
                    writer.add(row)
        writer.flush()

    def finish(self, run_id: str) -> Finished:
        return finish_run(Folders(self.output, run_id), self.shards, ColumnMap())

    def index(self, run_id: str) -> list[dict[str, object]]:
        return pa.concat_tables(read_index(self.store, Folders(self.output, run_id).run)).to_pylist()


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def test_every_row_and_placement_is_in_the_index_once(night: Night) -> None:
    night.decide("r1", night.plan("r1"), twice=True)
    assert night.finish("r1") == Finished({"enhanced": 6}, 0, 0)
    keys = [(row["manifest_row"], row["placement"]) for row in night.index("r1")]
    assert keys == [(row, placement) for row in range(3) for placement in PLACED]


def test_a_second_run_has_nothing_to_do_and_the_same_index(night: Night) -> None:
    night.decide("r1", night.plan("r1"))
    night.finish("r1")
    assert night.plan("r2") == []
    assert night.finish("r2") == Finished({"enhanced": 6}, 6, 0)
    rows = night.index("r2")
    assert {row["decided_in_run"] for row in rows} == {"r1"}
    assert {row["run_id"] for row in rows} == {"r2"}
    assert [row["product_id"] for row in rows] == ["one", "one", "two", "two", "three", "three"]


def test_a_killed_run_is_resumed_where_it_ended(night: Night) -> None:
    works = night.plan("r1")
    night.decide("r1", works[:1])
    rest = night.plan("r2")
    assert [work.product.product_id for work in rest] == ["two", "three"]
    night.decide("r2", rest)
    assert night.finish("r2") == Finished({"enhanced": 6}, 2, 0)


def test_what_was_not_reached_is_pending(night: Night) -> None:
    night.decide("r1", night.plan("r1")[:1])
    assert night.finish("r1") == Finished({"enhanced": 2}, 0, 4)


def test_a_retried_failure_leaves_one_row_with_the_later_outcome(night: Night) -> None:
    night.decide("r1", night.plan("r1"), "failed")
    night.finish("r1")
    night.decide("r2", night.plan("r2"))
    assert night.finish("r2") == Finished({"enhanced": 6}, 0, 0)


def test_a_moved_manifest_row_is_carried_to_its_new_place(night: Night, tmp_path: Path) -> None:
    night.decide("r1", night.plan("r1"))
    night.finish("r1")
    table = pq.read_table(night.manifest)
    pq.write_table(table.take([2, 0, 1]), night.manifest)
    assert night.plan("r2") == []
    night.finish("r2")
    assert [row["product_id"] for row in night.index("r2")][::2] == ["three", "one", "two"]


def test_a_ledger_of_an_earlier_version_does_not_stop_a_run_that_needs_none_of_it(night: Night) -> None:
    night.decide("r1", night.plan("r1"))
    night.finish("r1")
    rows = pa.concat_tables(read_index(night.store, Folders(night.output, "r1").run))
    keys = pa.array([f"{number:032x}" for number in range(len(rows))])
    earlier = rows.set_column(rows.schema.get_field_index("plan_key"), INDEX_SCHEMA.field("plan_key"), keys)
    night.store.write(f"{night.output}/ledger/r0/part-0.parquet", parquet_bytes(earlier.drop_columns(["painter"])))
    assert night.plan("r2") == []
    assert night.finish("r2") == Finished({"enhanced": 6}, 6, 0)


def test_two_equal_rows_are_both_in_the_index(night: Night) -> None:
    table = pq.read_table(night.manifest)
    pq.write_table(table.take([0, 0]), night.manifest)
    night.decide("r1", night.plan("r1")[:1])
    night.finish("r1")
    assert night.plan("r2") == []
    assert night.finish("r2").pending == 0
    assert [row["manifest_row"] for row in night.index("r2")] == [0, 0, 1, 1]


def test_dead_letters_are_a_manifest_with_reasons(night: Night, tmp_path: Path) -> None:
    works = night.plan("r1")
    night.decide("r1", works[:2])
    night.decide("r1", works[2:], "failed")
    night.finish("r1")
    letters = read_dead_letters(Folders(night.output, "r1").run, night.store)
    (row,) = letters.to_pylist()
    assert (row["advertiser_id"], row["product_id"], row["brand"]) == ("b/c", "three", "z")
    assert row["image_uri"] == str(tmp_path / "a.jpg")
    assert row["placements"] == list(PLACED)
    assert (row["stage"], row["manifest_row"]) == ("write", 2)
    pq.write_table(letters, tmp_path / "replay.parquet")
    assert cut_shards([str(tmp_path / "replay.parquet")], ColumnMap(), StoreConfig())[0].rows == 1
    assert len(select(letters, ["write"], ["ok"])) == 1
    assert len(select(letters, ["load"])) == 0


@pytest.mark.parametrize("left", ["reordered", "shorter", "another table", "no table", "nothing"])
def test_dead_letters_name_the_rows_that_failed_whatever_became_of_the_manifest_meanwhile(
    night: Night, tmp_path: Path, left: str
) -> None:
    night.decide("r1", night.plan("r1"), "failed")
    shards, path, table = night.shards, Path(night.manifest), pq.read_table(night.manifest)
    path.unlink()
    if left in ("reordered", "shorter"):
        pq.write_table(table.take([2, 0, 1] if left == "reordered" else [2]), path)
    elif left == "another table":
        pq.write_table(pa.table({"x": [1, 2, 3]}), path)
    elif left == "no table":
        path.write_bytes(b"no table")
    finish_run(Folders(night.output, "r1"), shards, ColumnMap())
    letters = read_dead_letters(Folders(night.output, "r1").run, night.store).to_pylist()
    assert [(row["manifest_row"], row["product_id"]) for row in letters] == [(0, "one"), (1, "two"), (2, "three")]
    assert {row["image_uri"] for row in letters} == {str(tmp_path / "a.jpg")}
    assert {tuple(row["placements"]) for row in letters} == {PLACED}


def test_a_replay_has_the_keys_of_the_night(night: Night, tmp_path: Path) -> None:
    night.decide("r1", night.plan("r1"), "failed")
    night.finish("r1")
    before = {work.product.plan_key for work in night.plan("r2")}
    pq.write_table(read_dead_letters(Folders(night.output, "r1").run, night.store), tmp_path / "replay.parquet")
    night.manifest = str(tmp_path / "replay.parquet")
    assert {work.product.plan_key for work in night.plan("r3")} == before


def test_every_advertiser_has_a_delivery_table(night: Night) -> None:
    night.decide("r1", night.plan("r1"))
    night.finish("r1")
    folder = Path(Folders(night.output, "r1").run) / "delivery"
    assert sorted(path.name for path in folder.iterdir()) == ["acme.parquet", "b%2Fc.parquet"]
    assert pq.read_table(folder / "acme.parquet").num_rows == 4


def test_equal_rows_give_a_feed_their_creative_once(night: Night) -> None:
    table = pq.read_table(night.manifest)
    pq.write_table(table.take([0, 0]), night.manifest)
    night.decide("r1", night.plan("r1"))
    night.finish("r1")
    rows = [{**row, "creative_uri": f"{row['placement']}.jpg"} for row in night.index("r1")]
    write_delivery(night.store, night.output, pa.Table.from_pylist(rows, schema=INDEX_SCHEMA))
    delivered = pq.read_table(f"{night.output}/delivery/acme.parquet").column("placement").to_pylist()
    assert (len(rows), sorted(delivered)) == (4, sorted(PLACED))


def test_delivery_tables_stay_in_their_folder_whatever_an_advertiser_is_called(night: Night, tmp_path: Path) -> None:
    night.decide("r1", night.plan("r1"))
    night.finish("r1")
    names = ("acme", "b/c", "a b", "../../../up")
    rows = [{**night.index("r1")[0], "advertiser_id": name, "creative_uri": name} for name in names]
    run = (tmp_path / "file out" / "runs" / "r1").as_uri()
    write_delivery(night.store, run, pa.Table.from_pylist(rows, schema=INDEX_SCHEMA))
    left = sorted(path.relative_to(tmp_path).as_posix() for path in (tmp_path / "file out").rglob("*.parquet"))
    folder = "file out/runs/r1/delivery"
    assert left == [f"{folder}/{name}.parquet" for name in ("..%2F..%2F..%2Fup", "a%20b", "acme", "b%2Fc")]


def test_two_photos_of_a_product_are_told_apart_in_its_delivery_table(night: Night) -> None:
    night.decide("r1", night.plan("r1"))
    night.finish("r1")
    row = {**next(row for row in night.index("r1") if row["advertiser_id"] == "acme"), "creative_uri": "one.jpg"}
    rows = [row, {**row, "creative_uri": "two.jpg", "image_uri": "/in/other.jpg"}]
    write_delivery(night.store, night.output, pa.Table.from_pylist(rows, schema=INDEX_SCHEMA))
    delivered = pq.read_table(f"{night.output}/delivery/acme.parquet").column("image_uri").to_pylist()
    assert delivered == [row["image_uri"], "/in/other.jpg"]


def test_finishing_twice_changes_nothing(night: Night) -> None:
    night.decide("r1", night.plan("r1"))
    assert night.finish("r1") == night.finish("r1")


def test_a_run_that_is_begun_again_under_its_own_id_counts_every_row_once(night: Night) -> None:
    night.decide("a", night.plan("a")[:2])
    night.decide("a", night.plan("a"))
    assert night.finish("a") == Finished({"enhanced": 6}, 0, 0)
    assert len({(row["manifest_row"], row["placement"]) for row in night.index("a")}) == len(night.index("a")) == 6


def test_a_run_that_is_begun_again_with_fewer_rows_answers_for_those_alone(night: Night) -> None:
    night.decide("a", night.plan("a"), "failed")
    night.decide("a", night.plan("a")[2:])
    night.finish("a")
    folder = Path(Folders(night.output, "a").run)
    assert (folder / "delivery" / "b%2Fc.parquet").exists()
    table = pq.read_table(night.manifest)
    night.manifest = night.manifest.replace("m.parquet", "fewer.parquet")
    pq.write_table(table.take([0]), night.manifest)
    night.decide("a", night.plan("a"))
    assert night.finish("a") == Finished({"enhanced": 2}, 0, 0)
    assert {row["product_id"] for row in night.index("a")} == {"one"}
    assert [path.name for path in (folder / "delivery").iterdir()] == ["acme.parquet"]


def test_the_parts_of_a_longer_index_do_not_outlive_it(night: Night) -> None:
    night.decide("a", night.plan("a"))
    left = f"{Folders(night.output, 'a').run}/index/part-00001.parquet"
    night.store.write(left, parquet_bytes(INDEX_SCHEMA.empty_table()))
    night.finish("a")
    assert night.store.stat(left) is None
    assert len(night.index("a")) == 6


def test_limit_counts_rows_over_files(tmp_path: Path) -> None:
    for name in "ab":
        table = pa.table({"advertiser_id": ["x"] * 5, "product_id": ["y"] * 5, "image_uri": ["z"] * 5})
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=2)
    files = [str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")]
    assert [shard.rows for shard in cut_shards(files, ColumnMap(), StoreConfig(), 7)] == [5, 2]
    assert sum(shard.rows for shard in cut_shards(files, ColumnMap(), StoreConfig())) == 10


def test_signed_references_reach_no_table(night: Night) -> None:
    signed = "https://h.example/a.jpg?X-Amz-Signature=hunter2"
    table = pa.table({"advertiser_id": ["a"], "product_id": ["p"], "image_uri": [signed]})
    pq.write_table(table, night.manifest)
    night.decide("r1", night.plan("r1"), "failed")
    night.finish("r1")
    for path in Path(night.output).rglob("*.parquet"):
        assert "hunter2" not in str(pq.read_table(path).to_pylist()), path
