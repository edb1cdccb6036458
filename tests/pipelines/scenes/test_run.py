"""What becomes of groups: every scene and every row ends once, and a re-run does only what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from feeds import write_feed, write_product
from PIL import Image

from pipelines.audit import enhanced_rows
from pipelines.config import Thresholds
from pipelines.finish import write_delivery
from pipelines.report.summary import RunFacts
from pipelines.review.decisions import Decisions
from pipelines.review.judge import entries_for
from pipelines.review.pictures import PICTURES, Reader, prove
from pipelines.review.prune import unwanted
from pipelines.review.runs import read_run
from pipelines.scenes.earlier import Earlier, finish, keep
from pipelines.scenes.folders import Tables
from pipelines.scenes.groups import Columns, read_groups
from pipelines.scenes.make import Target, steps_of
from pipelines.scenes.report import render_scenes, summarize_scenes
from pipelines.scenes.run import Maker, decide_all
from pipelines.scenes.tables import DELIVERED_SCENES, Decided, loose_row
from pipelines.sources import cut_shards
from transforms.budget import ByteBudget
from transforms.decisions import of_scenes, wishes_of
from transforms.errors import ServerUnavailable, StoreFull
from transforms.inference.fake import FakeClient
from transforms.load import load_job
from transforms.manifest import ColumnMap
from transforms.ops.decode import DecodeLimits
from transforms.ops.encode import CORE, decode_evidence
from transforms.ops.geometry import lay, resample
from transforms.placements import Placement
from transforms.plan import PlanConfig
from transforms.records import Job, Size, Transform
from transforms.segment import SegmentLimits, segment
from transforms.sources.allow import SourcePolicy
from transforms.storage.store import StoreConfig, open_store
from transforms.tally import Tally
from transforms.work import Step

TABLE = (Placement("wide", Size(160, 320)), Placement("tall", Size(320, 192)))
Table = list[dict[str, Any]]


class Night:
    """A folder with a feed and an output, and runs over it with served models that are faked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.client = folder, FakeClient()
        self.said = Decisions(folder / "decisions.sqlite")
        self.output = str(folder / "out")
        self.store = open_store(self.output, StoreConfig())

    def feed(self, *rows: Mapping[str, Any]) -> None:
        write_feed(self.folder, [{"advertiser_id": "acme", **row} for row in rows])

    def run(
        self, run_id: str, *, seeds: tuple[int, ...] = (5,), finished: bool = True, tally: Tally | None = None
    ) -> list[Decided]:
        plan = PlanConfig(self.output, run_id, ("background",), ("wide", "tall"), TABLE, "0" * 32)
        manifest = str(self.folder / "manifest.parquet")
        shards = cut_shards([manifest], ColumnMap(), StoreConfig())
        groups, loose = read_groups(shards, Columns("scene_group"), plan, "pale blue studio")
        tally, folder = tally or Tally(), f"{self.output}/scene_runs/{run_id}"

        def kept(found: Sequence[Decided]) -> None:
            keep(self.store, folder, found)

        earlier = Earlier(self.store, self.output)
        found = decide_all(
            groups, self.maker(plan, seeds), earlier, tally=tally, budget=ByteBudget(10**9), concurrency=1,
            kept=kept,
        )  # fmt: skip
        if finished:
            tables = finish(self.store, folder, found, [loose_row(product, "scene_group", run_id) for product in loose])
            write_delivery(self.store, folder, tables.scenes, DELIVERED_SCENES)
        return found

    def maker(self, plan: PlanConfig, seeds: tuple[int, ...]) -> Maker:
        load = partial(load_job, sources=SourcePolicy((str(self.folder),)), store=StoreConfig(), limits=DecodeLimits())
        steps = (
            Step("load", load),
            Step("eligibility", partial(replace, task="background")),
            Step("segment", partial(segment, client=self.client, limits=SegmentLimits())),
        )
        target = Target(self.output, StoreConfig())
        scene_steps, wishes = steps_of(self.client, Thresholds(), target), wishes_of(of_scenes(self.said.rows()))
        return Maker(plan, seeds, steps, scene_steps, {"studio": "d"}, "engine", wishes)

    def decide(self, run_id: str, action: str, placement: str, **asked: str) -> str:
        """A decision on a scene, as the review page records it."""
        rows = {row["item_id"]: row for row in read_run(f"{self.output}/scene_runs/{run_id}", StoreConfig()).rows}
        ids = [name for name, row in rows.items() if row["placement"] == placement]
        entries = entries_for({"action": action, "ids": ids, **asked}, rows, self.said.rows())
        return self.said.record(action, "ann", run_id, entries)

    @property
    def painted(self) -> int:
        return sum(model == "studio_upscale" for model, _ in self.client.requests)

    def table(self, run_id: str, name: str) -> Table:
        rows: Table = pq.read_table(f"{self.output}/scene_runs/{run_id}/{name}.parquet").to_pylist()
        return rows


