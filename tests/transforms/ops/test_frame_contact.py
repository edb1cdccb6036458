import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.ops.backdrop import describe_backdrop
from transforms.ops.frame_contact import (
    cutout_contact,
    differs_from_backdrop,
    frame_contact,
    lasting_contact,
    main_parts,
    without_specks,
)
from transforms.records import Pixels


def shot(center: tuple[int, int], *, shadow: bool = False) -> Pixels:
    """A blue disc on a near white sweep, perhaps with a soft shadow that runs to the lower edge."""
    pixels = np.full((240, 240, 3), 246, np.float32)
    if shadow:
        y, x = np.mgrid[0:240, 0:240]
        pixels -= 22 * np.exp(-(((x - 120) / 60) ** 2 + ((y - 240) / 50) ** 2))[..., None]
    picture = pixels.astype(np.uint8)
    cv2.circle(picture, center, 60, (40, 70, 170), -1)
    return picture


def contact_of(pixels: Pixels) -> float:
    return frame_contact(differs_from_backdrop(pixels, describe_backdrop(pixels)))


def test_a_whole_product_does_not_touch_the_frame() -> None:
    assert contact_of(shot((120, 120))) == 0.0


def test_a_product_that_the_frame_cuts_touches_it() -> None:
    assert contact_of(shot((120, 20))) > 0.3
    assert contact_of(shot((230, 120))) > 0.3


def test_a_soft_shadow_at_the_frame_is_no_contact() -> None:
    assert contact_of(shot((120, 130), shadow=True)) == 0.0


def test_dust_on_the_border_is_no_contact() -> None:
    pixels = shot((120, 120))
    pixels[0:3, 50:53] = 0
    assert contact_of(pixels) == 0.0


def test_parts_that_are_small_beside_the_largest_are_left_out() -> None:
    mask = np.zeros((20, 20), dtype=np.bool_)
    mask[2:5, 2:5] = mask[10:18, 10:18] = True
    assert main_parts(mask, 0.5).sum() == 64
    assert main_parts(mask, 0.1).sum() == 73
    assert not main_parts(np.zeros((4, 4), dtype=np.bool_), 0.5).any()


def lasting(pixels: Pixels) -> float:
    backdrop = describe_backdrop(pixels)
    small = np.asarray(cv2.resize(pixels, (320, 320), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return lasting_contact(pixels, backdrop, differs_from_backdrop(small, backdrop))


def ball(top: int) -> Pixels:
    """A ball on white, 300 px wide, that begins at row `top`: less than 0 is cut off."""
    pixels = np.full((1000, 1000, 3), 255, np.uint8)
    return np.asarray(cv2.circle(pixels, (500, top + 150), 150, (40, 70, 170), -1, cv2.LINE_AA), dtype=np.uint8)


@pytest.mark.parametrize("top", [0, 1, 3, 6])
@pytest.mark.parametrize("turns", range(4))
def test_a_ball_that_was_cropped_at_its_outline_only_touches_the_frame(top: int, turns: int) -> None:
    pixels = np.ascontiguousarray(np.rot90(ball(top), turns))
    assert contact_of(pixels) > 0.03
    assert lasting(pixels) == 0.0


@pytest.mark.parametrize("top", [0, 1, 2])
def test_a_ball_in_a_small_picture_only_touches_its_frame_too(top: int) -> None:
    pixels = np.full((340, 340, 3), 255, np.uint8)
    cv2.circle(pixels, (170, top + 120), 120, (40, 70, 170), -1, cv2.LINE_AA)
    assert contact_of(pixels) > 0.03
    assert lasting(pixels) == 0.0


@pytest.mark.parametrize("cut", [9, 18, 30, 60])
@pytest.mark.parametrize("turns", range(4))
def test_the_contact_of_a_ball_that_the_frame_cuts_lasts(cut: int, turns: int) -> None:
    assert lasting(np.ascontiguousarray(np.rot90(ball(-cut), turns))) > 0.1


def test_a_straight_side_at_the_frame_counts_as_cut_unless_white_shows_before_it() -> None:
    pixels = np.full((1000, 1000, 3), 255, np.uint8)
    pixels[0:400, 300:700] = (40, 70, 170)
    assert lasting(pixels) == pytest.approx(0.4, abs=0.01)
    pixels[:3] = 255
    assert lasting(pixels) == 0.0


def test_specks_are_measured_against_the_whole_picture() -> None:
    mask = np.zeros((20, 20), dtype=np.bool_)
    mask[0, 0] = True
    mask[10:14, 10:14] = True
    assert without_specks(mask, 0.01).sum() == 16
    assert not without_specks(mask, 0.5).any()


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 31), st.integers(1, 31))
def test_contact_is_the_same_however_the_picture_is_turned(top: int, left: int, tall: int, wide: int) -> None:
    mask = np.zeros((60, 60), dtype=np.bool_)
    mask[top : top + tall, left : left + wide] = True
    assert {frame_contact(np.rot90(mask, turns)) for turns in range(4)} == {frame_contact(mask)}
    assert 0.0 <= frame_contact(mask) <= 1.0


def alpha_of(box: tuple[slice, slice], size: tuple[int, int] = (400, 600)) -> Pixels:
    """A file's alpha, solid in `box`."""
    alpha = np.zeros(size, np.uint8)
    alpha[box] = 255
    return alpha


def test_a_cut_out_that_leaves_room_beside_its_product_and_ends_flat_at_the_frame_is_cut() -> None:
    torso = alpha_of((slice(None), slice(150, 450)))
    assert cutout_contact(torso) == pytest.approx(0.5)
    assert cutout_contact(np.ascontiguousarray(torso.T)) == pytest.approx(0.5)


def test_a_cut_out_that_is_cropped_at_its_outline_or_lies_apart_from_the_frame_is_whole() -> None:
    assert cutout_contact(alpha_of((slice(None), slice(None)))) == 0.0  # a box fills its own file
    assert cutout_contact(alpha_of((slice(6, 394), slice(150, 450)))) == 0.0
    touching = np.asarray(cv2.circle(np.zeros((400, 600), np.uint8), (300, 150), 150, 255, -1), np.uint8)
    assert cutout_contact(touching) == 0.0  # a ball only touches its frame


def test_a_cut_out_that_was_padded_evenly_to_a_square_is_whole() -> None:
    assert cutout_contact(alpha_of((slice(None), slice(150, 450)), (600, 600))) == 0.0
    assert cutout_contact(alpha_of((slice(None), slice(100, 450)), (600, 600))) > 0.5
    assert cutout_contact(alpha_of((slice(100, None), slice(150, 450)), (600, 600))) == pytest.approx(0.5)


def test_a_shadow_in_a_files_alpha_that_runs_to_the_frame_is_no_contact() -> None:
    alpha = alpha_of((slice(50, 300), slice(150, 450)))
    alpha[300:, 100:500] = 90
    assert cutout_contact(alpha) == 0.0
