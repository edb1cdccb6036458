"""What the stages decide by is part of the keys: other data gives other results."""

import shutil
from importlib import resources
from pathlib import Path

import pytest

from transforms import version
from transforms.version import PIPELINE_VERSION, results_version


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package's data that may be changed."""
    shutil.copytree(str(resources.files("transforms").joinpath("data")), tmp_path / "data")
    monkeypatch.setattr(version.resources, "files", lambda name: tmp_path)
    return tmp_path


def test_a_gate_that_is_fitted_anew_changes_the_version_of_results(package: Path) -> None:
    before = results_version.__wrapped__()
    assert before == results_version.__wrapped__() and before.startswith(f"{PIPELINE_VERSION}+")
    gate = package / "data" / "mask_gate.json"
    gate.write_text(gate.read_text(encoding="utf-8").replace('"bias": -', '"bias": -1'), encoding="utf-8")
    assert results_version.__wrapped__() != before


def test_moving_content_between_files_changes_it(package: Path) -> None:
    before = results_version.__wrapped__()
    (package / "data" / "rooms.csv").rename(package / "data" / "sets.csv")
    assert results_version.__wrapped__() != before
