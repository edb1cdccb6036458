import cv2
import numpy as np
import pytest

from benchmarks.doubtful_outlines import chosen, errors_of, over, pictures_of, print_table, shown
from transforms.laying import Laid
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


def test_what_is_seen_is_the_distance_from_the_true_picture_where_the_matte_is_wrong():
    product = np.zeros((40, 40), np.uint8)
    product[10:30, 10:30] = 255  # an outline of 76 pixels
    wrong = np.zeros((40, 40), bool)
    wrong[0, :6] = True
    black, white = np.zeros((40, 40, 3), np.uint8), np.full((40, 40, 3), 255, np.uint8)
    assert shown(white, white, wrong, product) == 0.0
    assert shown(white, black, wrong, product) == pytest.approx(100 * 6 / (6 * 76), rel=1e-3)


def test_a_product_is_laid_before_its_backdrop():
    alpha = np.zeros((4, 4), np.uint8)
    alpha[:2], alpha[2] = 255, 51
    red, blue = (np.full((4, 4, 3), rgb, np.uint8) for rgb in ((200, 0, 0), (0, 0, 100)))
    laid = over(Laid(red, alpha, alpha), blue)
    assert (
        laid[0, 0].tolist() == [200, 0, 0] and laid[2, 0].tolist() == [40, 0, 80] and laid[3, 0].tolist() == [0, 0, 100]
    )


def test_the_weight_decides_between_reward_and_doubt(capsys):
    painted = {"rewards": [0.8, 0.7], "doubts": [0.1, 0.0], "seen": [5.0, 1.0]}
    assert [chosen(painted, weight, 2) for weight in (0.0, 0.9, 1.1)] == [0, 0, 1]
    kept = painted | {"seen": [3.0, 0.5]}
    poor = {"iou": 0.5, "painted": painted | {"seen": [50.0, 10.0]}, "kept": kept}
    print_table([{"iou": 0.95, "painted": painted, "kept": kept}, poor])
    lines = capsys.readouterr().out.splitlines()
    assert "1 good masks" in lines[0] and lines[2] == "| painted | 4 | 0 | 5.00 | 5.00 | 50.00 | 0.800 |"
    assert lines[3] == "| painted | 4 | 2 | 1.00 | 1.00 | 10.00 | 0.700 |"
    assert lines[10] == "| kept | 4 | 0 | 3.00 | 3.00 | 3.00 | 0.800 |"


def test_unfinished_renders_are_left_out_and_those_before_one_backdrop_are_not(tmp_path):
    for name, files in (("chair", ("white", "plain")), ("sofa.partial", ("white",)), ("vase", ("plain",))):
        (tmp_path / name).mkdir()
        for file in ("alpha.png", *(f"{backdrop}.jpg" for backdrop in files)):
            cv2.imwrite(str(tmp_path / name / file), np.zeros((4, 4), np.uint8))
    found = [f"{path.parent.name}/{path.stem}" for path in pictures_of([tmp_path])]
    assert found == ["chair/white", "chair/plain", "vase/plain"]
