import csv
import socket
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from nights import Row, picture, write_run
from PIL import Image

from pipelines.rating.__main__ import main
from pipelines.rating.sheets import read_answers
from pipelines.rating.study import Study
from pipelines.rating.units import Item
from transforms.errors import TableError


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A run and another tool's folder, 6 originals each, on sheets."""
    run = write_run(tmp_path / "out", "night", [Row(f"p{n}") for n in range(6)])
    tool = tmp_path / "tool"
    tool.mkdir()
    for n in range(6):
        picture(f"p{n}", 200, staged=True).save(tool / f"p{n}-x.png")
    argv = ["sheets", "--db", f"{tmp_path}/study.db", "--out", f"{tmp_path}/sheets", "--key", f"{tmp_path}/key.csv"]
    argv += ["--run", f"canvas={run}", "--folder", f"tool={tool}", "--originals", f"{tmp_path}/out/shots"]
    assert main(argv) == 0
    return tmp_path


def filled(folder: Path, name: str, rater: str, flags: dict[str, int]) -> Path:
    """A form in which `rater` flags the background of every item of the contestants in `flags` with 1."""
    whose = {row["number"]: row["contestant"] for row in csv.DictReader((folder / "key.csv").read_text().splitlines())}
    rows = list(csv.DictReader((folder / "sheets" / "answers.csv").read_text().splitlines()))
    path = folder / name
    with path.open("w", newline="") as sink:
        writer = csv.DictWriter(sink, rows[0].keys())
        writer.writeheader()
        for row in rows:
            flag = flags.get(whose[row["number"]], 0)
            writer.writerow({**row, "rater": rater, "product_defect": "no", "background_defect": "yes" if flag else ""})
    return path


def test_sheets_show_every_item_and_the_form_names_nobody(made: Path) -> None:
    files = sorted(path.name for path in (made / "sheets").iterdir())
    assert files == ["answers.csv", "sheet-001.png", "sheet-002.png"]
    with Image.open(made / "sheets" / "sheet-001.png") as sheet:
        assert (sheet.mode, sheet.info) == ("RGB", {})
        assert np.asarray(sheet).std() > 20
    assert "canvas" not in (made / "sheets" / "answers.csv").read_text()
    key = list(csv.DictReader((made / "key.csv").read_text().splitlines()))
    assert sorted(row["contestant"] for row in key) == ["canvas"] * 6 + ["tool"] * 6
    assert [row["contestant"] for row in key] != sorted(row["contestant"] for row in key)


def test_larger_pictures_take_more_sheets(made: Path) -> None:
    argv = ["sheets", "--db", f"{made}/study.db", "--out", f"{made}/large", "--key", f"{made}/key.csv", "--side", "700"]
    assert main(argv) == 0
    files = sorted((made / "large").glob("*.png"))
    assert len(files) == 6
    with Image.open(files[0]) as sheet:
        assert max(sheet.size) <= 2200


def test_filled_forms_become_scores_and_training_data(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forms = [filled(made, f"{name}.csv", name, {"tool": 1}) for name in ("ann", "ben")]
    db = str(made / "study.db")
    assert main(["answers", "--db", db, *map(str, forms)]) == 0
    capsys.readouterr()
    assert main(["score", "--db", db, "--out", str(made / "score.json")]) == 0
    told = capsys.readouterr().out
    assert "12 of 12 complete; answers by rater: ann 12, ben 12" in told
    assert "| canvas | background | overall | 6 | 100.0% | 61.0% to 100.0% |" in told
    assert "| tool | background | overall | 6 | 0.0% | 0.0% to 39.0% |" in told
    assert "| background_defect | all (Fleiss) | 12 | 100% | 1.00 |" in told
    assert main(["export", "--db", db, "--out", str(made / "ratings.parquet")]) == 0
    table = pq.read_table(made / "ratings.parquet").to_pylist()
    assert len(table) == 12
    assert {row["contestant"]: row["p_background_defect"] for row in table} == {"canvas": 0.0, "tool": 1.0}
    assert all(row["complete"] and row["raters"] == ["ann", "ben"] for row in table)
    assert all(row["p_band_defect"] is None for row in table)
    assert all(Path(row["output_uri"]).exists() for row in table)


def test_a_third_rater_is_refused_and_one_alone_does_not_count(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = str(made / "study.db")
    main(["answers", "--db", db, str(filled(made, "a.csv", "ann", {}))])
    main(["score", "--db", db])
    assert "0 of 12 complete" in capsys.readouterr().out
    for name in ("ben", "cleo"):
        main(["answers", "--db", db, str(filled(made, "b.csv", name, {}))])
    told = capsys.readouterr().out
    assert "12 answers of ben" in told
    assert "0 answers of cleo" in told
    assert "two others answered already: 1, 2" in told
    assert len(Study.open(made / "study.db").answers()) == 24


def test_the_key_must_not_lie_among_the_sheets(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["sheets", "--db", f"{made}/study.db", "--out", f"{made}/sheets", "--key", f"{made}/sheets/key.csv"]
    assert main(argv) == 2
    assert "lies among the sheets" in capsys.readouterr().err


ITEMS = [Item(f"i{n}", n, "c", "background", "", "o", "x", "s", "d") for n in (1, 2)]


def test_semicolons_capitals_and_a_byte_order_mark_are_understood() -> None:
    text = "\ufeffnumber;rater;product_defect;background_defect\n1;Ann  B;X;\n2;;;\n"
    assert read_answers(text, ITEMS, "f") == {"ann b": {1: {"product_defect": 1, "background_defect": 0}}}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,ann,2,0", "line 2: product_defect is '2'"),
        ("9,ann,1,0", "line 2: no item has number 9"),
        ("one,ann,1,0", "line 2: 'one' is not a number"),
        ("1,,1,0", "line 2: who answered"),
        ("1,ann,1,0\n1,Ann,0,0", "line 3: ann answered number 1 twice"),
    ],
)
def test_a_form_that_cannot_be_right_is_told_by_line(rows: str, message: str) -> None:
    with pytest.raises(TableError, match=message):
        read_answers(f"number,rater,product_defect,background_defect\n{rows}\n", ITEMS, "f")


def test_a_form_without_a_column_is_told() -> None:
    with pytest.raises(TableError, match="no column background_defect"):
        read_answers("number,rater,product_defect\n1,ann,1\n", ITEMS, "f")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["serve"], "a new study needs contestants"),
        (["serve", "--run", "canvas"], "NAME=PLACE expected"),
        (["serve", "--host", "0.0.0.0"], "a token of 16 characters"),
        (["serve", "--original_sec", "99"], "--original_sec"),
        (["serve", "--run", "canvas=nowhere", "--sample", "0"], "--sample must be positive"),
        (["score"], "no such study"),
        (["export", "--out", "x.parquet"], "no such study"),
    ],
)
def test_bad_usage_is_told_and_ends_with_2(
    argv: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *more = argv
    assert main([command, "--db", str(tmp_path / "new.db"), *more]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new.db").exists()


def test_a_port_that_is_taken_is_told(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", "--db", f"{made}/study.db", "--port", port]) == 2
    assert f"--port {port}: cannot listen" in capsys.readouterr().err
