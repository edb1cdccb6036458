"""The whole job on the real server and real files, through its command line."""

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw

from pipelines.embedded import EmbeddedServer
from pipelines.enhance import run
from pipelines.launch import ExitCode
from transforms.errors import ManifestError
from transforms.ledger import read_index
from transforms.storage.store import open_store

pytestmark = pytest.mark.triton
PLACEMENTS = "pmax_square,pinterest_standard"


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two vases on white, a truncated file, a missing one, and a row without an id."""
    folder = tmp_path_factory.mktemp("feed")
    for number, color in enumerate(("#205080", "#a03020")):
        vase(color).save(folder / f"vase{number}.jpg", quality=95)
    data = (folder / "vase0.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(data[: len(data) // 2])
    rows = [
        ("blue/vase", "vase0.jpg"),
        ("red", "vase1.jpg"),
        ("cut off", "truncated.jpg"),
        ("gone", "nope.jpg"),
        ("", "x"),
    ]
    table = {
        "advertiser_id": ["acme"] * len(rows),
        "product_id": [product for product, _ in rows],
        "image_uri": [name for _, name in rows],
        "title": ["Vase"] * len(rows),
    }
    pq.write_table(pa.table(table), folder / "manifest.parquet")
    return folder


def vase(color: str) -> Image.Image:
    """A shaded vase with a mottled glaze on white, 900 pixels high."""
    side = 4
    mask = Image.new("L", (700 // side, 900 // side))
    draw = ImageDraw.Draw(mask)
    draw.ellipse((200 // side, 380 // side, 500 // side, 800 // side), fill=255)
    draw.rectangle((300 // side, 200 // side, 400 // side, 500 // side), fill=255)
    draw.ellipse((270 // side, 180 // side, 430 // side, 230 // side), fill=255)
    paint = np.asarray(Image.new("RGB", (700, 900), color), np.float32)
    light = np.linspace(1.25, 0.6, 700)[None, :, None] + np.random.default_rng(1).normal(0, 0.02, (900, 700, 1))
    glazed = Image.fromarray(np.clip(paint * light, 0, 255).astype(np.uint8))
    return Image.composite(
        glazed, Image.new("RGB", (700, 900), "white"), mask.resize((700, 900), Image.Resampling.BICUBIC)
    )


def job(feed: Path, output: Path, server: EmbeddedServer, *more: str) -> int:
    """Run the job's command line."""
    return run(
        [
            f"--manifest={feed / 'manifest.parquet'}", f"--output={output}", f"--triton={server.address}",
            "--features=background", f"--placements={PLACEMENTS}", "--max_failed_share=1", *more,
        ]
    )  # fmt: skip


def newest(output: Path) -> list[dict[str, object]]:
    """The newest run's index."""
    name = sorted(path.name for path in (output / "runs").iterdir())[-1]
    return pa.concat_tables(read_index(open_store(str(output)), str(output / "runs" / name))).to_pylist()


def creatives(output: Path) -> dict[str, bytes]:
    """Every creative by its path."""
    return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("creatives/**/*.jpg")}


@pytest.fixture(scope="module")
def night(feed: Path, triton: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A first run's output."""
    output = tmp_path_factory.mktemp("night")
    assert job(feed, output, triton, "--run_id=1") == ExitCode.SOME_FAILED
    return output


def test_every_row_ends_in_one_outcome_for_each_placement(night: Path) -> None:
    rows = newest(night)
    ends = Counter((row["product_id"], row["outcome"], row["reason"]) for row in rows)
    assert ends == {
        ("blue/vase", "enhanced", "ok"): 2,
        ("red", "enhanced", "ok"): 2,
        ("cut off", "failed", "truncated"): 2,
        ("gone", "failed", "not_found"): 2,
        ("", "failed", "bad_row"): 1,
    }
    assert [row["placement"] for row in rows if row["reason"] == "bad_row"] == [None]


def test_a_row_that_asks_only_for_what_the_job_does_not_do_is_skipped(
    feed: Path, triton: EmbeddedServer, tmp_path: Path
) -> None:
    row = {"advertiser_id": "acme", "product_id": "red", "image_uri": str(feed / "vase1.jpg"), "features": ["outpaint"]}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "manifest.parquet")
    assert job(tmp_path, tmp_path / "out", triton, f"--allow_source={feed}") == ExitCode.DONE
    ends = [(row["outcome"], row["stage"], row["reason"]) for row in newest(tmp_path / "out")]
    assert ends == [("skipped", "eligibility", "task_not_allowed")] * 2


def test_creatives_have_their_placements_size_and_the_product_unaltered(night: Path) -> None:
    for row in newest(night):
        if row["outcome"] == "enhanced":
            with Image.open(str(row["creative_uri"])) as image:
                assert image.size == (row["creative_width"], row["creative_height"])
            assert dict(row["scores"])["product_pixels_differing"] == 0  # type: ignore[call-overload]
            assert "blue%2Fvase" in str(row["creative_uri"]) or "red" in str(row["creative_uri"])


def test_a_second_run_does_only_what_is_missing(night: Path, feed: Path, triton: EmbeddedServer) -> None:
    before = creatives(night)
    assert job(feed, night, triton, "--run_id=2") == ExitCode.SOME_FAILED
    rows = newest(night)
    decided = {row["product_id"] for row in rows if row["decided_in_run"] == "2"}
    assert decided == {"gone", ""}
    assert creatives(night) == before
    assert len(rows) == 9


