"""The table of the motion check's limits: a true later frame passes it, a blurred first frame does not."""

import json

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

import sys

from variants import write_checkpoints

from benchmarks.motion_limits import blurred, line_of, main, measured, pairs_of


def frame(shift=0):
    noise = np.random.Generator(np.random.Philox(3)).normal(0, 1, (24, 32, 3)).astype(np.float32)
    large = np.clip(128 + 15 * cv2.resize(noise, (128, 96), interpolation=cv2.INTER_NEAREST), 0, 255).astype(np.uint8)
    return np.roll(large, shift, axis=1)


@pytest.fixture
def scenes(tmp_path):
    folder = tmp_path / "scenes" / "scene-0-0"
    folder.mkdir(parents=True)
    for name, shift in (("scene", 0), ("later", 5)):
        cv2.imwrite(str(folder / f"{name}.webp"), frame(shift)[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 101])
    (folder / "about.json").write_text(json.dumps({"split": "held_out"}))
    return folder.parent


def test_a_true_frame_passes_and_a_blurred_one_does_not():
    soft = blurred(frame(), 1)
    assert line_of("true", [measured(frame(), blurred(frame(5), 1), soft)]).endswith("100% |")
    assert line_of("blurred", [measured(frame(), blurred(frame(5), 4), soft)]).endswith("0% |")


def test_the_table_is_of_every_scene_with_a_later_frame(scenes, tmp_path, monkeypatch, capsys):
    write_checkpoints(tmp_path)
    assert [split for split, _, _ in pairs_of(scenes)] == ["held_out"]
    monkeypatch.setattr(
        sys, "argv", ["motion_limits", "--scenes", str(scenes), "--model", str(tmp_path / "autoencoder")]
    )
    assert main() == 0
    assert capsys.readouterr().out.count("| the ") == 8
