import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.ops.edge_width import narrow_edges, visibility
from transforms.ops.mask_metrics import iou
from transforms.ops.masks import resized
from transforms.records import Size

BACK = (240, 238, 236)
ALIKE, OTHER = (244, 244, 244), (40, 70, 160)


def disc(side, blur=1.2):
    """(soft alpha, true alpha) of a disc."""
    y, x = np.mgrid[:side, :side]
    true = np.clip(side / 3.3 - np.hypot(y - side / 2, x - side / 2.2) + 0.5, 0, 1).astype(np.float32)
    return cv2.GaussianBlur(true, (0, 0), blur), true


def picture(true, front):
    mixed = true[..., None] * np.float64(front) + (1 - true[..., None]) * np.float64(BACK)
    return np.rint(mixed).astype(np.uint8)


def enlarged(drawn, scale=3):
    return resized(drawn, Size(*(scale * side for side in drawn.shape)))


def softness(alpha):
    return int(((alpha > 0.1) & (alpha < 0.9)).sum())


def test_an_edge_that_colour_does_not_show_becomes_as_narrow_as_a_photographs():
    drawn, true = disc(120)
    before = enlarged(drawn)
    after = narrow_edges(before, drawn, picture(true, ALIKE))
    exact = disc(360)[1]
    assert softness(after) < 0.3 * softness(before)
    assert np.abs(after - exact).mean() < 0.5 * np.abs(before - exact).mean()


def test_an_edge_that_colour_shows_stays_as_it_is():
    drawn, true = disc(120)
    before = enlarged(drawn)
    assert np.array_equal(narrow_edges(before, drawn, picture(true, OTHER)), before)


def test_visibility_is_local():
    _, true = disc(120)
    image = picture(true, ALIKE)
    image[:60] = picture(true, OTHER)[:60]
    seen = visibility(image, true)
    edge = (true > 0) & (true < 1)
    assert seen[:50][edge[:50]].min() == 1.0
    assert seen[70:][edge[70:]].max() == 0.0


def test_a_matte_without_edges_stays():
    for level in (0.0, 1.0):
        alpha = np.full((40, 50), level, np.float32)
        assert np.array_equal(narrow_edges(alpha, alpha, np.full((40, 50, 3), 200, np.uint8)), alpha)


def test_thin_parts_stay_whole():
    line = np.zeros((120, 120), np.float32)
    line[58:61, 20:100] = [[0.4], [0.9], [0.5]]
    line = np.asarray(cv2.GaussianBlur(line, (0, 0), 0.6))
    before = enlarged(line)
    assert np.array_equal(narrow_edges(before, line, picture(line, ALIKE)), before)


def test_an_edge_stays_where_it_was():
    drawn, true = disc(120)
    before = enlarged(drawn)
    after = narrow_edges(before, drawn, picture(true, ALIKE))
    assert iou(after > 0.5, before > 0.5) > 0.995


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.integers(1, 3))
def test_any_matte_stays_a_matte(seed, scale):
    rng = np.random.default_rng(seed)
    drawn = np.clip(cv2.GaussianBlur(rng.normal(0.5, 1.5, (40, 30)), (0, 0), 2.0), 0, 1).astype(np.float32)
    after = narrow_edges(enlarged(drawn, scale), drawn, rng.integers(0, 256, (40, 30, 3), dtype=np.uint8))
    assert after.dtype == np.float32
    assert after.min() >= 0 and after.max() <= 1