def test_a_touched_file_is_known_by_its_content_and_nothing_is_made_again(
    night: Path, feed: Path, triton: EmbeddedServer
) -> None:
    before = creatives(night)
    os.utime(feed / "vase1.jpg", (1, 1))
    assert job(feed, night, triton, "--run_id=3") == ExitCode.SOME_FAILED
    red = [row for row in newest(night) if row["product_id"] == "red"]
    assert {(row["outcome"], row["decided_in_run"], row["run_id"]) for row in red} == {("enhanced", "1", "3")}
    assert creatives(night) == before
    assert job(feed, night, triton, "--run_id=4") == ExitCode.SOME_FAILED
    plan = pa.concat_tables([pq.read_table(path) for path in (night / "runs" / "4" / "plan").iterdir()]).to_pylist()
    assert [row["settled"] for row in plan if row["manifest_row"] == 1] == [True, True]


def test_an_edited_table_of_prompts_makes_anew_what_it_concerns(
    feed: Path, triton: EmbeddedServer, tmp_path: Path
) -> None:
    table = pq.read_table(feed / "manifest.parquet").slice(0, 2)
    pq.write_table(table.set_column(3, "title", pa.array(["Vase", "Jug"])), feed / "two.parquet")
    output, prompts = tmp_path / "out", tmp_path / "prompts.csv"
    flags = [f"--manifest={feed / 'two.parquet'}", f"--prompts={prompts}"]
    rows = "category,pose,words,prompts\njugs,standing,jug,{}\nother,standing,,sage paper\n"
    for night, colour in enumerate(("navy paper", "cream paper"), start=1):
        prompts.write_text(rows.format(colour))
        assert job(feed, output, triton, *flags, f"--run_id={night}") == ExitCode.DONE
    again = {(str(row["product_id"]), row["prompt"]): row["decided_in_run"] for row in newest(output)}
    assert again == {
        ("blue/vase", "sage paper, standing on the floor"): "1",
        ("red", "cream paper, standing on the floor"): "2",
    }


def test_the_same_inputs_give_the_same_bytes_whoever_shares_their_batch(
    night: Path, feed: Path, triton: EmbeddedServer, tmp_path: Path
) -> None:
    job(feed, tmp_path, triton, "--concurrency=1", "--max_in_flight=1", "--placements=pmax_square")
    alone = creatives(tmp_path)
    assert len(alone) == 2
    assert alone == {name: data for name, data in creatives(night).items() if name in alone}


def test_a_dry_run_decides_and_leaves_no_creative_and_no_ledger(
    feed: Path, triton: EmbeddedServer, tmp_path: Path
) -> None:
    job(feed, tmp_path, triton, "--dry_run", "--limit=1", "--placements=pmax_square")
    assert [row["outcome"] for row in newest(tmp_path)] == ["enhanced"]
    assert not creatives(tmp_path)
    assert not (tmp_path / "ledger").exists()


def test_a_dry_run_takes_no_real_runs_place(night: Path, feed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = [f"--manifest={feed}", f"--output={night}", f"--allow_source={feed.parent}", "--features=background"]
    assert run([*flags, "--dry_run", "--run_id=1"]) == ExitCode.BAD_CONFIG
    assert "--run_id 1 is a real run's" in capsys.readouterr().err
    assert json.loads((night / "runs" / "1" / "report.json").read_text())["outcomes"] == {"enhanced": 4, "failed": 5}


def test_the_report_is_written_from_the_index(night: Path) -> None:
    report = json.loads((night / "runs" / "1" / "report.json").read_text())
    assert report["outcomes"] == {"enhanced": 4, "failed": 5}
    assert report["product_pixels_differing"] == 0
    assert "data:image/jpeg;base64," in (night / "runs" / "1" / "report.html").read_text()


def test_a_job_that_cannot_run_says_why_and_begins_nothing(
    feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([f"--manifest={feed}", f"--output={tmp_path / 'out'}"]) == ExitCode.BAD_CONFIG
    assert "--features is required" in capsys.readouterr().err
    assert run([f"--manifest={feed / 'none'}", f"--output={tmp_path}", "--features=background"]) == ExitCode.BAD_CONFIG
    assert not (tmp_path / "out").exists()


def test_a_manifest_with_a_damaged_footer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.parquet").write_bytes(b"PAR1" + b"x" * 40 + (20).to_bytes(4, "little") + b"PAR1")
    flags = [f"--manifest={tmp_path / 'm.parquet'}", f"--output={tmp_path / 'out'}", "--features=background"]
    assert run(flags) == ExitCode.BAD_CONFIG


def test_a_manifest_that_breaks_under_way_is_no_bad_option(
    feed: Path,
    tmp_path: Path,
    triton: EmbeddedServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("[while running 'Plan']") from ManifestError("m.parquet is not a Parquet file")

    monkeypatch.setattr("pipelines.launch._run_beam", broken)
    assert job(feed, tmp_path / "out", triton) == ExitCode.INFRASTRUCTURE
    said = capsys.readouterr().err
    assert "m.parquet is not a Parquet file" in said
    assert "run again to go on" in said


def test_an_output_that_cannot_be_written_is_named_and_no_defect(
    feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    output = tmp_path / "file" / "out"
    assert run([f"--manifest={feed}", f"--output={output}", "--features=background"]) == ExitCode.INFRASTRUCTURE
    said = capsys.readouterr().err
    assert f"error: {output}" in said and "Not a directory" in said and "defect" not in said


def test_a_defect_does_not_end_with_the_exit_code_of_decided_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("defect")

    monkeypatch.setattr("pipelines.enhance.launch", broken)
    assert run([f"--manifest={tmp_path}", f"--output={tmp_path}", "--features=background"]) == ExitCode.INFRASTRUCTURE
