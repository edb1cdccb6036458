"""What was decided on the page, read by the next night's run: the whole way, on the real server and real files."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw

from pipelines.embedded import EmbeddedServer
from pipelines.enhance import run as run_job
from pipelines.launch import ExitCode
from pipelines.review.commands import main
from pipelines.review.decisions import Decisions
from pipelines.review.judge import entries_for
from pipelines.review.runs import Row, Run, read_run
from transforms.storage.store import StoreConfig

pytestmark = pytest.mark.triton


def pot(color: str) -> Image.Image:
    """A shaded round pot on white, 800 pixels high."""
    mask = Image.new("L", (700, 800))
    draw = ImageDraw.Draw(mask)
    draw.rounded_rectangle((180, 260, 520, 700), 90, fill=255)
    light = np.linspace(1.25, 0.6, 700)[None, :, None] + np.random.default_rng(1).normal(0, 0.02, (800, 700, 1))
    paint = np.asarray(Image.new("RGB", (700, 800), color), np.float32)
    glazed = Image.fromarray(np.clip(paint * light, 0, 255).astype(np.uint8))
    return Image.composite(glazed, Image.new("RGB", (700, 800), "white"), mask)


class Nights:
    """An output that nights run into, and the decisions that are made between them."""

    def __init__(self, folder: Path, server: EmbeddedServer) -> None:
        self.feed, self.output, self.server = folder / "feed", folder / "out", server
        self.exported = folder / "decisions.parquet"
        self.feed.mkdir()
        names = ("blue", "red", "green")
        for name, color in zip(names, ("#205080", "#a03020", "#207040"), strict=True):
            pot(color).save(self.feed / f"{name}.jpg", quality=95)
        table = {
            "advertiser_id": ["acme", "acme", "zeta"],
            "product_id": list(names),
            "image_uri": [f"{name}.jpg" for name in names],
            "title": ["Pot"] * 3,
        }
        pq.write_table(pa.table(table), self.feed / "manifest.parquet")

    def run(self, name: str) -> Run:
        """A night's run, with the decisions exported so far."""
        more = [f"--decisions={self.exported}"] if self.exported.exists() else []
        code = run_job(
            [
                f"--manifest={self.feed / 'manifest.parquet'}", f"--output={self.output}", f"--run_id={name}",
                f"--triton={self.server.address}", "--features=background", "--placements=pmax_square,meta_feed_square",
                "--price_per_hour=3600", *more,
            ]
        )  # fmt: skip
        assert code == ExitCode.DONE
        return self.read(name)

    def read(self, name: str) -> Run:
        """A finished run."""
        return read_run(str(self.output / "runs" / name), StoreConfig())

    def decide(self, run: Run, product: str, placement: str | None, **asked: object) -> str:
        """A decision on a product's creatives, as the page records it, and its export as ads ops run it."""
        rows = {str(row["item_id"]): row for row in run.rows if row["product_id"] == product}
        ids = [name for name, row in rows.items() if placement in (None, row["placement"])]
        owner = next(iter(rows.values()))["advertiser_id"]
        store = Decisions(self.output / "review" / "decisions.sqlite")
        entries = entries_for({"ids": ids, **asked}, rows, store.rows(owner))
        batch = store.record(str(asked["action"]), "ann", run.run_id, entries)
        self.export(run)
        return batch

    def export(self, run: Run) -> None:
        """`export`, as on the command line."""
        assert main(["export", run.uri, "--to", str(self.exported)]) == 0


def by_place(run: Run) -> dict[tuple[str, str], Row]:
    """(product, placement) -> row."""
    return {(str(row["product_id"]), str(row["placement"])): row for row in run.rows}


