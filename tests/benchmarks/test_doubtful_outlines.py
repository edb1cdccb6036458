import cv2
import numpy as np
import pytest

from benchmarks.doubtful_outlines import chosen, errors_of, pictures_of, print_table, shown
from transforms.ops.doubt import Doubt
from transforms.records import Box, Cutout


def cutout_of(mask):
    return Cutout(np.zeros((*mask.shape, 3), np.uint8), mask.astype(np.float32), mask, Box(0, 0, *mask.shape))


def test_errors_of_a_pixels_width_are_nobodys():
    truth = np.zeros((40, 40), np.float32)
    truth[10:30, 10:30] = 1
    near, far = truth > 0, truth > 0
    near[9, 10:30] = True
    far[10:16, 10:16] = False
    assert not errors_of(cutout_of(near), truth).any()
    assert (errors_of(cutout_of(far), truth) > 0).sum() == 36


def test_what_is_seen_is_the_distance_of_the_original_from_the_backdrop_along_the_outline():
    product = np.zeros((40, 40), np.uint8)
    product[10:30, 10:30] = 255  # an outline of 76 pixels
    share = np.zeros((40, 40), np.uint8)
    share[0, :6] = 255
    black, white = np.zeros((40, 40, 3), np.uint8), np.full((40, 40, 3), 255, np.uint8)
    seen = shown(Doubt(white, share), [white, black], product)
    assert seen == [0.0, pytest.approx(100 * 6 / (6 * 76), rel=1e-3)]


def test_the_weight_decides_between_reward_and_doubt(capsys):
    row = {"iou": 0.95, "rewards": [0.8, 0.7], "doubts": [0.1, 0.0], "seen": [5.0, 1.0]}
    assert [chosen(row, weight, 2) for weight in (0.0, 0.9, 1.1)] == [0, 0, 1]
    print_table([row, row | {"iou": 0.5, "seen": [50.0, 10.0]}])
    lines = capsys.readouterr().out.splitlines()
    assert "1 good masks" in lines[0] and lines[2] == "| 4 | 0 | 5.00 | 5.00 | 50.00 | 0.800 |"
    assert lines[4] == "| 4 | 2 | 1.00 | 1.00 | 10.00 | 0.700 |"


def test_unfinished_renders_are_left_out(tmp_path):
    for name in ("chair", "sofa.partial"):
        (tmp_path / name).mkdir()
        for file in ("alpha.png", "white.jpg"):
            cv2.imwrite(str(tmp_path / name / file), np.zeros((4, 4), np.uint8))
    assert [path.parent.name for path in pictures_of([tmp_path])] == ["chair"]
