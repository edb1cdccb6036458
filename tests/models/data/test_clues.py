"""What the mask refiner learns from: the stage's own view of a picture, thrice, beside the exact matte."""

import cv2
import numpy as np
import pytest

from models.data import clues
from models.data.clues import describe, main, read_clues, variants
from transforms.inference.fake import FakeClient
from transforms.ops.mask_gate import Looks


@pytest.fixture
def render(tmp_path):
    rows, columns = np.mgrid[:240, :180]
    coverage = np.clip(60.5 - np.hypot(rows - 120, columns - 90), 0, 1)
    pixels = coverage[..., None] * np.array([30.0, 60, 140]) + (1 - coverage[..., None]) * 250
    folder = tmp_path / "renders" / "library__disc"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "white.jpg"), np.rint(pixels), [cv2.IMWRITE_JPEG_QUALITY, 98])
    cv2.imwrite(str(folder / "alpha.png"), np.rint(coverage * 255))
    return folder


def test_a_render_is_described_once(render, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(clues, "local_segmenters", FakeClient)
    arguments = ["--renders", str(render.parent), "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    path = tmp_path / "out" / "library__disc.white.npz"
    written = path.stat().st_mtime_ns
    assert main(arguments) == 0
    assert capsys.readouterr().out == "1 pictures\n" * 2
    assert path.stat().st_mtime_ns == written
    pixels, alpha, shown = read_clues(path)
    assert (pixels.shape, alpha.shape, shown.shape) == ((512, 384, 3), (512, 384), (3, 512, 384, 5))
    inside, outside = alpha > 250, alpha < 5
    assert (shown[:, inside, 0] > 200).mean() > 0.98 and (shown[:, outside, 0] < 50).mean() > 0.98
    assert np.median(shown[:, inside, 2]) > 150 > 20 > np.median(shown[:, outside, 2])


def test_a_picture_without_a_smooth_backdrop_is_left_out():
    noise = np.random.Generator(np.random.Philox(3)).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    assert describe(noise, np.zeros((120, 160), np.float32), FakeClient()) is None


def test_the_second_set_of_looks_is_the_other_networks_alone():
    planes = [np.full((2, 2), value, np.float32) for value in (0.1, 0.2, 0.3, 0.4, 0.5, 0.8, 0.9)]
    looks = Looks(*planes)
    whole, alone, far = variants(looks, unseen=False)
    assert whole is looks
    assert alone.merged() == pytest.approx(looks.others())
    assert far.merged() != pytest.approx(looks.merged()) and far.others() == pytest.approx(looks.others())


def test_of_products_that_our_network_never_saw_one_set_is_enough(render):
    picture = cv2.imread(str(render / "white.jpg"))[..., ::-1]
    alpha = cv2.imread(str(render / "alpha.png"), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
    known, unseen = (describe(np.ascontiguousarray(picture), alpha, FakeClient(), unseen=it) for it in (False, True))
    assert len(known["clues"]) == 3 and np.array_equal(unseen["clues"], known["clues"][:1])
