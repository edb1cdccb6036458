"""The table of the motion check's limits: what a camera sees passes it, what stands still or bends does not."""

import json

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

import sys

from variants import write_checkpoints

from benchmarks.motion_limits import SEEN, bent, blurred, line_of, main, measured, pairs_of, panned


def frame(shift=0):
    noise = np.random.Generator(np.random.Philox(3)).normal(0, 1, (26, 38, 3)).astype(np.float32)
    large = np.clip(128 + 40 * cv2.resize(noise, (304, 208), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)
    return np.roll(large, shift, axis=1)


@pytest.fixture
def scenes(tmp_path):
    folder = tmp_path / "scenes" / "scene-0-0"
    folder.mkdir(parents=True)
    for name, shift in (("scene", 0), ("later", 7)):
        cv2.imwrite(str(folder / f"{name}.webp"), frame(shift)[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 101])
    (folder / "about.json").write_text(json.dumps({"split": "held_out"}))
    return folder.parent


def test_what_a_camera_sees_passes_and_a_bent_copy_does_not():
    soft = blurred(frame(), 1)
    true, away, still, wrong = (
        measured(frame(), painted, soft)
        for painted in (blurred(frame(7), 1), panned(soft), soft, bent(panned(soft), 3))
    )
    assert line_of("true", [true, away]).endswith("| 100% | - |")
    assert line_of("wrong", [still, wrong]).endswith("| 0% | - |")
    assert line_of("both", [wrong] * SEEN + [true, wrong]).endswith("| 0% | 50% |")
    assert not measured(frame(), blurred(frame(7), 1), soft, "the camera moves nearer")[1]


def test_the_table_is_of_every_scene_with_a_later_frame(scenes, tmp_path, monkeypatch, capsys):
    write_checkpoints(tmp_path)
    assert [split for split, _, _ in pairs_of(scenes)] == ["held_out"]
    monkeypatch.setattr(
        sys, "argv", ["motion_limits", "--scenes", str(scenes), "--model", str(tmp_path / "autoencoder")]
    )
    assert main() == 0
    assert capsys.readouterr().out.count("\n| ") == 8
