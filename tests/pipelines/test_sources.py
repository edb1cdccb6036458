from pathlib import Path
from urllib.parse import quote

import pytest

from pipelines.sources import cut_shards, manifest_files
from transforms.errors import ManifestError
from transforms.manifest import ColumnMap
from transforms.storage.store import StoreConfig


@pytest.fixture
def nightly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nightly" / "old").mkdir(parents=True)
    for name in ("nightly/a.parquet", "nightly/old/b.parquet", "nightly/notes.txt", "c[1].parquet"):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("manifest", "names"),
    [
        ("nightly/*.parquet", ["nightly/a.parquet"]),
        ("nightly/**/*.parquet", ["nightly/a.parquet", "nightly/old/b.parquet"]),
        ("nightly/?.parquet", ["nightly/a.parquet"]),
        ("*/a.parquet", ["nightly/a.parquet"]),
        ("./n*/*.parquet", ["nightly/a.parquet"]),
        ("nightly", ["nightly/a.parquet", "nightly/old/b.parquet"]),
        ("nightly/a.parquet", ["nightly/a.parquet"]),
        ("c[1].parquet", ["c[1].parquet"]),
        ("nightly/notes.txt", ["nightly/notes.txt"]),
    ],
)
def test_a_glob_stays_in_its_folder(nightly: Path, manifest: str, names: list[str]) -> None:
    found = manifest_files(manifest, StoreConfig())
    assert [Path(uri).as_posix() for uri in found] == names


@pytest.mark.parametrize(
    ("manifest", "names"),
    [
        ("spark", ["spark/m.parquet"]),
        ("spark/*.parquet", ["spark/m.parquet"]),
        ("spark/**/*.parquet", ["spark/_temporary/0/m.parquet", "spark/m.parquet"]),
        ("spark/.*.parquet", ["spark/._m.parquet"]),
        ("spark/_temporary", ["spark/_temporary/0/m.parquet"]),
        ("one [new]", ["one [new]/m.parquet"]),
    ],
)
def test_what_a_writer_keeps_to_itself_is_no_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manifest: str, names: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    files = ("m.parquet", "._m.parquet", ".staging/m.parquet", "_temporary/0/m.parquet")
    for name in (*(f"spark/{each}" for each in files), "one [new]/m.parquet"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"")
    assert manifest_files(manifest, StoreConfig()) == names


def test_a_glob_may_be_an_address(nightly: Path) -> None:
    assert manifest_files(f"file://{nightly}/nightly/*.parquet", StoreConfig()) == [
        f"file://{nightly}/nightly/a.parquet"
    ]


def test_a_file_that_is_no_parquet_is_told_apart_from_one_that_is_not_there(nightly: Path) -> None:
    (nightly / "feed.csv").write_text("id,image_link\n1,a.jpg\n")
    files = manifest_files("feed.csv", StoreConfig())
    with pytest.raises(ManifestError, match=r"feed\.csv is not a Parquet file") as refused:
        cut_shards(files, ColumnMap(), StoreConfig())
    assert "write the manifest as Parquet" in refused.value.remedy


@pytest.mark.parametrize("manifest", ["nightly/*.pq", "none/*.parquet", "none"])
def test_nothing_found_is_said(nightly: Path, manifest: str) -> None:
    with pytest.raises(ManifestError, match="no Parquet file found"):
        manifest_files(manifest, StoreConfig())


@pytest.mark.parametrize(("manifest", "output"), [("file://", ""), ("", "file://"), ("file://", "file://localhost")])
@pytest.mark.parametrize("glob", ["", "/**/*.parquet"])
def test_the_tables_of_an_output_are_no_manifest_however_its_address_is_spelled(
    tmp_path: Path, manifest: str, output: str, glob: str
) -> None:
    for name in ("one night/m.parquet", "one night/out/runs/one/plan/part-00000.parquet"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    spelled = {"": f"{tmp_path}/one night"}
    told, kept = (spelled.get(scheme, f"{scheme}{quote(spelled[''])}") for scheme in (manifest, output))
    found = manifest_files(f"{told}{glob}", StoreConfig(), f"{kept}/out")
    assert found == [f"{told}/m.parquet"]


@pytest.mark.parametrize(
    ("manifest", "names"),
    [
        ("", ["m.parquet"]),
        ("/**/*.parquet", ["m.parquet"]),
        ("/out/runs/one/dead_letters", ["out/runs/one/dead_letters/part-00000.parquet"]),
        ("/out/runs/*/dead_letters/*.parquet", ["out/runs/one/dead_letters/part-00000.parquet"]),
    ],
)
def test_the_tables_of_an_output_within_the_manifest_are_no_manifest(
    tmp_path: Path, manifest: str, names: list[str]
) -> None:
    runs = ("out/runs/one/dead_letters", "out/runs/one/plan", "out/ledger/one", "out/scene_runs/two")
    for name in ("m.parquet", *(f"{folder}/part-00000.parquet" for folder in runs)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = manifest_files(f"{tmp_path}{manifest}", StoreConfig(), f"{tmp_path}/out")
    assert found == [f"{tmp_path}/{name}" for name in names]


def test_an_output_may_be_the_manifest_s_own_folder(nightly: Path) -> None:
    (nightly / "nightly" / "ledger" / "one").mkdir(parents=True)
    (nightly / "nightly" / "ledger" / "one" / "keys-1.parquet").write_bytes(b"")
    found = manifest_files("nightly", StoreConfig(), "nightly")
    assert found == ["nightly/a.parquet", "nightly/old/b.parquet"]
