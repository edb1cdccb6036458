"""What is read of a finished run of scenes: feeds, the report, metrics, the review and its decisions, comparisons."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from nights import Row, write_run
from PIL import Image
from playwright.sync_api import Page
from prometheus_client.parser import text_string_to_metric_families
from reviews import ready
from scene_nights import Night, row

from pipelines.audit import enhanced_rows
from pipelines.compare.__main__ import main as compare
from pipelines.delivered import DELIVERED_SCENES
from pipelines.report.summary import RunFacts
from pipelines.review.build import build
from pipelines.review.delivery import feed_csv
from pipelines.review.items import details_of, list_items
from pipelines.review.pictures import PICTURES, Reader, prove
from pipelines.review.prune import unwanted
from pipelines.review.runs import read_run, slug_of
from pipelines.scenes.folders import Tables, read_tables
from pipelines.scenes.report import render_scenes, summarize_scenes, write_report
from transforms.ops.encode import CORE, decode_evidence
from transforms.storage.store import StoreConfig
from transforms.tally import Tally


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


def test_scenes_of_several_seeds_are_told_apart_by_them_in_the_list_the_details_and_the_feed(night: Night) -> None:
    night.feed(row("red"), row("blue"))
    night.run("1", seeds=(5, 2**62 + 1))
    run = read_run(f"{night.output}/scene_runs/1", StoreConfig())
    items = list_items(run.rows, run.placements)
    assert {item["t"] for item in items} == {"red, blue"}
    # a browser would round the second one as a number
    assert {(item["s"], item["d"]) for item in items} == {
        (place, seed) for place in ("wide", "tall") for seed in ("5", "4611686018427387905")
    }
    assert [details_of(row)["seed"] for row in run.rows] == [item["d"] for item in items]
    feed = list(csv.DictReader(StringIO(feed_csv(run.rows).decode())))
    assert [line["seed"] for line in feed] == [item["d"] for item in items]
    assert len({line["file"] for line in feed}) == 4
    built = build(run, str(night.folder / "site"), StoreConfig())
    assert (built.pages, built.missing) == (1, 0)
    assert len(list((night.folder / "site").rglob("proof/*.js"))) == 4
    night.run("2")
    alone = read_run(f"{night.output}/scene_runs/2", StoreConfig())
    assert not any("d" in item for item in list_items(alone.rows, alone.placements))


@pytest.mark.browser
def test_a_card_and_its_details_show_the_seed(night: Night, open_page: Callable[..., Page]) -> None:
    night.feed(row("red"))
    night.run("1", seeds=(5, 6))
    run = read_run(f"{night.output}/scene_runs/1", StoreConfig())
    build(run, str(night.folder / "site"), StoreConfig())
    page = ready(open_page((night.folder / "site" / slug_of("acme") / "index.html").as_uri()))
    slots = ["tall · seed 5", "tall · seed 6", "wide · seed 5", "wide · seed 6"]
    assert page.locator("#grid .slot").all_inner_texts() == slots
    page.fill("#filter-form [name=q]", "seed 6")
    assert page.locator("#grid .slot").all_inner_texts() == slots[1::2]
    page.click("#grid .picture >> nth=0")
    assert "tall · seed 6" in page.inner_text("#detail-title")
    assert page.locator(".others .slot").all_inner_texts() == slots


def test_metrics_count_scenes_by_reason_and_time_each_product_once(night: Night) -> None:
    night.feed(row("red"))
    night.run("1")
    night.feed(row("red"), row("blue", "new"), row("dark", "new"), row("gone", "bad"))
    night.run("2")
    folder, facts = f"{night.output}/scene_runs/2", RunFacts("2", "complete", "", wall_sec=30.0, price_per_hour=12.0)
    tables = read_tables(night.store, folder)
    write_report(night.store, folder, tables, summarize_scenes(tables, facts), facts, StoreConfig())
    samples = [
        sample
        for family in text_string_to_metric_families(Path(folder, "metrics.prom").read_text())
        for sample in family.samples
    ]
    assert all(sample.labels["kind"] == "scenes" for sample in samples)

    def values(name: str, *labels: str) -> dict[tuple[str, ...], float]:
        return {tuple(each.labels[label] for label in labels): each.value for each in samples if each.name == name}

    assert values("canvas_run_outcomes", "outcome", "reason", "placement") == {
        (*end, place): count
        for end, count in ((("enhanced", "ok"), 2), (("rejected", "not_found"), 1))
        for place in ("tall", "wide")
    }
    assert sum(values("canvas_run_decided", "outcome", "reason", "placement").values()) == 4
    assert values("canvas_run_cost") == {(): 0.1}
    timed = values("canvas_stage_duration_seconds_count", "stage")
    assert (timed["load",], timed["segment",], timed["background",], timed["write",]) == (3, 2, 2, 2)


def test_runs_of_scenes_are_compared_by_group_placement_and_seed(
    night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    night.feed(row("red"), row("blue"), row("dark", "hall"))
    night.run("1")
    night.decide("1", "refuse", "wide", reason="wrong_mood")
    night.feed(row("red"), row("gone"), row("dark", "hall"))
    night.run("2", seeds=(5, 7))
    one, two = (f"{night.output}/scene_runs/{run}" for run in "12")
    figures, page = (night.folder / f"compare.{kind}" for kind in ("json", "html"))
    assert compare([one, two, f"--json={figures}", f"--html={page}"]) == 0
    told = capsys.readouterr().out
    assert "4 in both, 4 new, 0 gone" in told and "2 x enhanced -> rejected: not_found" in told
    facts = json.loads(figures.read_text())
    assert facts["moved"][0]["example"] in ("tea · tall, seed 5", "tea · wide, seed 5")
    assert (facts["products"]["products"], facts["products"]["lost"]) == (2, 1)
    assert facts["creatives_changed"] == 1  # the hall's refused one; nothing is left of the other group's
    shown = page.read_text()
    assert "acme/hall · wide, seed 5" in shown and "4 scenes are in both runs" in shown and "Of 2 groups" in shown


def test_runs_that_have_nothing_in_common_are_no_comparison(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    night.feed(row("dark", "hall"))
    night.run("1", seeds=(5, 6))
    night.run("2", seeds=(7,))
    one, two = (f"{night.output}/scene_runs/{run}" for run in "12")
    job = write_run(night.folder / "job", "night", [Row("p")], side=32)
    for runs, message in (
        ([one, two], "the scenes have no seed in common (5, 6 and 7)\n  remedy: compare runs of the same --seeds"),
        ([one, str(job)], "some of the runs made scenes and some did not\n  remedy: compare runs of one kind"),
        ([one, f"{one}x"], "has no scenes.parquet and products.parquet\n  remedy: name a folder OUTPUT/scene_runs"),
    ):
        assert compare(runs) == 2
        assert message in capsys.readouterr().err
