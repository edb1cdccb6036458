"""What a served model depends on is found by reading it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.export.identity import PROJECT_ROOT, dependencies_of, digest_of, version_of


def test_imports_are_followed_and_packages_named_with_their_versions(tmp_path: Path) -> None:
    script = tmp_path / "model.py"
    script.write_text("import json\nfrom models.serving import items\n\ndef late():\n    import numpy\n")
    found = dependencies_of(script)
    assert {"model.py", "models/__init__.py", "models/serving/items.py", "transforms/inference/contracts.py"} <= set(
        found.files
    )
    assert f"numpy=={np.__version__}" in found.packages
    assert not [name for name in found.packages if name.startswith("json")]


@pytest.mark.parametrize("model", ["text_detector", "human_detector", "reward"])
def test_what_a_detector_computes_with_is_part_of_it(model: str) -> None:
    packages = dependencies_of(PROJECT_ROOT / "triton_repo" / model / "1" / "model.py").packages
    assert f"onnxruntime=={version_of('onnxruntime')}" in packages


def test_imports_for_types_alone_do_not_count(tmp_path: Path) -> None:
    script = tmp_path / "model.py"
    script.write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from models.serving import items\n")
    assert set(dependencies_of(script).files) == {"model.py"}


def test_data_files_that_are_named_count(tmp_path: Path) -> None:
    script = tmp_path / "model.py"
    script.write_text("NAME = 'human_head.onnx'\n")
    assert "transforms/data/human_head.onnx" in dependencies_of(script).files


def test_of_the_cards_those_of_named_weights_count_wherever_they_are_named(tmp_path: Path) -> None:
    script = tmp_path / "model.py"
    script.write_text("import models.export.cards\nNAME = 'reward.onnx'\n")
    cards = [name for name in dependencies_of(script).files if name.endswith("card.json")]
    assert cards == ["models/weights/reward/card.json"]
    script.write_text("import models.export.cards\n")
    assert not [name for name in dependencies_of(script).files if name.startswith("models/weights")]


@pytest.mark.parametrize(
    ("model", "weights"),
    [("canvas_background", {"text_encoder", "upscaler"}), ("canvas_staging", {"stager"}), ("reward", {"reward"})],
)
def test_a_painter_stays_the_same_when_weights_that_it_does_not_ask_change(model: str, weights: set[str]) -> None:
    files = dependencies_of(PROJECT_ROOT / "triton_repo" / model / "1" / "model.py").files
    assert {name.split("/")[2] for name in files if name.startswith("models/weights/")} == weights


def test_parts_do_not_run_into_each_other() -> None:
    assert digest_of([b"ab", b"c"]) != digest_of([b"a", b"bc"])


def test_versions_are_found_by_import_name() -> None:
    assert version_of("cv2").startswith("4.")
    assert version_of("no_such_package") == ""
