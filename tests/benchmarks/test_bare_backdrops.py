import cv2
import numpy as np
import pytest

from benchmarks import bare_backdrops
from benchmarks.bare_backdrops import Told, pictures_of, row_of, told_of
from transforms.inference.fake import FakeClient
from transforms.ops.mask_gate import Looks


def box_on(sheet):
    picture = sheet.copy()
    picture[150:330, 100:220] = (60, 90, 150)
    return picture


@pytest.fixture(autouse=True)
def knowing(monkeypatch):
    """Networks that know where the box is."""
    probability = cv2.resize(np.pad(np.ones((180, 120), np.float32), [(150, 90), (100, 100)]), (390, 512))
    monkeypatch.setattr(bare_backdrops, "look", lambda pixels, client: Looks(*[probability] * 7))
    monkeypatch.setattr(bare_backdrops, "refine", lambda seen, client: seen)


def test_a_plain_sheet_tells_and_a_tiled_floor_does_not():
    sheet = np.full((420, 320, 3), 230, np.uint8)
    floor = sheet.copy()
    floor[15::40, :] = floor[:, 15::40] = 200
    plain, tiled = (told_of(box_on(each), FakeClient()) for each in (sheet, floor))
    assert plain.bare and plain.grain < 0.7 and plain.strength < 0.1
    assert not tiled.bare and tiled.grain > 1.1 and tiled.strength == 0.0


def test_a_shadow_is_told_by_its_strength():
    sheet = np.full((420, 320, 3), 230, np.uint8)
    sheet[325:350, 90:250] = 120
    assert told_of(box_on(cv2.GaussianBlur(sheet, (0, 0), 4)), FakeClient()).strength > 0.3


def test_a_scene_is_not_looked_at():
    rng = np.random.default_rng(0)
    assert told_of(rng.integers(0, 255, (200, 200, 3)).astype(np.uint8), FakeClient()) is None


def test_masks_and_unfinished_renders_are_left_out(tmp_path):
    for name in ("chair/white.jpg", "chair/alpha.png", "sofa.partial/white.jpg", "a.webp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.zeros((4, 4, 3), np.uint8))
    assert sorted(path.name for path in pictures_of(tmp_path)) == ["a.webp", "white.jpg"]


def test_a_row_counts_what_is_known_and_what_is_strong():
    row = row_of("shop", [Told(0.5, True, 0.3), Told(0.7, True, 0.05), Told(3.0, False, 0.0)])
    assert row == "| shop | 3 | 0.50 | 0.70 | 3.00 | 2 | 1 |"
    assert row_of("none", []).startswith("| none | 0 | nan")
