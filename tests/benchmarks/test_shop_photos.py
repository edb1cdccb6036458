"""Files with alpha are laid before sheets, and their shadows are no product."""

import cv2
import numpy as np

from benchmarks.shop_photos import laid, photographs, print_gate, taken
from transforms.ops.mask_gate import load_gate


def cup():
    """RGBA uint8: a solid brown square that casts a faint shadow."""
    picture = np.zeros((400, 400, 4), np.uint8)
    picture[260:320, 100:300] = (0, 0, 0, 60)
    picture[100:300, 100:300] = (120, 80, 40, 255)
    return picture


def test_a_shadow_darkens_the_sheet_and_is_no_product():
    pixels, truth = laid(cup(), (255, 255, 255))
    assert pixels.shape == (1000, 1000, 3) and truth.shape == (1000, 1000)
    assert truth[300:700, 300:700].min() == 1 and truth.max() == 1
    assert not truth[770:].any()
    assert abs(int(pixels[780, 500, 0]) - 195) < 4 and pixels[20, 20].min() >= 254
    assert np.abs(laid(cup(), (232, 219, 205))[0][20, 20].astype(int) - (232, 219, 205)).max() < 3


def test_only_files_with_alpha_are_taken_and_each_before_both_sheets(tmp_path):
    cv2.imwrite(str(tmp_path / "cup.png"), cup())
    cv2.imwrite(str(tmp_path / "flat.png"), cup()[..., :3])
    samples = list(photographs(tmp_path))
    assert [sample.key for sample in samples] == ["cup/white", "cup/plain"]
    assert samples[0].read()[0][20, 20].min() >= 254 > samples[1].read()[0][20, 20].max()


def test_the_gate_is_counted(capsys):
    measures = dict.fromkeys(load_gate().weights, 0.0)
    row = {"backdrop": "white", "stage": {"iou": 0.95}, "shapeless": True, "measures": measures}
    assert not taken(row)
    print_gate([row, row | {"stage": {"iou": 0.5}}])
    assert "white: 1 of 1 good masks refused, 0 of 1 poor ones taken" in capsys.readouterr().out
