"""What becomes of groups: every scene and every row ends once, and a re-run does only what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from feeds import write_product
from PIL import Image
from scene_nights import Night, row

from pipelines.scenes.earlier import Earlier
from pipelines.scenes.run import Maker
from transforms.errors import ServerUnavailable, StoreFull
from transforms.inference.fake import FakeClient
from transforms.ops.encode import CORE, decode_evidence
from transforms.ops.geometry import lay, resample
from transforms.records import Job, Size, Transform
from transforms.work import Step


def test_a_group_becomes_a_scene_for_each_placement_and_seed_with_every_product_proven(night: Night) -> None:
    night.feed(row("red"), row("blue"), row("dark", None))
    night.run("1", seeds=(5, 6))
    scenes, products = night.table("1", "scenes"), night.table("1", "products")
    assert [(scene["placement"], scene["seed"], scene["outcome"]) for scene in scenes] == [
        ("tall", 5, "enhanced"), ("tall", 6, "enhanced"), ("wide", 5, "enhanced"), ("wide", 6, "enhanced"),
    ]  # fmt: skip
    assert len({scene["creative_digest"] for scene in scenes}) == 4
    assert all(scene["product_ids"] == ["red", "blue"] and scene["prompt"].startswith("pale blue") for scene in scenes)
    assert all(dict(scene["scores"])["product_pixels_differing"] == 0 for scene in scenes)
    ends = {
        (product["product_id"], product["placement"], product["outcome"], product["reason"]) for product in products
    }
    assert ("dark", None, "skipped", "no_group") in ends and len(products) == 9
    for product in products:
        if product["outcome"] == "enhanced":
            assert_untouched(product, night.folder)


def assert_untouched(product: dict[str, Any], folder: Path) -> None:
    """The evidence's core shows the source under the recorded transform, as far as JPEG keeps it."""
    core = decode_evidence(Path(product["evidence_uri"]).read_bytes()) == CORE
    source = np.asarray(Image.open(folder / f"{product['product_id']}.png").convert("RGB"))
    names = ("height", "width", "top", "left")
    height, width, top, left = (product[f"transform_{name}"] for name in names)
    how = Transform(product["transform_scale"], Size(height, width), top, left, product["transform_kernel"])
    expected, _ = lay(resample(source, how.scaled), how, Size(*core.shape))
    shown = np.asarray(Image.open(product["creative_uri"]))
    assert core.sum() > 500 and np.abs(shown[core].astype(int) - expected[core]).mean() < 4
    assert dict(product["scores"])["product_pixels_differing"] == 0


def test_a_second_run_takes_everything_over_and_another_seed_or_picture_is_made(night: Night) -> None:
    night.feed(row("red"), row("blue"))
    first = night.run("1")
    painted = night.painted
    assert [each.scene["decided_in_run"] for each in night.run("2")] == ["1", "1"] and night.painted == painted
    assert [row["run_id"] for row in night.table("2", "products")] == ["2"] * 4
    # the same bytes with another time are loaded, and found by what they hold
    write_product(night.folder / "red.png", (190, 50, 40), size=(120, 80))
    third = night.run("3", seeds=(5, 8))
    assert night.painted == painted + 2
    kept = {each.scene["creative_uri"] for each in third if each.scene["decided_in_run"] == "1"}
    assert kept == {each.scene["creative_uri"] for each in first}
    write_product(night.folder / "red.png", (80, 150, 60), size=(120, 80))
    assert {each.scene["decided_in_run"] for each in night.run("4")} == {"4"}


def test_what_a_killed_run_decided_is_found_in_its_parts(night: Night) -> None:
    night.feed(row("red"))
    night.run("1", finished=False)
    night.feed(row("red"), row("blue", "coffee"))
    found = night.run("2")
    assert sorted(each.scene["decided_in_run"] for each in found) == ["1", "1", "2", "2"]
    assert len(list((night.folder / "out" / "scenes").rglob("*.jpg"))) == 4


@pytest.mark.parametrize("finished", [True, False], ids=["finished", "killed"])
def test_what_a_run_decided_stays_known_where_it_is_begun_again_with_fewer_groups(night: Night, finished: bool) -> None:
    whole = row("red"), row("blue", "coffee"), row("dark", None)
    night.feed(*whole)
    night.run("1", finished=finished)
    painted = night.painted
    for _ in range(2):
        night.feed(row("red"))
        night.run("1")
        assert {scene["scene_group"] for scene in night.table("1", "scenes")} == {"tea"}
    night.feed(*whole)
    assert [each.scene["decided_in_run"] for each in night.run("2")] == ["1"] * 4
    assert night.painted == painted == 4 and len(night.table("2", "products")) == 5


