from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.decisions import NO_WISHES, Slot, Wishes
from transforms.errors import ManifestError, Skipped
from transforms.keys import digest_of, key_words, plan_key, row_keys
from transforms.ledger import SettledKeys
from transforms.manifest import ColumnMap, normalise
from transforms.placements import PLACEMENTS
from transforms.plan import PlanConfig, Shard, open_parquet, plan_table, with_resolved_uris
from transforms.records import TASKS
from transforms.storage.store import open_store

TABLE = tuple(PLACEMENTS.values())
CONFIG = PlanConfig("out", "night", ("background", "outpaint"), ("pinterest_standard", "pmax_square"), TABLE, "c")
SHARD = Shard("m.parquet", (0,), 100, 3)
NOTHING = SettledKeys(np.empty(0, np.uint64), np.empty(0, np.uint64))


def _table(rows: int = 3, **columns: list[object]) -> pa.Table:
    base = {"advertiser_id": ["a"] * rows, "product_id": [f"p{n}" for n in range(rows)], "image_uri": ["x"] * rows}
    return normalise(pa.table({**base, **columns}), ColumnMap())


def _settle(table: pa.Table, identities: list[str], rows: list[int], placement: str) -> SettledKeys:
    keys = row_keys(table, identities, CONFIG.config_digest)
    words = key_words([plan_key(keys[row], digest_of(PLACEMENTS[placement])) for row in rows])
    words = words[words[:, 0].argsort()]
    return SettledKeys(words[:, 0], words[:, 1])


def test_every_row_is_expected_in_every_placement_and_none_is_settled_at_first() -> None:
    planned = plan_table(_table(), SHARD, ["e"] * 3, NOTHING, CONFIG)
    assert [work.product.row for work in planned.works] == [100, 101, 102]
    assert all(work.product.placements == CONFIG.placements for work in planned.works)
    assert planned.expected.num_rows == 6
    assert not any(planned.expected.column("settled").to_pylist())


def test_only_what_is_missing_is_planned() -> None:
    table, identities = _table(), ["e", "f", "g"]
    settled = _settle(table, identities, [0, 2], "pmax_square")
    works = plan_table(table, SHARD, identities, settled, CONFIG).works
    assert [work.product.placements for work in works] == [
        ("pinterest_standard",),
        ("pinterest_standard", "pmax_square"),
        ("pinterest_standard",),
    ]


def test_a_row_that_is_settled_everywhere_is_no_work() -> None:
    table = _table(placements=[["pmax_square"], None, ["pmax_square"]])
    planned = plan_table(table, SHARD, ["e"] * 3, _settle(table, ["e"] * 3, [0, 2], "pmax_square"), CONFIG)
    assert [work.product.product_id for work in planned.works] == ["p1"]
    assert sum(planned.expected.column("settled").to_pylist()) == 2


@pytest.mark.parametrize("change", ["identity", "title", "config"])
def test_what_changed_is_planned_again(change: str) -> None:
    table = _table(title=["Chair"] * 3)
    settled = _settle(table, ["e"] * 3, [0, 1, 2], "pmax_square")
    changed = _table(title=["Sofa"] * 3) if change == "title" else table
    identities = ["other"] * 3 if change == "identity" else ["e"] * 3
    config = PlanConfig("out", "n", ("background",), ("pmax_square",), TABLE, "other" if change == "config" else "c")
    assert len(plan_table(changed, SHARD, identities, settled, config).works) == 3


def test_an_unknown_identity_is_never_settled() -> None:
    table = _table()
    settled = _settle(table, [""] * 3, [0, 1, 2], "pmax_square")
    config = PlanConfig("out", "n", ("background",), ("pmax_square",), TABLE, "c")
    assert len(plan_table(table, SHARD, [""] * 3, settled, config).works) == 3


def test_a_rows_own_lists_narrow_the_job() -> None:
    table = _table(placements=[["meta_stories"], None, []], features=[["background"], None, ["outpaint"]])
    works = plan_table(table, SHARD, ["e"] * 3, NOTHING, CONFIG).works
    assert [work.product.placements[0] for work in works] == [
        "meta_stories",
        "pinterest_standard",
        "pinterest_standard",
    ]
    assert [work.product.features for work in works] == [("background",), ("background", "outpaint"), ("outpaint",)]


def test_a_row_cannot_widen_the_job() -> None:
    config = PlanConfig("out", "n", ("background",), ("pmax_square",), TABLE, "c")
    works = plan_table(_table(1, features=[["outpaint"]]), SHARD, ["e"], NOTHING, config).works
    assert works[0].product.features == ()


def test_an_empty_list_of_features_narrows_nothing() -> None:
    assert plan_table(_table(1, features=[[]]), SHARD, ["e"], NOTHING, CONFIG).works[0].product.features == TASKS


