"""Dead letters become a manifest: all that were asked for, and nothing in silence."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.finish import DEAD_LETTER_SCHEMA
from pipelines.replay import main
from pipelines.sources import cut_shards
from transforms.manifest import ColumnMap
from transforms.storage.store import StoreConfig


def letters(folder: Path) -> str:
    """A run with a dead letter of each of three reasons."""
    rows = [{"product_id": reason, "reason": reason, "stage": "load"} for reason in ("not_found", "denied", "empty")]
    (folder / "dead_letters").mkdir(parents=True)
    table = pa.Table.from_pylist(rows, schema=DEAD_LETTER_SCHEMA)
    pq.write_table(table, folder / "dead_letters" / "part-00000.parquet")
    return str(folder)


@pytest.mark.parametrize("reasons", ["not_found,denied", "not_found, denied", " not_found ,, denied "])
def test_reasons_may_have_spaces_between_them(reasons: str, tmp_path: Path) -> None:
    run, to = letters(tmp_path / "runs" / "night"), tmp_path / "replay.parquet"
    assert main([run, "--reason", reasons, "--to", str(to)]) == 0
    assert pq.read_table(to).column("product_id").to_pylist() == ["not_found", "denied"]


def test_a_damaged_file_of_dead_letters_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = letters(tmp_path / "runs" / "night")
    (Path(run) / "dead_letters" / "part-00001.parquet").write_bytes(b"PAR1")
    assert main([run, "--to", str(tmp_path / "replay.parquet")]) == 2
    assert "part-00001.parquet" in capsys.readouterr().err


def test_an_earlier_replay_does_not_outlive_one_without_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, to = letters(tmp_path / "runs" / "night"), tmp_path / "replay.parquet"
    assert main([run, "--to", str(to)]) == 0
    assert main([run, "--reason", "notfound", "--to", str(to)]) == 0
    said = capsys.readouterr().out
    assert "no dead letter matches" in said and "load not_found 1, load denied 1, load empty 1" in said
    assert cut_shards([str(to)], ColumnMap(), StoreConfig()) == []


def test_of_scenes_it_is_said_where_failures_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "scene_runs" / "night"), "--to", str(tmp_path / "replay.parquet")]) == 2
    assert "products.parquet" in capsys.readouterr().err
