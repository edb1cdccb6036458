"""Filled forms as people send them: other encodings, quotation marks that do not end, odd sizes."""

from pathlib import Path

import pytest

from pipelines.rating.__main__ import main
from pipelines.rating.forms import rows_of, text_of
from pipelines.rating.study import Study
from transforms.errors import TableError


def test_a_form_is_read_with_commas_semicolons_and_a_mark_in_front() -> None:
    for text in ("number,rater\n1,ann\n", "number;rater\n1;ann\n"):
        assert list(rows_of(text_of(text.encode("utf-8-sig"), "f"), ["number"], "f")) == [
            (2, {"number": "1", "rater": "ann"})
        ]


@pytest.mark.parametrize("data", ["number,rater\n1,Zoë\n".encode("cp1252"), "number,rater\n1,ann\n".encode("utf-16")])
def test_another_encoding_is_named_with_its_remedy(
    data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Study.open(tmp_path / "s.sqlite", "defects")
    (tmp_path / "filled.csv").write_bytes(data)
    assert main(["answers", "--db", str(tmp_path / "s.sqlite"), str(tmp_path / "filled.csv")]) == 2
    assert main(["sheets", "--db", str(tmp_path / "s.sqlite"), "--out", str(tmp_path / "out"), "--key",
                 str(tmp_path / "key.csv"), "--csv", f"canvas={tmp_path / 'filled.csv'}"]) == 2  # fmt: skip
    message = capsys.readouterr().err
    assert message.count("filled.csv is not in UTF-8") == 2 and "save it as CSV in UTF-8" in message


def test_a_quotation_mark_that_does_not_end_is_named() -> None:
    with pytest.raises(TableError, match="filled line"):
        list(rows_of('number,rater\n1,"ann\n' + "x" * 200_000, ["number"], "filled"))


@pytest.mark.parametrize("side", ["0", "-5", "100000"])
def test_a_side_that_cannot_be_drawn_is_refused(side: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sheets", "--db", "s", "--out", "o", "--key", "k", "--side", side])
    assert "a side is 16 to 4096 pixels" in capsys.readouterr().err
