"""The command that paints several products into one scene: what it takes, what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines.synthesise import MODEL, main, read_products, synthesise
from transforms.errors import ConfigError
from transforms.inference.fake import FakeClient
from transforms.records import Size


def write(path: Path, colour: tuple[int, int, int], alpha: int = 255) -> None:
    pixels = np.full((20, 12, 4), (*colour[::-1], alpha), np.uint8)
    pixels[0, 0, 3] = 0  # a WebP that is opaque everywhere has no alpha
    cv2.imwrite(str(path), pixels)


def test_products_come_by_name_and_every_request_shows_all_of_them(tmp_path: Path) -> None:
    write(tmp_path / "b.png", (1, 2, 3))
    write(tmp_path / "a.webp", (250, 0, 0))
    products = read_products(tmp_path)
    assert [tuple(product[9, 6]) for product in products] == [(250, 0, 0, 255), (1, 2, 3, 255)]
    client = FakeClient()
    scenes = synthesise(client, products, "oak floor", Size(96, 80), range(6))
    assert [scene.shape for scene in scenes] == [(96, 80, 3)] * 6 and len(
        {int(scene[0, 0, 0]) for scene in scenes}
    ) == 6
    assert [(model, len(inputs["SEED"])) for model, inputs in client.requests] == [(MODEL, 4), (MODEL, 2)]
    assert all(inputs["REFERENCES"][:, :2].any(axis=(2, 3, 4)).all() for _, inputs in client.requests)


def test_what_cannot_be_a_scene_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="holds 0 PNG or WebP files"):
        read_products(tmp_path)
    write(tmp_path / "a.png", (1, 2, 3), alpha=0)
    with pytest.raises(ConfigError, match=r"a\.png' shows nothing"):
        read_products(tmp_path)
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ConfigError, match=r"a\.png' is no picture with an 8-bit alpha"):
        read_products(tmp_path)
    write(tmp_path / "a.png", (1, 2, 3))
    assert main(["--products", str(tmp_path), "--prompt", "x", "--out", str(tmp_path), "--size", "100x80"]) == 2
    assert "sides divisible by 16" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["pipelines.synthesise", "--help"], ["pipelines.review", "serve", "--help"]])
def test_the_command_does_not_begin_with_a_warning_of_beam(argv: list[str]) -> None:
    shown = subprocess.run([sys.executable, "-m", *argv], capture_output=True, text=True, timeout=120)
    assert shown.returncode == 0 and shown.stdout.startswith(f"usage: python -m {argv[0]}") and shown.stderr == ""


def test_the_review_loads_no_beam() -> None:
    says = "import sys, pipelines.review.commands, pipelines.review.app; print('apache_beam' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", says], capture_output=True, text=True, timeout=120)
    assert shown.stdout == "False\n"
