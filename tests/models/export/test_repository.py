"""The checked-in configurations equal the contracts; the runtime form carries engines, code and digests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from models.export.repository import SOURCE, config_files, has_weights, main, materialise, read_config, write_configs
from transforms.errors import ConfigError
from transforms.inference.contracts import CONTRACTS


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_checked_in_configurations_equal_the_contracts(name: str) -> None:
    files = config_files(CONTRACTS[name])
    checked_in = {str(path.relative_to(SOURCE / name)) for path in (SOURCE / name).rglob("*.pbtxt")}
    assert checked_in == set(files)
    for path, config in files.items():
        assert read_config(SOURCE / name / path) == config


def test_the_repository_holds_exactly_the_contracts_models() -> None:
    assert {path.parent.name for path in SOURCE.glob("*/config.pbtxt")} == set(CONTRACTS)


def test_served_code_is_short() -> None:
    scripts = list(SOURCE.rglob("model.py"))
    python_models = [contract for contract in CONTRACTS.values() if not contract.platform]
    assert len(scripts) == len(python_models) + len(list((SOURCE / "backends").iterdir()))
    assert all(len(path.read_text().splitlines()) <= 80 for path in scripts)


def test_a_model_without_its_weights_is_left_out_and_refused_where_it_is_asked(tmp_path: Path) -> None:
    source = tmp_path / "bare"
    for name in ("studio", "canvas_background", "canvas_background_upscale"):
        shutil.copytree(SOURCE / name, source / name, ignore=shutil.ignore_patterns("weights"))
    assert not has_weights(source, "canvas_background") and has_weights(source, "studio")
    made = materialise(tmp_path / "cache", source)
    assert {path.name for path in (made / "models").iterdir()} == {"studio", "canvas_background_upscale"}
    with pytest.raises(ConfigError, match=r"canvas_background has no weights .* train and export them"):
        materialise(tmp_path / "cache", source, ["canvas_background", "canvas_background_upscale"])


def test_weights_are_part_of_a_models_identity(tmp_path: Path) -> None:
    source = tmp_path / "trained"
    shutil.copytree(SOURCE / "canvas_background", source / "canvas_background")
    weights = source / "canvas_background" / "1" / "weights"
    digests = []
    for number in range(2):
        weights.mkdir(exist_ok=True)
        (weights / "card.json").write_text(f"{number}")
        digests.append(digest(materialise(tmp_path / "cache", source), "canvas_background"))
    assert digests[0] != digests[1]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name in ("studio", "unsafe_image"):
        shutil.copytree(SOURCE / name, tmp_path / "source" / name)
    return tmp_path / "source"


def digest(runtime: Path, model: str) -> str:
    configs = [runtime / "models" / model / "configs" / "cpu.pbtxt", runtime / "models" / model / "config.pbtxt"]
    path = next(path for path in configs if path.is_file())
    return str(read_config(path).parameters["model_digest"].string_value)


def test_a_runtime_repository_is_complete_and_made_once(source: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with ThreadPoolExecutor(3) as pool:
        (made,) = set(pool.map(lambda _: materialise(cache, source), range(3)))
    assert (made / "models" / "unsafe_image" / "1" / "model.onnx").stat().st_size > 2**20
    assert (made / "backends" / "tensorrt" / "model.py").is_file()
    assert (made / "code" / "transforms" / "ops" / "studio.py").is_file()
    assert [path.name for path in cache.iterdir()] == [made.name]
    assert len(digest(made, "studio")) == len(digest(made, "unsafe_image")) == 64


def test_what_nobody_asks_for_or_a_killed_process_left_is_removed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, listed = tmp_path / "cache", Path.iterdir
    for name in ("0123", ".making-0123", ".making-4567"):
        (cache / name / "models").mkdir(parents=True)
    for name in ("0123", ".making-0123"):
        os.utime(cache / name, (0, 0))
    monkeypatch.setattr(Path, "iterdir", lambda path: [path / "pruned by another process", *listed(path)])
    made = materialise(cache, source, ["studio"])
    assert {path.name for path in listed(cache)} == {made.name, ".making-4567"}


def _other_source(source: Path) -> None:
    with (source / "studio" / "1" / "model.py").open("a") as script:
        script.write("# other\n")


def _other_config(source: Path) -> None:
    write_configs(source, [replace(CONTRACTS["studio"], max_batch=2)])


@pytest.mark.parametrize("change", [_other_source, _other_config])
def test_a_digest_changes_with_source_and_configuration_of_its_model_alone(
    source: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    before = materialise(tmp_path / "cache", source)
    change(source)
    after = materialise(tmp_path / "cache", source)
    assert digest(before, "studio") != digest(after, "studio")
    assert digest(before, "unsafe_image") == digest(after, "unsafe_image")


def test_instances_change_the_repository_and_not_the_digests(source: Path, tmp_path: Path) -> None:
    one, three = (materialise(tmp_path / "cache", source, ["studio"], factor) for factor in (1, 3))
    config = read_config(three / "models" / "studio" / "config.pbtxt")
    assert (one != three, config.instance_group[0].count) == (True, 3)
    assert digest(one, "studio") == digest(three, "studio")


def test_unknown_models_and_folders_are_configuration_errors(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match="does not hold magic; it holds studio, unsafe_image"):
        materialise(tmp_path / "cache", source, ["magic"])
    assert main(["--materialise", str(tmp_path / "cache"), "--source", str(tmp_path / "none")]) == 2
    assert "--triton_repo" in capsys.readouterr().err


def test_a_cache_that_takes_no_files_is_told_in_one_line(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    cache = tmp_path / "file" / "cache"
    assert main(["--materialise", str(cache), "--source", str(source), "--models", "studio"]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert str(cache) in told and "Not a directory" in told and "XDG_CACHE_HOME" in told