@pytest.mark.parametrize(
    ("bad", "own", "reason", "stage"),
    [
        (row("gone"), "failed", "not_found", "load"),
        (row("blue", seed=-1), "failed", "bad_row", "plan"),
        (row("clear"), "rejected", "no_product", "segment"),
    ],
)
def test_a_product_that_is_not_fit_ends_its_scene_which_names_it(
    night: Night, bad: dict[str, Any], own: str, reason: str, stage: str
) -> None:
    write_product(night.folder / "clear.png", (90, 90, 90), size=(3, 3))
    night.feed(row("red", seed=None), bad)
    night.run("1")
    for scene in night.table("1", "scenes"):
        assert (scene["outcome"], scene["reason"], scene["stage"], scene["member"]) == (
            "rejected", reason, stage, bad["product_id"],
        )  # fmt: skip
        assert scene["detail"].startswith(f"product {bad['product_id']!r} (row 1): ") and not scene["creative_uri"]
        assert (scene["value"] is not None) == (own == "rejected")
    ends = [(product["product_id"], product["outcome"]) for product in night.table("1", "products")]
    assert ends == [("red", "rejected")] * 2 + [(bad["product_id"], own)] * 2
    assert not night.painted and not (night.folder / "out" / "scenes").exists()


def test_a_server_that_is_down_fails_the_scene_and_the_next_run_makes_it(night: Night) -> None:
    def down(_: Any) -> Any:
        raise ServerUnavailable("no answer")

    night.feed(row("red"), row("blue"))
    night.client = FakeClient({"studio": down})
    found = night.run("1")
    assert {(each.scene["outcome"], each.scene["stage"], each.scene["retryable"]) for each in found} == {
        ("failed", "background", True)
    }
    night.client = FakeClient()
    assert {each.scene["outcome"] for each in night.run("2")} == {"enhanced"}


def test_a_product_beyond_a_limit_in_the_picture_is_named_with_value_and_limit(night: Night) -> None:
    night.feed(*(row(f"p{number}", image="blue.png") for number in range(8)))
    found = {each.scene["placement"]: each.scene for each in night.run("1")}
    small = found["tall"]
    assert (small["outcome"], small["stage"], small["reason"], small["member"]) == (
        "rejected", "verify", "product_too_small", "p0",
    )  # fmt: skip
    assert small["value"] < small["limit"] == 0.08
    assert dict(small["scores"])["product_pixels_differing"] == 0


@pytest.mark.parametrize("fault", ["twice", "crowd"])
def test_a_group_that_cannot_be_a_scene_fails_before_anything_is_loaded(night: Night, fault: str) -> None:
    rows = [row("red"), row("red")] if fault == "twice" else [row(f"p{at}", image="red.png") for at in range(9)]
    night.feed(*rows)
    found = night.run("1")
    assert {(each.scene["outcome"], each.scene["reason"]) for each in found} == {("failed", "bad_group")}
    assert len(night.table("1", "products")) == 2 * len(rows) and not night.client.requests


def test_a_defect_of_our_own_costs_its_scene_alone(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(job: Job) -> Job:
        raise ZeroDivisionError(job.product.product_id) if job.product.product_id == "red" else AssertionError

    plain: Callable[..., Maker] = night.maker
    monkeypatch.setattr(
        night, "maker", lambda *of: replace(plain(*of), row_steps=(*plain(*of).row_steps, Step("own", broken)))
    )
    night.feed(row("red"), row("blue"))
    assert {(each.scene["outcome"], each.scene["reason"]) for each in night.run("1")} == {("failed", "internal")}


def test_a_run_that_cannot_keep_what_it_decides_stops_and_makes_no_more(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreFull("no space")

    night.feed(*(row("red", f"group {number}") for number in range(12)))
    monkeypatch.setitem(Night.run.__globals__, "keep", full)
    with pytest.raises(StoreFull):
        night.run("1")
    assert night.painted < 12  # of 24: what was under way is finished, what waited is not begun


def test_groups_that_ask_at_once_all_find_what_was_decided(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    night.feed(*(row("red", f"group {number}") for number in range(6)))
    scenes = [each.scene for each in night.run("1")]
    earlier, read = Earlier(night.store, night.output), Earlier._read_products
    reads: list[int] = []

    def slow(self: Earlier) -> dict[str, Any]:
        reads.append(1)
        time.sleep(0.05)
        return read(self)

    monkeypatch.setattr(Earlier, "_read_products", slow)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda scene: earlier.of(plan_key=scene["plan_key"]), scenes))
    assert all(found) and len(reads) == 1
