"""The comparison as a whole, small: baselines and a painter on drawn products, resumed, told and paired."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from benchmarks.painters.__main__ import _extensions
from benchmarks.painters.entrants import ENTRANTS, paint
from benchmarks.painters.figures import complete, figures_of
from benchmarks.painters.measures import measure
from benchmarks.painters.outputs import rating_command, write_pairs, write_sheet
from benchmarks.painters.photographs import PLACEMENTS, photograph_jobs, photographs_of
from benchmarks.painters.run import Comparison, painted_rows, picture_of
from benchmarks.painters.tables import background_table, leaders
from pipelines.rating.__main__ import _parser
from pipelines.rating.contestants import Named, entries_of, with_tasks
from pipelines.rating.study import Study
from transforms.errors import ConfigError
from transforms.inference.fake import FakeClient
from transforms.storage.store import StoreConfig

NAMES = ("studio", "blur_fill", "white")


class Client(FakeClient):
    """Answers of the fake client; a painter's candidates are kept as `LocalClient` keeps them."""

    def __init__(self):
        super().__init__()
        self.candidates = []

    def infer(self, model, inputs, *, deadline_sec=None):
        outputs = super().infer(model, inputs)
        self.candidates += list(outputs.get("CANDIDATE", ()))
        return outputs


def embed(pictures):
    return np.stack([picture.reshape(-1, 3).astype(np.float32).mean(axis=0) / 255 for picture in pictures])


@pytest.fixture(scope="module")
def painted(tmp_path_factory):
    """A comparison of three products, and its rows; tests that paint more do so elsewhere."""
    folder = tmp_path_factory.mktemp("products")
    for number in range(4):
        rgba = np.zeros((300, 300, 4), np.uint8)
        rgba[60:290, 70:230] = (40 * number, 90, 200 - 30 * number, 255)
        cv2.imwrite(str(folder / f"lib__box{number}.0.png"), rgba)
    what = Comparison((folder,), (), tmp_path_factory.mktemp("out"), 3, NAMES)
    return what, rows_of(what)


def rows_of(what, client=None):
    return list(painted_rows(what, "background", client or Client(), embed))


def test_every_entrant_meets_the_same_inputs_and_a_second_run_paints_nothing(painted):
    what, rows = painted
    by = complete(rows)
    assert set(by) == set(NAMES)
    assert len({tuple(row["input"] for row in found) for found in by.values()}) == 1
    assert by["studio"][0]["prompt"] == by["white"][0]["prompt"]
    client = Client()
    assert rows_of(what, client) == rows
    assert not client.requests


def test_a_longer_run_keeps_what_a_shorter_one_painted(painted, tmp_path):
    what, rows = painted
    shutil.copytree(what.out, tmp_path / "out")
    client = Client()
    assert rows_of(replace(what, out=tmp_path / "out", count=4), client)[: len(rows)] == rows
    assert sum(model == "studio" for model, _ in client.requests) == 1


def test_another_seed_or_folder_does_not_mix_in(painted, tmp_path):
    for other in ({"seed": 1}, {"products": (tmp_path,)}):
        with pytest.raises(ConfigError, match=f"another {next(iter(other))}"):
            rows_of(replace(painted[0], **other))


def test_canvas_without_weights_is_absent_and_said_so(painted):
    every = replace(painted[0], painters=())
    assert [each.name for each in every.absent("background")] == ["canvas_background", "canvas_background_room"]
    assert "canvas_background" not in {each.name for each in every.entrants("background")}


def test_figures_are_told_in_tables_and_sentences(painted):
    what, rows = painted
    by = complete(rows)
    real = np.random.default_rng(0).random((8, 3)).astype(np.float32)
    found = figures_of(by, real, what.out, paired=False, seed=0)
    white = next(one for one in found if one.name == "white")
    assert white.colour.right == pytest.approx(white.colour.by_chance, abs=0.35)
    assert white.variety.value == 0.0
    text = background_table(found, ["canvas_background"])
    assert "| `canvas_background` | no weights here |" in text
    assert all(len(line.split("|")) in (9,) for line in text.splitlines() if line)
    told = leaders("background", found)
    assert any(sentence.startswith("background, kernel distance: `") for sentence in told)
    sheet = cv2.imread(str(write_sheet(what.out, by["studio"], 0)))
    assert sheet.shape[0] == 232


def drawn_photographs(folder):
    folder.mkdir()
    rng = np.random.default_rng(5)
    for number in range(5):
        photo = np.full((534, 400, 3), (150, 170, 60 + 30 * number), np.uint8)
        photo += rng.integers(0, 6, photo.shape, dtype=np.uint8)
        photo[230:330, 150:250] = (20, 30, 220)
        cv2.imwrite(str(folder / f"{number}.png"), photo)
    return folder


def test_photographs_are_framed_extended_and_held_against_their_originals(tmp_path):
    photos = drawn_photographs(tmp_path / "photos")
    what = Comparison((), (photos,), tmp_path / "out", 4, ("patchmatch", "edge_stretch"))
    rows = list(painted_rows(what, "outpaint", Client(), embed))
    by = complete(rows)
    assert [row["placement"] for row in by["patchmatch"]] == ["to_portrait", "to_landscape"] * 2
    for row in by["edge_stretch"]:
        painted = cv2.imread(str(picture_of(what.out, row)))
        assert painted.shape[:2] == tuple(PLACEMENTS[row["placement"]].size)
        assert row["expansion"] == 0.0
    text = _extensions(what, by, (), embed)
    assert "real photographs, at a random place" in text
    assert "- outpaint, seam not seen: " in text
    assert list(painted_rows(what, "outpaint", Client(), embed)) == rows


def test_an_extension_that_the_stage_would_refuse_as_torn_is_not_let_through(tmp_path):
    photos = photographs_of([drawn_photographs(tmp_path / "photos")])
    client = Client()
    stretched = next(each for each in ENTRANTS["outpaint"] if each.name == "edge_stretch")
    job = paint(stretched, next(photograph_jobs(photos, client, tmp_path / "in", 1, 0)), client).job
    torn = replace(job, scores={"outpaint_visible_tears": 0.3, "outpaint_tears": 0.9})
    assert measure(torn, None, client)["beyond"] == [*measure(job, None, client)["beyond"], "visible_tears"]
    assert not measure(torn, None, client)["shipped"]


def test_pairs_are_read_by_the_rating_tool_two_entrants_an_input(painted):
    what, rows = painted
    by = complete(rows)
    paths = write_pairs(what.out, "background", by, 0)
    config = StoreConfig()
    entries = [entry for name, path in paths.items() for entry in entries_of(Named("csv", name, str(path)), config)]
    assert len(entries) == 6
    assert {entry.task for entry in entries} == {"background"}
    study = Study.open(what.out / "study.sqlite", "pairs")
    study.add(with_tasks(entries), None)
    assert study.progress("").units == 3
    command = rating_command(what.out, "background", paths).split()[3:]
    assert _parser().parse_args(command).mode == "pairs"
    before = {name: path.read_text() for name, path in paths.items()}
    again = write_pairs(what.out, "background", by, 0)
    assert {name: path.read_text() for name, path in again.items()} == before
