"""What an exported network paints of held-out pictures is told in a table, and shown."""

import json
import re
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("diffusers", reason="the extra `models` is not installed")

from variants import write_variant

from benchmarks.motion_frames import main, off, passing, photographs


def frame(shift=0):
    noise = np.random.Generator(np.random.Philox(3)).normal(0, 1, (8, 12, 3)).astype(np.float32)
    large = np.clip(128 + 40 * cv2.resize(noise, (96, 64), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)
    return np.roll(large, shift, axis=1)


def write(folder, split, **pictures):
    folder.mkdir(parents=True)
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / f"{name}.webp"), picture[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 101])
    (folder / "about.json").write_text(json.dumps({"split": split}))


def test_held_out_pictures_alone_are_told_and_shown(tmp_path, monkeypatch, capsys):
    for split in ("held_out", "train"):
        write(tmp_path / "scenes" / split, split, scene=frame(), later=frame(4))
        write(tmp_path / "photos" / split, split, scene=frame(1))
    write_variant(tmp_path / "weights", "image_to_motion", tmp_path)
    argv = [f"--{name}={tmp_path / name}" for name in ("scenes", "photos", "weights", "out")]
    monkeypatch.setattr(sys, "argv", ["motion_frames", *argv])
    assert main() == 0
    told = capsys.readouterr().out
    assert "| the true frame itself | 0.0 |" in told
    assert f"| the picture as it stands | {off(frame(), frame(4)):.1f} | 1.00 |" in told
    for line in (
        "held-out scenes, told as they move: . of 1",
        "photographs, two moves each: . of 2",
        "scenes, two .* 2",
    ):
        assert re.search(f"^{line} pass", told, re.MULTILINE)
    shown = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(shown) == 5 and "photographs-0-leftwards.png" in shown
    assert np.array_equal(next(photographs(tmp_path / "photos")), frame(1))


def test_reasons_are_counted():
    assert passing("clips", ["", "bends", "", "bends"]) == "clips: 2 of 4 pass (bends: 2)\n"
    assert passing("clips", [""]) == "clips: 1 of 1 pass\n"
