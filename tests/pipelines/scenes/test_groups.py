"""Which rows of a manifest make a scene, and which groups cannot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from feeds import write_feed, write_product

from pipelines.scenes.groups import Columns, Group, check_columns, check_group, read_groups
from pipelines.sources import cut_shards
from transforms.decisions import DECISION_SCHEMA
from transforms.errors import GroupError, ManifestError, Skipped
from transforms.ledger import parquet_bytes
from transforms.manifest import ColumnMap
from transforms.placements import PLACEMENTS
from transforms.plan import PlanConfig
from transforms.records import Job, Product
from transforms.storage.store import StoreConfig
from transforms.work import run_steps

TABLE = tuple(PLACEMENTS.values())


def row(product: str, group: str | None, **more: Any) -> dict[str, Any]:
    return {"advertiser_id": "acme", "product_id": product, "image_uri": "a.png", "scene_group": group, **more}


def read(
    tmp_path: Path, rows: Sequence[dict[str, Any]], prompt: str = "", **config: Any
) -> tuple[list[Group], list[Product]]:
    manifest = str(write_feed(tmp_path, rows))
    plan = PlanConfig(str(tmp_path), "1", ("background",), ("pmax_square", "meta_stories"), TABLE, "0" * 32, **config)
    columns = Columns("scene_group", "height" if "height" in rows[0] else "")
    return read_groups(cut_shards([manifest], ColumnMap(), StoreConfig()), columns, plan, prompt)


def test_rows_of_one_advertiser_and_value_make_a_group_and_rows_without_one_are_loose(tmp_path: Path) -> None:
    write_product(tmp_path / "a.png", (200, 40, 40))
    rows = [row("1", "tea"), row("2", None), row("3", " tea ", height=12.0), row("4", "tea"), row("5", "")]
    rows[3]["advertiser_id"] = "other"
    groups, loose = read(tmp_path, [{**rows[0], "height": 30.0}, *rows[1:]])
    found = {(group.advertiser_id, group.name): [product.product_id for product in group.products] for group in groups}
    assert found == {("acme", "tea"): ["1", "3"], ("other", "tea"): ["4"]}
    assert [product.product_id for product in loose] == ["2", "5"]
    assert [(member.height, member.known) for member in groups[0].members] == [(30.0, True), (12.0, True)]


def test_a_scene_is_made_where_all_its_rows_want_it_and_in_the_words_of_the_first_that_has_any(tmp_path: Path) -> None:
    rows = [row("1", "a", placements=None, prompt=None), row("2", "a", placements=["pmax_square"], prompt="teal")]
    rows += [row("3", "b", placements=["pmax_landscape"]), row("4", "b"), row("5", "c")]
    (first, second, third), _ = read(tmp_path, rows, prompt="oak floor")
    config = PlanConfig("", "1", (), ("pmax_square", "meta_stories"), TABLE, "")
    assert (first.placements(config), first.prompt) == (("pmax_square",), "teal")
    assert (third.placements(config), third.prompt) == (("pmax_square", "meta_stories"), "oak floor")
    with pytest.raises(Skipped, match="no placement that all rows ask for"):
        check_group(second, second.placements(config))


def test_too_many_products_and_one_twice_are_refused_by_name(tmp_path: Path) -> None:
    groups, _ = read(
        tmp_path, [row(str(number), "crowd") for number in range(9)] + [row("1", "pair"), row("1", "pair")]
    )
    with pytest.raises(GroupError, match="'crowd' of 'acme' holds 9 products, a scene takes 1 to 8"):
        check_group(groups[0], ("pmax_square",))
    with pytest.raises(GroupError, match=r"'pair' .* holds product '1' twice: .* row 9 and .* row 10"):
        check_group(groups[1], ("pmax_square",))


def test_what_hangs_does_not_go_with_what_stands_unless_words_say_so(tmp_path: Path) -> None:
    rows = [row("clock", "hall", title="Wall clock"), row("bench", "hall", title="Oak bench")]
    (hall,), _ = read(tmp_path, rows)
    with pytest.raises(Skipped, match=r"hung: clock; standing: bench"):
        check_group(hall, ("pmax_square",))
    (hall,), _ = read(tmp_path, rows, prompt="standing on an oak floor")
    check_group(hall, ("pmax_square",))
    assert hall.pose == "standing"


def test_an_opt_out_ends_the_row_and_no_other_decision_counts(tmp_path: Path) -> None:
    said = [("opt_out", "1", None), ("refuse", "2", "pmax_square"), ("withdraw", "2", "meta_stories")]
    rows = [
        dict.fromkeys(DECISION_SCHEMA.names)
        | {"decision_id": at, "batch": "b", "decided_at": 0, "decided_by": "ann", "action": action, "run_id": "r",
           "advertiser_id": "acme", "product_id": product, "placement": placement, "image_uri": str(tmp_path / "a.png")}
        for at, (action, product, placement) in enumerate(said)
    ]  # fmt: skip
    path = tmp_path / "decisions.parquet"
    path.write_bytes(parquet_bytes(pa.Table.from_pylist(rows, schema=DECISION_SCHEMA)))
    (group,), _ = read(tmp_path, [row("1", "a"), row("2", "a")], decisions=str(path))
    ends = [run_steps(Job(member.product), member.work.steps).cause for member in group.members]
    assert [getattr(end, "reason", None) for end in ends] == ["opted_out", None]


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        (Columns("room"), r"--group_column: the file has no column 'room'; it has advertiser_id, scene_group, weight"),
        (Columns("weight"), r"--group_column: column 'weight' has type double, expected string"),
        (Columns("scene_group", "tall"), r"--height_column: the file has no column 'tall'; it has"),
        (Columns("scene_group", "advertiser_id"), r"--height_column: column 'advertiser_id' has type string, expected"),
    ],
)
def test_a_column_that_is_missing_or_of_another_kind_is_named_with_those_that_exist(
    columns: Columns, match: str
) -> None:
    schema = pa.schema([("advertiser_id", pa.string()), ("scene_group", pa.int64()), ("weight", pa.float64())])
    check_columns(schema, Columns("scene_group", "weight"), "m.parquet")
    with pytest.raises(ManifestError, match=match):
        check_columns(schema, columns, "m.parquet")


def test_a_height_that_is_no_number_is_an_empty_cell(tmp_path: Path) -> None:
    groups, _ = read(tmp_path, [row("1", "a", height=1.0), row("2", "a", height=float("nan"))])
    assert [member.height for member in groups[0].members] == [1.0, None]


def test_groups_whose_names_are_not_utf8_are_groups_of_their_own(tmp_path: Path) -> None:
    cells = pa.array([b"tea\xff", b"tea\xff", b"tea\xfe", b" "], pa.binary())
    names = pa.Array.from_buffers(pa.string(), len(cells), cells.buffers())
    table = pa.Table.from_pylist([row(str(number), None) for number in range(4)])
    table = table.set_column(table.schema.get_field_index("scene_group"), "scene_group", names)
    path = tmp_path / "m.parquet"
    path.write_bytes(parquet_bytes(table))
    plan = PlanConfig(str(tmp_path), "1", ("background",), ("pmax_square",), TABLE, "0" * 32)
    shards = cut_shards([str(path)], ColumnMap(), StoreConfig())
    groups, loose = read_groups(shards, Columns("scene_group"), plan)
    assert [(group.name, len(group.members)) for group in groups] == [("tea\\xff", 2), ("tea\\xfe", 1)]
    assert [product.product_id for product in loose] == ["3"]


def test_a_height_that_is_none_is_refused_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"row 1: the height -2.0 is no positive number"):
        read(tmp_path, [row("1", "a", height=1.0), row("2", "a", height=-2.0)])
