"""The static page: files that stand on their own."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from seaweed import BUCKET, SeaweedServer

from pipelines.report.spend import cost_of_runs
from pipelines.review.build import BuildOptions, build
from pipelines.review.commands import main
from pipelines.review.items import HEADLINE_SCORES, details_of, list_items
from pipelines.review.pictures import OF_CREATIVES, Reader, before, changed, mask, prove
from pipelines.review.runs import Run, read_run, slug_of
from transforms.decisions import read_decisions
from transforms.ops.encode import CORE, decode_evidence
from transforms.storage.store import StoreConfig, open_store

READER = Reader(StoreConfig())


@pytest.fixture(scope="module")
def site(shared_run: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    assert main(["build", shared_run, "--out", str(out)]) == 0
    return out


def rgba(data: bytes) -> np.ndarray:
    """uint8 [h, w, 4]"""
    return np.asarray(Image.open(BytesIO(data)).convert("RGBA"))


def test_each_advertiser_has_a_folder_that_stands_on_its_own(site: Path, run: Run) -> None:
    for name, rows in run.advertisers.items():
        folder = site / slug_of(name)
        for row in rows:
            if row["outcome"] == "enhanced":
                for kind in (*OF_CREATIVES, "proof"):
                    assert list((folder / kind).glob(f"{row['item_id']}.*")), kind
        text = (folder / "index.html").read_text() + (folder / "assets" / "review.css").read_text()
        linked = re.findall(r'(?:src|href)="([^"#]+)"', text)
        assert linked and all((folder / link).exists() for link in linked)
        assert not re.search(r"https?://", (folder / "index.html").read_text())


def test_no_folder_holds_a_word_of_another_advertiser(site: Path) -> None:
    mine = site / slug_of("zeta")
    text = "".join(path.read_text() for path in mine.rglob("*") if path.suffix in (".js", ".html"))
    assert "acme" not in text and "Desk lamp" not in text and "Zeta" in text


def test_data_is_in_script_files_and_nothing_is_fetched(site: Path) -> None:
    folder = site / slug_of("acme")
    for name in ("data.js", "details/0.js"):
        assert (folder / name).read_text().startswith("Review.")
    loading = "".join(
        (folder / "assets" / name).read_text() for name in ("core.js", "grid.js", "viewer.js", "detail.js")
    )
    assert "fetch(" not in loading and "XMLHttpRequest" not in loading and 'type="module"' not in loading


def test_only_the_named_advertisers_are_built(shared_run: str, tmp_path: Path) -> None:
    assert main(["build", shared_run, "--out", str(tmp_path), "--advertiser", "zeta"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [slug_of("zeta")]


def test_the_overlays_say_of_every_pixel_what_the_evidence_says(run: Run) -> None:
    row = next(row for row in run.rows if row["outcome"] == "enhanced")
    levels = decode_evidence(Path(row["evidence_uri"]).read_bytes())
    shown = rgba(changed(row, READER).data)
    for level in np.unique(levels):
        assert len(np.unique(shown[levels == level].reshape(-1, 4), axis=0)) == 1
    assert len(np.unique(shown.reshape(-1, 4), axis=0)) == len(np.unique(levels))
    assert (rgba(mask(row, READER).data)[levels == CORE][:, 3] == 0).all()


def test_the_original_is_laid_pixel_for_pixel_under_the_creative(run: Run) -> None:
    row = next(row for row in run.rows if row["outcome"] == "enhanced")
    core = decode_evidence(Path(row["evidence_uri"]).read_bytes()) == CORE
    laid = np.asarray(Image.open(BytesIO(before(row, READER).data)), np.int16)
    made = np.asarray(Image.open(row["creative_uri"]), np.int16)
    assert laid.shape == made.shape
    assert np.abs(laid - made)[core].mean() < 2.0


def test_scores_that_are_no_numbers_break_no_page(run: Run) -> None:
    row = next(row for row in run.rows if row["outcome"] == "enhanced")
    scores = [(name, float("nan")) for name, _, _ in HEADLINE_SCORES]
    odd = {**row, "scores": scores, "value": float("nan"), "limit": float("inf")}
    json.dumps([*list_items([odd], run.placements), details_of(odd)], allow_nan=False, default=str)


def test_what_is_wrong_in_a_row_is_told_without_where_the_feed_lies(run: Run) -> None:
    detail = "s3://secret-feeds/tonight/a.parquet row 7: column 'placements' holds 'tv', which is not one of ('one',)"
    odd = {**run.rows[0], "reason": "bad_row", "detail": detail}
    assert details_of(odd)["wrong"] == "column 'placements' holds 'tv', which is not one of ('one',)"
    assert details_of({**odd, "reason": "not_found"})["wrong"] is None
    assert details_of({**odd, "detail": None})["wrong"] is None


def test_a_creative_whose_product_is_not_the_originals_is_not_called_proven(run: Run, tmp_path: Path) -> None:
    row = next(row for row in run.rows if row["outcome"] == "enhanced")
    assert prove(row, READER).state == "proven"
    moved = {**row, "transform_left": row["transform_left"] + 1}
    assert prove(moved, READER).state == "differs" and prove(moved, READER).differing > 0
    forged = {**row, "core_digest": "0" * 64}
    assert prove(forged, READER).state == "differs"
    replaced = {**row, "creative_digest": "0" * 64}
    assert prove(replaced, READER).state == "differs" and prove(replaced, READER).compared == 0
    assert prove(replaced, READER).note == "the stored creative is not the one that the index names"
    lost = {**row, "evidence_uri": str(tmp_path / "none.png")}
    assert prove(lost, READER).state == "unread"
    assert str(tmp_path) not in prove(lost, READER).note


def test_a_picture_that_cannot_be_made_is_counted_and_leaves_the_rest(run: Run, tmp_path: Path) -> None:
    rows = tuple(
        {**row, "creative_uri": str(tmp_path / "gone.jpg")} if row["outcome"] == "enhanced" else row for row in run.rows
    )
    lost = replace(run, rows=rows, advertisers={"acme": tuple(row for row in rows if row["advertiser_id"] == "acme")})
    built = build(lost, str(tmp_path / "site"), StoreConfig(), BuildOptions(("acme",)))
    assert built.missing > 0 and built.pages == 1
    assert (tmp_path / "site" / slug_of("acme") / "index.html").exists()


def test_a_folder_that_is_no_run_is_an_error_with_a_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["build", str(tmp_path), "--out", str(tmp_path / "x")], ["export", str(tmp_path), "--to", "x"]):
        assert main(command) == 2
        assert "remedy" in capsys.readouterr().err


@pytest.mark.s3
def test_runs_and_pages_live_in_object_stores_too(
    seaweed: SeaweedServer, write_run: Callable[..., str], tmp_path: Path, aws_credentials: None
) -> None:
    config = StoreConfig(endpoint_url=seaweed.endpoint_url, addressing="path")
    folder = write_run(f"s3://{BUCKET}/reviewed", tmp_path / "shots", store=config)
    flags = [f"--s3_endpoint={seaweed.endpoint_url}", "--s3_addressing=path"]
    out = f"s3://{BUCKET}/site"
    assert main(["build", folder, "--out", out, "--advertiser", "zeta", *flags]) == 0
    found = {item.uri.removeprefix(f"{out}/{slug_of('zeta')}/") for item in open_store(out, config).list(out)}
    (row,) = read_run(folder, config).advertisers["zeta"]
    assert {"index.html", "data.js", f"after/{row['item_id']}.jpg", f"proof/{row['item_id']}.js"} <= found
    assert main(["export", folder, "--to", str(tmp_path / "d.parquet"), *flags]) == 2  # no folder for a database
    database = f"--database={tmp_path / 'd.sqlite'}"
    assert main(["export", folder, "--to", f"s3://{BUCKET}/d.parquet", database, *flags]) == 0
    assert read_decisions(f"s3://{BUCKET}/d.parquet", config) == []


@pytest.mark.parametrize(("name", "data"), [
    ("index/part-00000.parquet", b"PAR1 and no more"),
    ("report.json", b"{"),
    ("report.json", b"[]"),
])  # fmt: skip
def test_a_damaged_file_of_a_run_is_named(
    shared_run: str, tmp_path: Path, name: str, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out" / "runs" / "night"
    shutil.copytree(shared_run, folder)
    (folder / name).write_bytes(data)
    assert main(["build", str(folder), "--out", str(tmp_path / "site")]) == 2
    message = capsys.readouterr().err
    assert str(folder / name) in message and "remedy" in message


def test_a_damaged_report_of_another_run_costs_nothing_and_keeps_nobody_out(
    shared_run: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(shared_run, tmp_path / "runs" / "night")
    for name, text in (("a", "{"), ("b", '{"cost": "much"}'), ("c", '{"cost": NaN}'), ("d", "[]")):
        (tmp_path / "runs" / name).mkdir()
        (tmp_path / "runs" / name / "report.json").write_text(text)
    assert cost_of_runs(str(tmp_path), StoreConfig()) == 1.5
    assert "runs/a/report.json" in caplog.text
