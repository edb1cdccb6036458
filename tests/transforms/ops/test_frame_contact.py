import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.ops.backdrop import describe_backdrop
from transforms.ops.frame_contact import differs_from_backdrop, frame_contact, largest_part, without_specks
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


def test_only_the_largest_part_remains() -> None:
    mask = np.zeros((20, 20), dtype=np.bool_)
    mask[2:5, 2:5] = mask[10:18, 10:18] = True
    assert largest_part(mask).sum() == 64
    assert not largest_part(np.zeros((4, 4), dtype=np.bool_)).any()


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
