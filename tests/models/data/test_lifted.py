"""What is lifted out of a render is the product alone: its colour up to the edge, and the exact coverage."""

import cv2
import numpy as np
import pytest

from models.data.cutouts import read_layers
from models.data.lifted import lifted, main

_RED, _WHITE = np.array([180.0, 40.0, 30.0]), np.array([255.0, 255.0, 255.0])


@pytest.fixture
def render(tmp_path):
    rows, columns = np.mgrid[:96, :96]
    coverage = np.clip(30.5 - np.hypot(rows - 48, columns - 48), 0, 1)
    pixels = coverage[..., None] * _RED + (1 - coverage[..., None]) * _WHITE
    folder = tmp_path / "renders" / "library__disc"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "white.jpg"), np.rint(pixels[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 98])
    cv2.imwrite(str(folder / "alpha.png"), np.rint(coverage * 255))
    return folder


def test_the_backdrop_does_not_shine_through_the_edge(render):
    layers = lifted(render / "white.jpg", render / "alpha.png")
    edge = (layers.coverage > 100) & (layers.coverage < 250)
    assert edge.sum() > 20
    seen = cv2.imread(str(render / "white.jpg"))[..., ::-1]
    assert np.abs(layers.color[edge] - _RED).mean() < 0.35 * np.abs(seen[edge] - _RED).mean()


def test_every_finished_render_is_lifted_once(render, tmp_path):
    (render.parent / "library__other.partial").mkdir()
    (render.parent / "library__other.partial" / "alpha.png").write_bytes(b"half")
    out = tmp_path / "cutouts"
    arguments = ["--renders", str(render.parent), "--out", str(out)]
    assert main(arguments) == 0
    written = (out / "library__disc.lifted.webp").stat().st_mtime_ns
    assert main(arguments) == 0
    assert [path.name for path in out.iterdir()] == ["library__disc.lifted.webp"]
    assert (out / "library__disc.lifted.webp").stat().st_mtime_ns == written
    assert np.array_equal(read_layers(out / "library__disc.lifted.webp").coverage > 128, lifted_mask(render))


def lifted_mask(render):
    return cv2.imread(str(render / "alpha.png"), cv2.IMREAD_GRAYSCALE) > 128