@pytest.fixture(scope="module")
def nights(triton: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    return Nights(tmp_path_factory.mktemp("nights"), triton)


def test_decisions_change_the_next_run_where_they_were_made_and_nowhere_else(nights: Nights) -> None:
    first = nights.run("1")
    assert {row["outcome"] for row in first.rows} == {"enhanced"}
    was = by_place(first)
    nights.decide(first, "blue", "pmax_square", action="refuse", reason="wrong_mood")
    nights.decide(first, "blue", "meta_feed_square", action="accept")
    nights.decide(first, "red", None, action="opt_out", scope="product")
    second = nights.run("2")
    now = by_place(second)

    again = now["blue", "pmax_square"]
    assert again["outcome"] == "enhanced" and again["decided_in_run"] == "2"
    assert again["content_key"] != was["blue", "pmax_square"]["content_key"]
    assert again["seed"] != was["blue", "pmax_square"]["seed"]
    assert Path(again["creative_uri"]).read_bytes() != Path(was["blue", "pmax_square"]["creative_uri"]).read_bytes()

    for placement in ("pmax_square", "meta_feed_square"):
        left = now["red", placement]
        assert (left["outcome"], left["reason"], left["stage"]) == ("skipped", "opted_out", "plan")

    untouched = [("blue", "meta_feed_square"), ("green", "pmax_square"), ("green", "meta_feed_square")]
    for place in untouched:
        assert now[place]["decided_in_run"] == "1"
        assert (now[place]["plan_key"], now[place]["content_key"]) == (
            was[place]["plan_key"],
            was[place]["content_key"],
        )

    # one accepted, one refused: the report of the second night says what an accepted one costs
    report = json.loads((nights.output / "runs" / "2" / "report.json").read_text())
    assert (report["decisions"]["accepted"], report["decisions"]["refused"]) == (1, 1)
    both = sum(json.loads((nights.output / "runs" / name / "report.json").read_text())["cost"] for name in ("1", "2"))
    assert report["decisions"]["cost_per_accepted"] == pytest.approx(both, rel=1e-4)
    assert "cost per accepted creative" in (nights.output / "runs" / "2" / "report.html").read_text()


def test_the_same_decisions_do_nothing_again(nights: Nights) -> None:
    third = nights.run("3")
    assert {row["decided_in_run"] for row in third.rows} == {"1", "2"}


def test_a_refused_file_that_is_touched_is_not_painted_under_the_refused_key(nights: Nights) -> None:
    refused = by_place(nights.read("1"))["blue", "pmax_square"]["content_key"]
    path = nights.feed / "blue.jpg"
    path.write_bytes(path.read_bytes())
    now = by_place(nights.run("4"))["blue", "pmax_square"]
    assert now["content_key"] not in (None, refused)
    assert now["content_key"] == by_place(nights.read("2"))["blue", "pmax_square"]["content_key"]


def test_withdrawn_creatives_leave_the_delivery_and_can_be_pruned(
    nights: Nights, capsys: pytest.CaptureFixture[str]
) -> None:
    before = nights.read("4")
    nights.decide(before, "green", "pmax_square", action="accept")
    nights.decide(before, "green", "pmax_square", action="withdraw")
    now = by_place(nights.run("5"))
    assert (now["green", "pmax_square"]["outcome"], now["green", "pmax_square"]["reason"]) == ("skipped", "withdrawn")
    delivered = pq.read_table(nights.output / "runs" / "5" / "delivery" / "zeta.parquet").column("placement")
    assert delivered.to_pylist() == ["meta_feed_square"]

    gone = [by_place(before)["green", "pmax_square"], by_place(nights.read("1"))["blue", "pmax_square"]]
    files = [Path(row[name]) for row in gone for name in ("creative_uri", "evidence_uri")]
    capsys.readouterr()
    assert main(["prune", before.uri]) == 0
    assert "2 creatives" in capsys.readouterr().out and all(path.exists() for path in files)
    count = len(list((nights.output / "creatives").rglob("*.jpg")))
    assert main(["prune", before.uri, "--apply"]) == 0
    assert not any(path.exists() for path in files)
    assert len(list((nights.output / "creatives").rglob("*.jpg"))) == count - 2
    capsys.readouterr()
    assert main(["prune", before.uri, "--apply"]) == 0
    assert capsys.readouterr().out.startswith("0 creatives")


def test_an_undone_opt_out_brings_back_what_was_there(nights: Nights) -> None:
    store = Decisions(nights.output / "review" / "decisions.sqlite")
    (batch,) = {row["batch"] for row in store.rows("acme") if row["action"] == "opt_out"}
    assert store.undo(batch, "ann", "acme")
    nights.export(nights.read("5"))
    now = by_place(nights.run("6"))
    for placement in ("pmax_square", "meta_feed_square"):
        assert now["red", placement]["decided_in_run"] == "1"
        assert Path(now["red", placement]["creative_uri"]).exists()


def test_an_opted_out_feature_is_skipped_once_the_picture_is_known_to_want_it(nights: Nights) -> None:
    before = nights.read("6")
    batch = nights.decide(before, "green", "meta_feed_square", action="opt_out", scope="feature")
    now = by_place(nights.run("7"))
    place = now["green", "meta_feed_square"]
    assert (place["outcome"], place["reason"]) == ("skipped", "opted_out")
    assert now["red", "pmax_square"]["outcome"] == "enhanced"
    assert Decisions(nights.output / "review" / "decisions.sqlite").undo(batch, "ann", "zeta")
    nights.export(before)
    assert by_place(nights.run("8"))["green", "meta_feed_square"]["decided_in_run"] == "1"


def test_decisions_that_cannot_be_read_stop_the_job_before_it_begins(
    nights: Nights, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--features=background", f"--manifest={nights.feed}", f"--output={nights.output}", "--run_id=none"]
    assert run_job([*flags, f"--decisions={nights.feed / 'none.parquet'}"]) == ExitCode.BAD_CONFIG
    assert "--decisions" in capsys.readouterr().err
    assert not (nights.output / "runs" / "none").exists()
