import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from transforms.ops.footing import FORESHORTENING, find_footing


def blank():
    return np.zeros((300, 300), np.float32)


def chair():
    """A seat on four legs, the far ones higher in the picture."""
    matte = blank()
    matte[60:140, 80:220] = 1
    for x, bottom in ((80, 250), (210, 240), (110, 215), (185, 205)):
        matte[140:bottom, x : x + 9] = 1
    return matte


def polygon(*points):
    matte = blank()
    cv2.fillPoly(matte, [np.array(points, np.int32)], 1.0)
    return matte


def test_nothing_stands_nowhere():
    assert find_footing(blank()) is None


def test_a_flat_base_touches_the_floor_all_along():
    matte = blank()
    matte[100:200, 100:160] = 1
    footing = find_footing(matte)
    assert footing.floor_row == 199 and not footing.feet
    assert np.flatnonzero(footing.touching).tolist() == list(range(100, 160))
    assert footing.depth == pytest.approx(FORESHORTENING * 60)


def test_every_leg_of_a_chair_stands_on_the_floor():
    footing = find_footing(chair())
    assert sorted(foot.row for foot in footing.feet) == [204, 214, 239, 249]
    assert footing.back_row <= 204 and footing.floor_row == 249
    assert all(footing.touching[foot.left : foot.right + 1].all() for foot in footing.feet)


def test_what_is_held_up_does_not_touch_the_floor():
    lamp = blank()
    lamp[60:110, 60:240] = 1
    lamp[110:230, 145:155] = 1
    lamp[230:250, 120:180] = 1
    touching = np.flatnonzero(find_footing(lamp).touching)
    assert touching.min() == 120 and touching.max() == 179


def test_the_long_edge_of_a_box_that_recedes_stands_on_the_floor():
    box = polygon((60, 100), (60, 240), (140, 250), (230, 190), (230, 60), (150, 50))
    touching = np.flatnonzero(find_footing(box).touching)
    assert touching.max() >= 225


def test_the_flared_sides_of_a_bowl_do_not():
    bowl = polygon((50, 120), (120, 220), (180, 220), (250, 120))
    touching = np.flatnonzero(find_footing(bowl).touching)
    assert touching.min() >= 110 and touching.max() <= 190


@settings(max_examples=40, deadline=None)
@given(arrays(np.float32, (24, 31), elements=st.sampled_from([0.0, 0.25, 1.0])))
def test_any_matte_has_a_footing_within_the_picture(matte):
    footing = find_footing(matte)
    assert (footing is None) == (not (matte > 0.5).any())
    if footing is not None:
        assert 0 <= footing.floor_row < 24 and footing.back_row <= footing.floor_row
        assert not footing.touching[footing.bottom < 0].any()
