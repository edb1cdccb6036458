import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from nights import Row, picture, write_run
from PIL import Image

from pipelines.rating.__main__ import main
from pipelines.rating.pair_sheets import labelled, pair_form, read_choices, seeds_of
from pipelines.rating.study import Study
from pipelines.rating.units import Item, Unit
from transforms.errors import TableError

COUNT = 12


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A run and another tool's folder in pairs, on sheets of seeds 0 and 3."""
    run = write_run(tmp_path / "out", "night", [Row(f"p{n}") for n in range(COUNT)])
    (tmp_path / "tool").mkdir()
    for n in range(COUNT):
        picture(f"p{n}", 200, staged=True).save(tmp_path / "tool" / f"p{n}-x.png")
    who = ["--run", f"canvas={run}", "--folder", f"tool={tmp_path}/tool", "--originals", f"{tmp_path}/out/shots"]
    for seed in (0, 3):
        assert main([*draw(tmp_path, seed), *who]) == 0
    return tmp_path


def draw(folder: Path, seed: int) -> list[str]:
    places = ["--out", f"{folder}/sheets{seed}", "--key", f"{folder}/key{seed}.csv"]
    return ["sheets", "--mode", "pairs", "--seed", str(seed), "--db", f"{folder}/study.db", *places]


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def filled(folder: Path, seed: int, rater: str, better: Callable[[dict[str, str]], str]) -> Path:
    """The form of a seed's sheets, as a rater fills it in who answers `better` of a row of the key."""
    key = {row["pair"]: row for row in rows_of(folder / f"key{seed}.csv")}
    path = folder / f"{rater}.csv"
    with path.open("w", newline="") as sink:
        writer = csv.DictWriter(sink, ["pair", "rater", "better", "reason"])
        writer.writeheader()
        for row in rows_of(folder / f"sheets{seed}" / "answers.csv"):
            writer.writerow({**row, "rater": rater, "better": better(key[row["pair"]]), "reason": "softer  shadow"})
    return path


def tool(row: dict[str, str]) -> str:
    return "A" if row["a"] == "tool" else "b"


def test_sheets_show_every_pair_and_name_nobody(made: Path) -> None:
    files = sorted(path.name for path in (made / "sheets0").iterdir())
    assert files == ["answers.csv", "sheet-001.png", "sheet-002.png"]
    with Image.open(made / "sheets0" / "sheet-001.png") as sheet:
        assert (sheet.mode, sheet.info) == ("RGB", {}) and max(sheet.size) <= 2200
        assert np.asarray(sheet).std() > 20
    form = (made / "sheets0" / "answers.csv").read_text()
    assert form.splitlines()[:2] == ["pair,rater,better,reason", "0-1,,,"] and len(form.splitlines()) == COUNT + 1
    assert "canvas" not in form and "tool" not in form
    for row in rows_of(made / "key0.csv"):
        assert {row["a"], row["b"]} == {"canvas", "tool"}
        assert ("/tool/" in row["a_output"]) == (row["a"] == "tool")


def test_a_seed_shuffles_order_and_sides_and_draws_the_same_sheets_again(made: Path) -> None:
    keys = [rows_of(made / f"key{seed}.csv") for seed in (0, 3)]
    assert [row["pair"] for row in keys[1]] == [f"3-{number}" for number in range(1, COUNT + 1)]
    assert [row["original"] for row in keys[0]] != [row["original"] for row in keys[1]]
    sides = [{row["original"]: row["a"] for row in key} for key in keys]
    changed = sum(sides[0][original] != sides[1][original] for original in sides[0])
    assert 0 < changed < COUNT and all(len(set(side.values())) == 2 for side in sides)
    before = {path.name: path.read_bytes() for path in (made / "sheets3").iterdir()}
    assert main(draw(made, 3)) == 0
    assert before == {path.name: path.read_bytes() for path in (made / "sheets3").iterdir()}


