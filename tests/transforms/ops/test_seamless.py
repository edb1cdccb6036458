import cv2
import numpy as np
import pytest

from transforms.ops.backdrop import describe_backdrop
from transforms.ops.seamless import border_texture, is_white
from transforms.records import Pixels


def ground(color: tuple[int, int, int], falloff: float = 0.0) -> Pixels:
    rows = np.linspace(0.0, falloff, 400)[:, None, None]
    return np.clip(np.asarray(color) - rows * np.ones((1, 300, 1)), 0, 255).astype(np.uint8)


def test_a_sweep_is_smooth_whatever_stands_on_it() -> None:
    pixels = ground((200, 190, 180), 40)
    cv2.rectangle(pixels, (100, 120), (200, 330), (30, 60, 90), -1)
    assert border_texture(pixels) < 0.5


def test_a_product_that_crosses_a_little_of_the_border_does_not_make_it_rough() -> None:
    pixels = ground((200, 190, 180), 20)
    cv2.rectangle(pixels, (130, 0), (150, 200), (30, 60, 90), -1)
    assert border_texture(pixels) < 0.7


def test_planks_are_rough() -> None:
    pixels = ground((190, 150, 110))
    pixels[:, ::30] = (150, 110, 75)
    assert border_texture(pixels) > 1.0


@pytest.mark.parametrize(
    ("color", "white"), [((255, 255, 255), True), ((244, 244, 242), True), ((225, 225, 225), False)]
)
def test_white_is_light_and_without_colour(color: tuple[int, int, int], white: bool) -> None:
    assert is_white(describe_backdrop(ground(color))) is white


def test_a_pastel_ground_is_not_white() -> None:
    assert not is_white(describe_backdrop(ground((255, 240, 225))))