def test_a_bad_row_becomes_a_work_that_fails_and_is_expected_once() -> None:
    planned = plan_table(_table(product_id=["p0", "", "p2"]), SHARD, ["e"] * 3, NOTHING, CONFIG)
    bad = next(work for work in planned.works if work.product.row == 101)
    with pytest.raises(ManifestError, match=r"m.parquet row 101: column 'product_id' is empty"):
        bad.steps[0].run(None)  # type: ignore[arg-type]
    rows = planned.expected.filter(pa.compute.equal(planned.expected.column("manifest_row"), 101))
    assert rows.column("placement").to_pylist() == [None]


def test_seeds_come_from_the_row_or_from_the_product() -> None:
    works = plan_table(_table(seed=[5, None, None]), SHARD, ["e"] * 3, NOTHING, CONFIG).works
    assert works[0].product.seed == 5 and [work.product.own_seed for work in works] == [True, False, False]
    assert works[1].product.seed != works[2].product.seed


def _keys(table: pa.Table, wishes: Wishes) -> dict[tuple[int, str], str]:
    expected = plan_table(table, SHARD, ["e"] * len(table), NOTHING, CONFIG, wishes).expected.to_pylist()
    return {(row["manifest_row"], row["placement"]): row["plan_key"] for row in expected}


def test_a_refused_creative_changes_the_seed_and_key_of_its_placement_alone() -> None:
    table = _table(seed=[5, 6, 7])
    wishes = Wishes(attempts={Slot("a", "p1", "pmax_square", "x"): 1})
    before, after = _keys(table, NO_WISHES), _keys(table, wishes)
    assert {place for place in before if before[place] != after[place]} == {(101, "pmax_square")}
    works = plan_table(table, SHARD, ["e"] * 3, NOTHING, CONFIG, wishes).works
    attempts = {(work.product.row, name): work.product.attempt for work in works for name in work.product.placements}
    assert {slot for slot, attempt in attempts.items() if attempt} == {(101, "pmax_square")}
    seeds = {(work.product.row, name): work.product.seed for work in works for name in work.product.placements}
    assert len(seeds) == 6
    assert seeds[101, "pinterest_standard"] == 6 and seeds[101, "pmax_square"] not in (5, 6, 7)
    again = Wishes(attempts={Slot("a", "p1", "pmax_square", "x"): 2})
    assert _keys(table, again)[101, "pmax_square"] not in (*before.values(), *after.values())


def test_works_end_under_the_key_that_was_expected_of_them() -> None:
    wishes = Wishes({Slot("a", "p1", "pmax_square", "x"): 1}, blocked={("a", "p0"): frozenset({"outpaint"})})
    planned = plan_table(_table(), SHARD, ["e"] * 3, NOTHING, CONFIG, wishes)
    found = {
        plan_key(work.product.plan_key, digest_of(PLACEMENTS[name]))
        for work in planned.works
        for name in work.product.placements
    }
    assert found == set(planned.expected.column("plan_key").to_pylist())


def test_opted_out_products_end_before_they_are_loaded_and_features_are_left_to_eligibility() -> None:
    wishes = Wishes(blocked={("a", "p0"): frozenset({"*"}), ("a", "p1"): frozenset({"outpaint"})})
    whole, part, other = plan_table(_table(), SHARD, ["e"] * 3, NOTHING, CONFIG, wishes).works
    with pytest.raises(Skipped, match="the advertiser opted out") as refusal:
        whole.steps[0].run(None)  # type: ignore[arg-type]
    assert refusal.value.reason == "opted_out" and whole.product.placements == CONFIG.placements
    assert part.product.opted_out == ("outpaint",) and not part.steps
    assert other.product.opted_out == ()


@pytest.mark.parametrize(("wishes", "reason"), [
    (Wishes(withdrawn=frozenset({Slot("a", "p0", "pmax_square", "x")})), "withdrawn"),
    (Wishes(attempts={Slot("a", "p0", "pmax_square", "x"): 9}), "refused"),
])  # fmt: skip
def test_a_place_that_is_given_up_is_skipped_with_its_reason(wishes: Wishes, reason: str) -> None:
    works = plan_table(_table(1), SHARD, ["e"], NOTHING, CONFIG, wishes).works
    (left,) = [work for work in works if work.product.placements == ("pmax_square",)]
    with pytest.raises(Skipped) as refusal:
        left.steps[0].run(None)  # type: ignore[arg-type]
    assert refusal.value.reason == reason


def test_relative_references_become_absolute() -> None:
    table = with_resolved_uris(_table(3, image_uri=["images/a.jpg", "/abs/b.jpg", "s3://b/c.jpg"]), "/feeds")
    assert table.column("image_uri").to_pylist() == ["/feeds/images/a.jpg", "/abs/b.jpg", "s3://b/c.jpg"]


def test_a_file_that_is_not_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.parquet").write_text("id,image\n1,a.jpg\n")
    with pytest.raises(ManifestError, match=r"m.parquet is not a Parquet file"):
        open_parquet(open_store("x"), str(tmp_path / "m.parquet"))


def test_a_local_file_is_read(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "m.parquet")
    assert open_parquet(open_store("x"), str(tmp_path / "m.parquet")).metadata.num_rows == 1
