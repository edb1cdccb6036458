"""The command line: what it refuses at launch, and a whole run on the real server."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from feeds import write_feed
from PIL import Image

from pipelines.audit import main as audit
from pipelines.embedded import EmbeddedServer
from pipelines.scenes.command import run as run_scenes
from pipelines.synthesise import main

CATALOG = Path(__file__).parents[3] / "examples" / "catalog" / "images"
ROWS = [
    {"product_id": "ball", "image_uri": "gone.jpg", "title": "Basketball", "scene_group": "gone"},
    {"product_id": "cactus", "image_uri": "cactus.jpg", "title": "Potted cactus", "scene_group": "set"},
    {"product_id": "bear", "image_uri": "teddy_bear.jpg", "title": "Teddy bear", "scene_group": "set"},
    {"product_id": "boots", "image_uri": "gone.jpg", "title": "Boots", "scene_group": None},
]


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    for name in ("cactus.jpg", "teddy_bear.jpg"):
        picture = Image.open(CATALOG / name).convert("RGB")
        picture.thumbnail((640, 640))
        picture.save(tmp_path / name, quality=95)
    return write_feed(tmp_path, [{"advertiser_id": "acme", **row} for row in ROWS])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--group_column is required"),
        (["--group_column=room"], "--group_column: the file has no column 'room'; it has advertiser_id, product_id,"),
        (["--group_column=scene_group", "--placements=poster"], "--placements: 'poster' is not one of"),
        (["--group_column=scene_group", "--seeds=1,x"], "--seeds '1,x': expected integers"),
        (["--group_column=scene_group", "--seeds=-1"], "--seeds '-1': seeds are not negative"),
        (["--group_column=scene_group", "--features=outpaint"], "`background` is not among them"),
        (["--group_column=scene_group", "--runner=FlinkRunner"], "--runner=FlinkRunner is for a Beam runner"),
        (["--group_column=scene_group", "--seed=1"], "unknown option --seed; did you mean 'seeds'?"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_begun(
    feed: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"--manifest={feed}", f"--output={feed.parent / 'out'}", *flags]) == 2
    told = capsys.readouterr().err
    assert message in told and "remedy:" in told
    assert not (feed.parent / "out").exists()


@pytest.mark.triton
def test_scenes_of_a_manifest_are_made_told_proven_and_taken_over(
    feed: Path, triton: EmbeddedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    output = feed.parent / "out"
    flags = [f"--manifest={feed}", f"--output={output}", f"--triton={triton.address}", "--group_column=scene_group"]
    flags += ["--placements=pmax_landscape", "--seeds=4", "--prompt=warm beige studio", "--concurrency=2"]
    assert run_scenes([*flags, "--run_id=0", "--dry_run", "--limit=1"]) == 1
    assert "1 rejected" in capsys.readouterr().err
    assert not (output / "scenes").exists() and (output / "scene_dry_runs" / "0" / "scenes.parquet").is_file()
    assert run_scenes([*flags, "--run_id=1"]) == 1  # a row failed
    told = capsys.readouterr().err
    assert "run 1: complete: 1 enhanced, 1 rejected; 0 settled by earlier runs; 1 rows in no group" in told
    assert "acme/gone pmax_landscape seed 4: rejected: not_found: product 'ball' (row 0)" in told
    scene, missing = reversed(pq.read_table(output / "scene_runs" / "1" / "scenes.parquet").to_pylist())
    assert (scene["outcome"], scene["product_ids"], scene["painter"]) == ("enhanced", ["cactus", "bear"], "studio")
    assert (missing["outcome"], missing["member"], missing["stage"]) == ("rejected", "ball", "load")
    with Image.open(scene["creative_uri"]) as creative:
        assert creative.size == (1200, 628)
    products = pq.read_table(output / "scene_runs" / "1" / "products.parquet").to_pylist()
    ends = [(row["product_id"], row["outcome"], row["reason"]) for row in products]
    assert ends == [
        ("ball", "failed", "not_found"),
        ("cactus", "enhanced", "ok"),
        ("bear", "enhanced", "ok"),
        ("boots", "skipped", "no_group"),
    ]
    report = json.loads((output / "scene_runs" / "1" / "report.json").read_bytes())
    assert (report["run"]["status"], report["outcomes"]) == ("complete", {"enhanced": 1, "rejected": 1})
    assert "Scenes of run 1" in (output / "scene_runs" / "1" / "report.html").read_text() and report["options"][
        "seeds"
    ] == [4]
    metrics = (output / "scene_runs" / "1" / "metrics.prom").read_text()
    assert 'outcome="rejected",placement="pmax_landscape",reason="not_found"} 1.0' in metrics
    (delivered,) = pq.read_table(output / "scene_runs" / "1" / "delivery" / "acme.parquet").to_pylist()
    assert delivered["creative_uri"] == scene["creative_uri"] and not (output / "scene_dry_runs/0/delivery").exists()
    assert audit([str(output)]) == 0
    assert capsys.readouterr().out.startswith("creatives 2, product pixels compared ")
    before = {path: path.stat().st_mtime_ns for path in output.rglob("scenes/**/*.jpg")}
    assert run_scenes([*flags, "--run_id=2"]) == 1
    assert "1 settled by earlier runs" in capsys.readouterr().err
    assert before == {path: path.stat().st_mtime_ns for path in output.rglob("scenes/**/*.jpg")}
