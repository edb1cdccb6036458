import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from transforms.ops.lying import find_lying


def polygon(*points, side=300):
    matte = np.zeros((side, side), np.float32)
    cv2.fillPoly(matte, [np.array(points, np.int32)], 1.0)
    return matte


def block(pitch, turned_deg, side=800, height=90, edges=(300, 300)):
    """A block seen from far away, by the sine of the camera's pitch and by how far its right edge is turned."""
    turn = np.radians(turned_deg)
    right = np.array([np.cos(turn), -pitch * np.sin(turn)]) * edges[1]
    left = np.array([-np.sin(turn), -pitch * np.cos(turn)]) * edges[0]
    corner, up = np.array([side / 2, 0.85 * side]), np.array([0, -height])
    outline = (corner, corner + right, corner + right + up, corner + right + left + up, corner + left + up)
    return polygon(*(np.rint(point) for point in (*outline, corner + left)), side=side)


def roller(lean_deg, length=200, width=40):
    box = cv2.boxPoints(((150, 150), (width, length), lean_deg))
    return polygon(*np.rint(box))


@pytest.mark.parametrize("pitch", [0.45, 0.6, 0.75])
@pytest.mark.parametrize("turned", [35, 50])
def test_a_blocks_corner_tells_the_cameras_pitch_and_its_own_height(pitch, turned):
    lying = find_lying(block(pitch, turned))
    assert lying.foreshortening == pytest.approx(pitch, abs=0.06)
    assert lying.height == pytest.approx(90, abs=10) and lying.widest == lying.height


def test_a_block_before_a_level_camera_stands():
    assert find_lying(block(0.24, 40)) is None


@pytest.mark.parametrize("lean", [30, 45, 60, -45])
def test_what_is_long_and_aslant_lies(lean):
    assert find_lying(roller(lean)).height == pytest.approx(0.7 * 41, rel=0.1)


@pytest.mark.parametrize("lean", [0, 8, 85, 90])
def test_what_is_long_and_upright_or_level_does_not(lean):
    assert find_lying(roller(lean)) is None


def test_a_ball_a_bowl_and_a_tent_on_two_poles_stand():
    ball = np.zeros((300, 300), np.float32)
    cv2.circle(ball, (150, 150), 100, 1.0, -1)
    bowl = polygon((50, 120), (120, 220), (180, 220), (250, 120))
    tent = polygon((50, 250), (150, 60), (250, 250), (240, 250), (150, 90), (60, 250))
    assert [find_lying(matte) for matte in (ball, bowl, tent)] == [None] * 3


@pytest.mark.parametrize("make", [lambda: block(0.6, 40), lambda: roller(45)])
def test_it_is_the_same_at_any_size(make):
    matte = make()
    small, large = find_lying(matte), find_lying(cv2.resize(matte, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST))
    assert large.height / 3 == pytest.approx(small.height, rel=0.08)
    assert large.foreshortening == pytest.approx(small.foreshortening, abs=0.04)


@settings(max_examples=40, deadline=None)
@given(arrays(np.float32, (24, 31), elements=st.sampled_from([0.0, 0.25, 1.0])))
def test_any_matte_has_an_answer(matte):
    lying = find_lying(matte)
    assert lying is None or (0 < lying.widest <= lying.height and 0 < lying.foreshortening < 1)