def test_filled_forms_of_two_seeds_become_the_figures_of_serve(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = str(made / "study.db")
    ann = filled(made, 0, "Ann", tool)
    ben = filled(made, 3, "ben", lambda row: "same" if row["original"].endswith(("p0.png", "p1.png")) else tool(row))
    assert main(["answers", "--db", db, str(ann), str(ben)]) == 0
    told = capsys.readouterr().out
    assert f"{COUNT} answers of ann" in told and f"{COUNT} answers of ben" in told
    assert main(["score", "--db", db, "--out", str(made / "score.json")]) == 0
    told = capsys.readouterr().out
    assert f"{COUNT} of {COUNT} complete; answers by rater: ann 12, ben 12" in told
    assert "| better | all (Fleiss) | 12 | 83% |" in told and "| better | ann + ben | 12 | 83% |" in told
    found = json.loads((made / "score.json").read_text())
    wins = {row["contestant"]: row for row in found["wins"]}
    assert (wins["tool"]["comparisons"], wins["tool"]["rate"]) == (24, pytest.approx(23 / 24))
    assert 0.7 < wins["tool"]["low"] < 23 / 24 < wins["tool"]["high"] <= 1
    assert wins["canvas"]["rate"] == pytest.approx(1 / 24)
    assert [row["contestant"] for row in found["strengths"]] == ["tool", "canvas"]
    said = Study.open(made / "study.db").answers()
    assert all(given.answer["reason"] == "softer shadow" for given in said)
    decided = [given.answer for given in said if given.answer["choice"] != "tie"]
    assert found["left_share"] == sum(each["choice"] == each["left"] for each in decided) / len(decided)


def test_a_rater_who_follows_the_side_is_seen(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["answers", "--db", f"{made}/study.db", str(filled(made, 3, "ann", lambda _: "a"))])
    main(["score", "--db", f"{made}/study.db"])
    assert "the left one won 100% of the decided comparisons" in capsys.readouterr().out


def test_a_third_rater_is_refused_by_pair(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for rater, seed in (("ann", 0), ("ben", 3), ("cleo", 3)):
        main(["answers", "--db", f"{made}/study.db", str(filled(made, seed, rater, tool))])
    told = capsys.readouterr().out
    assert "0 answers of cleo" in told and "two others answered already: 3-1, 3-2" in told


def test_a_study_of_defects_has_no_pairs(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["sheets", "--db", f"{made}/study.db", "--out", f"{made}/x", "--key", f"{made}/y.csv"]
    assert main(argv) == 2
    assert "is a study of pairs, not of defects" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*argv, "--seed", "-1"])


ITEMS = [Item(f"i{n}", n, f"c{n}", "background", "", "o", f"x{n}", "s", "d") for n in (1, 2, 3, 4)]
PAIRS = labelled([Unit("u1", ITEMS[1], ITEMS[0]), Unit("u2", ITEMS[2], ITEMS[3])], 7)


def test_semicolons_capitals_and_empty_rows_are_understood() -> None:
    assert pair_form(PAIRS) == "pair,rater,better,reason\n7-1,,,\n7-2,,,\n"
    text = "\ufeffpair;rater;better;reason\n7-1;Ann  B;B;\n7-2;;;\n"
    assert read_choices(text, PAIRS, "f") == {"ann b": {"u1": {"choice": "i1", "left": "i2", "reason": ""}}}
    assert seeds_of("pair\n7-1\n0-2\n", "f") == {0, 7}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("7-1,ann,left", "line 2: better is 'left', not a, b or same"),
        ("7-9,ann,a", "line 2: no pair has number 7-9"),
        ("7-1,,a", "line 2: who answered"),
        ("7-1,ann,a\n7-1,Ann,b", "line 3: ann answered pair 7-1 twice"),
    ],
)
def test_a_form_that_cannot_be_right_is_told_by_line(rows: str, message: str) -> None:
    with pytest.raises(TableError, match=message):
        read_choices(f"pair,rater,better\n{rows}\n", PAIRS, "f")
    with pytest.raises(TableError, match="line 2: '7' is no pair's number"):
        seeds_of("pair\n7\n", "f")
    with pytest.raises(TableError, match="no column better"):
        read_choices("pair\n7-1\n", PAIRS, "f")


def test_a_form_keeps_its_pairs_when_contestants_join_after_it_was_printed(made: Path) -> None:
    form = filled(made, 3, "ann", tool)
    (made / "late").mkdir()
    for n in range(COUNT):
        picture(f"p{n}", 90, staged=True).save(made / "late" / f"p{n}-x.png")
    late = ["--folder", f"late={made}/late", "--originals", f"{made}/out/shots"]
    assert main([*draw(made, 5), *late]) == 0
    assert main(["answers", "--db", f"{made}/study.db", str(form)]) == 0
    study = Study.open(made / "study.db")
    items = {item.id: item for item in study.items()}
    answers = study.answers()
    assert len(answers) == COUNT
    assert {items[given.answer["choice"]].contestant for given in answers} == {"tool"}
    before = rows_of(made / "key3.csv")
    assert main(draw(made, 3)) == 0
    again = rows_of(made / "key3.csv")
    assert again[:COUNT] == before and len(again) == 3 * COUNT
