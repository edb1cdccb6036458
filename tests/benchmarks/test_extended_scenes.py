"""Photographs are chosen alike each time, and what is painted is written with its scores."""

import csv
import hashlib

import numpy as np
import pytest
from PIL import Image

from benchmarks import extended_scenes
from benchmarks.extended_scenes import chosen, contact, extensions_of, placements_of
from benchmarks.extension_limits import job_limits


@pytest.fixture
def wall(tmp_path):
    """A photograph of a product on a grainy wall."""
    pixels = np.random.Generator(np.random.Philox(key=3)).normal(180, 6, (400, 300, 3))
    pixels[150:260, 100:200] = (200, 30, 30)
    path = tmp_path / "photos" / "wall.png"
    path.parent.mkdir()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def seen(monkeypatch):
    """The network sees what is red."""

    def matte_of(pixels):
        return (pixels[..., 0].astype(int) - pixels[..., 1] > 90).astype(np.float32)

    monkeypatch.setattr("benchmarks.outpaint_sheet.matte_of", matte_of)


def test_photographs_are_drawn_alike_each_time(wall):
    for name in ("a.jpg", "b.jpg", "c.txt"):
        (wall.parent / name).write_bytes(b"")
    assert chosen([wall.parent], 2, 4) == chosen([wall.parent], 3, 4)[:2]
    assert {path.name for path in chosen([wall.parent], 9, 4)} == {"a.jpg", "b.jpg", "wall.png"}
    assert placements_of(wall, 1) == placements_of(wall, 1) != placements_of(wall, 2)


def test_contact_is_the_side_that_is_touched_most():
    mask = np.zeros((10, 20), bool)
    mask[:4, 0] = mask[0, :4] = True
    assert contact(mask) == pytest.approx(0.4)


def test_an_extension_is_written_with_its_digest_and_every_score_of_the_limits(wall, seen, tmp_path):
    rows = extensions_of(wall, out=tmp_path, each=1, seed=1)
    assert len(rows) == len(list(tmp_path.glob("*.png"))) == 1 and job_limits().keys() <= rows[0].keys()
    picture = tmp_path / rows[0]["image"]
    assert hashlib.sha256(picture.read_bytes()).hexdigest() == rows[0]["output_digest"]
    with Image.open(picture) as shown:
        assert max(shown.size) == extended_scenes.SHOWN
    assert 0 < rows[0]["painted_share"] < 0.6


def test_a_product_that_the_frame_cuts_is_left_out(wall, monkeypatch, tmp_path):
    monkeypatch.setattr("benchmarks.outpaint_sheet.matte_of", lambda pixels: np.ones(pixels.shape[:2], np.float32))
    assert extensions_of(wall, out=tmp_path, each=1, seed=1) == []


def test_the_list_is_one_that_rating_takes(wall, seen, monkeypatch, tmp_path, capsys):
    class Here:
        def __init__(self, workers):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *unused):
            pass

        map = staticmethod(map)

    monkeypatch.setattr(extended_scenes, "ProcessPoolExecutor", Here)
    monkeypatch.setattr("sys.argv", ["x", "--photos", str(wall.parent), "--out", str(tmp_path / "out")])
    extended_scenes.main()
    (row,) = csv.DictReader((tmp_path / "out" / "extensions.csv").read_text().splitlines())
    assert (tmp_path / "out" / row["image"]).exists() and row["task"] == "outpaint"
    assert capsys.readouterr().out == "1 photographs, 1 extensions\n"