@pytest.fixture
def night(tmp_path: Path) -> Night:
    for name, colour in (("red", (190, 50, 40)), ("blue", (30, 60, 150)), ("dark", (40, 50, 40))):
        write_product(tmp_path / f"{name}.png", colour, size=(120, 80) if name == "red" else (80, 140))
    return Night(tmp_path)


def row(product: str, group: str | None = "tea", image: str = "", **more: Any) -> dict[str, Any]:
    return {"product_id": product, "image_uri": image or f"{product}.png", "scene_group": group, **more}


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


def test_every_advertiser_is_delivered_its_scenes_again_each_night_also_where_one_is_stopped(night: Night) -> None:
    # the second one's name is a table's
    night.feed(row("red"), row("blue"), row("gone", "bad"), row("dark", advertiser_id="scenes"))
    night.run("1")
    stopped = Tally()
    stopped.stop("interrupted", "")
    night.run("2", tally=stopped)
    night.run("3")
    for run in "123":
        scenes = [scene for scene in night.table(run, "scenes") if scene["outcome"] == "enhanced"]
        for name in ("acme", "scenes"):
            expected = [
                {key: scene[key] for key in DELIVERED_SCENES} for scene in scenes if scene["advertiser_id"] == name
            ]
            assert night.table(run, f"delivery/{name}") == expected and len(expected) == 2
    assert expected[0]["product_ids"] == ["dark"] and expected[0]["creative_width"] == 192
    names = sorted(row["creative_uri"] for row in enhanced_rows(night.output, night.store).to_pylist())
    assert len(names) == 6  # the audit reads tables of products alone


def test_what_a_killed_run_decided_is_found_in_its_parts(night: Night) -> None:
    night.feed(row("red"))
    night.run("1", finished=False)
    night.feed(row("red"), row("blue", "coffee"))
    found = night.run("2")
    assert sorted(each.scene["decided_in_run"] for each in found) == ["1", "1", "2", "2"]
    assert len(list((night.folder / "out" / "scenes").rglob("*.jpg"))) == 4


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


def test_the_report_counts_scenes_and_names_who_ended_them_and_shows_every_product(night: Night) -> None:
    night.feed(row("red"), row("<b>blue</b>", image="blue.png"), row("gone", "bad"), row("dark", "bad"), row("x", None))
    night.run("1")
    facts = RunFacts("2", "complete", "", wall_sec=30.0, price_per_hour=12.0)
    night.feed(
        row("red"), row("<b>blue</b>", image="blue.png"), row("gone", "bad"), row("dark", "bad"), row("dark", "new")
    )
    night.run("2")
    tables = Tables(*(pq.read_table(f"{night.output}/scene_runs/2/{name}.parquet") for name in Tables._fields))
    summary = summarize_scenes(tables, facts)
    assert (summary["rows"], summary["groups"], summary["scenes"]) == (5, 3, 6)
    assert summary["outcomes"] == {"enhanced": 4, "rejected": 2} and summary["carried_from_earlier_runs"] == 2
    assert summary["placements"]["wide"] == {"enhanced": 2, "rejected": 1}
    (ended,) = summary["members"]
    assert (ended["member"], ended["reason"], ended["scenes"], ended["groups"]) == ("gone", "not_found", 2, ["bad"])
    assert summary["cost_per_enhanced"] == pytest.approx(0.05) and summary["product_pixels_differing"] == 0
    assert summary["latency_msec"]["load"]["count"] == 3 and summary["latency_msec"]["verify"]["count"] == 2
    page = render_scenes(tables, summary, StoreConfig())
    assert page.count("data:image/jpeg") == 4 + 6 + 2 and "<b>blue" not in page and 'src="http' not in page
    assert "made by run 1" in page and "not_found" in page
    nothing = Tables(tables.scenes.slice(0, 0), tables.products.slice(0, 0))
    assert "No scene was made" in render_scenes(nothing, summarize_scenes(nothing, facts), StoreConfig())


