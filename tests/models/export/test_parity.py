"""Engines held against their reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.export.parity import load_images, main, parity_of
from pipelines.embedded import EmbeddedServer


def test_parity_sees_the_worst_value_and_the_worst_mask() -> None:
    reference = np.zeros((2, 2, 2, 1), np.float32)
    reference[0, 0] = 1
    answer = reference.copy()
    answer[0, 0, 0] = 0.25
    parity = parity_of(answer, reference)
    assert parity == (0.75, 0.75 / 8, 0.5)
    assert parity_of(reference[1:], reference[1:]).least_iou == 1.0


def test_images_are_read_and_what_is_none_is_left_out(tmp_path: Path) -> None:
    Image.new("L", (30, 20), 200).save(tmp_path / "grey.png")
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff")
    assert load_images(tmp_path, 16, 5).shape == (1, 16, 16, 3)
    assert load_images(tmp_path, 16, 5, 8).shape == (1, 16, 16, 8)


@pytest.mark.triton
def test_served_engines_agree_with_their_reference(
    triton: EmbeddedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, columns = np.mgrid[:320, :320]
    disc = (rows - 160) ** 2 + (columns - 160) ** 2 < 90**2
    Image.fromarray(np.where(disc[..., None], (150, 30, 40), 245).astype(np.uint8)).save(tmp_path / "disc.png")
    assert main(["--triton", triton.address, "--images", str(tmp_path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    least = [float(line.rpartition("least_iou=")[2].rstrip(")")) for line in printed]
    means = [float(line.rpartition("mean=")[2].split(",")[0]) for line in printed]
    names = [line.partition(":")[0] for line in printed]
    assert names == ["segmenter", "product_segmenter", "mask_refiner", "unsafe_image"]
    assert min(least) > 0.97
    assert max(means) < 0.02