def test_a_refused_scene_is_painted_anew_a_withdrawn_one_stays_away_and_undone_ones_return(night: Night) -> None:
    # a product has the group's name: what is said of scenes is not said of it
    night.feed(row("tea", image="red.png"), row("blue"), row("dark", "hall"))
    first = {(each.scene["scene_group"], each.scene["placement"]): each.scene for each in night.run("1")}
    night.decide("1", "refuse", "wide", reason="wrong_mood")
    night.decide("1", "accept", "tall")
    withdrawn = night.decide("1", "withdraw", "tall")
    second = {(each.scene["scene_group"], each.scene["placement"]): each.scene for each in night.run("2")}
    for group in ("tea", "hall"):
        wide, tall = second[group, "wide"], second[group, "tall"]
        assert (wide["outcome"], wide["seed"], wide["decided_in_run"]) == ("enhanced", 5, "2")
        assert wide["content_key"] != first[group, "wide"]["content_key"]
        assert wide["candidate_seed"] != first[group, "wide"]["candidate_seed"]
        assert (tall["outcome"], tall["stage"], tall["reason"], tall["member"]) == (
            "skipped",
            "plan",
            "withdrawn",
            None,
        )
    painted = night.painted
    night.said.undo(withdrawn, "ann", "acme")
    third = {(each.scene["scene_group"], each.scene["placement"]): each.scene for each in night.run("3")}
    assert night.painted == painted and third["tea", "tall"]["creative_uri"] == first["tea", "tall"]["creative_uri"]
    assert third["tea", "wide"]["decided_in_run"] == "2"
    night.decide("3", "opt_out", "wide", scope="feature")
    assert {each.scene["reason"] for each in night.run("4")} == {"opted_out"} and night.painted == painted
    gone = [uri for item in unwanted(night.said.rows(), night.output, StoreConfig()) for uri in item.uris]
    assert len(gone) == 2 + 3 and sum(uri.endswith(".1.png") for uri in gone) == 1


def test_a_scene_is_reviewed_with_its_products_photos_and_proven_whole(night: Night) -> None:
    night.feed(row("red"), row("blue"))
    night.run("1")
    run, reader = read_run(f"{night.output}/scene_runs/1", StoreConfig()), Reader(StoreConfig())
    scene = run.rows[1]
    assert (run.output, scene["product_id"], scene["title"], scene["placement"]) == (
        night.output, "tea", "red, blue", "wide",
    )  # fmt: skip
    assert len({row["item_id"] for row in run.rows}) == 2
    proof, alone = prove(scene, reader), [prove(member, reader) for member in scene["members"]]
    assert proof.state == "proven" and proof.compared == sum(each.compared for each in alone)
    assert proof.compared + proof.blended + proof.kept + proof.painted == 160 * 320
    shown = {
        kind: np.asarray(Image.open(BytesIO(PICTURES[kind](scene, reader).data)).convert("RGBA"), int)
        for kind in ("before", "after", "small", "mask")
    }
    assert shown["small"].shape == shown["mask"].shape == (160, 320, 4)
    for member in scene["members"]:  # the slider moves over nothing but the surroundings
        core = decode_evidence(Path(member["evidence_uri"]).read_bytes()) == CORE
        assert np.abs(shown["before"][core] - shown["after"][core]).mean() < 5
