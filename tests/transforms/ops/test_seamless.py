import cv2
import numpy as np
import pytest

from transforms.ops import seamless
from transforms.ops.backdrop import describe_backdrop, to_lab
from transforms.ops.seamless import border_texture, is_white
from transforms.records import Pixels


def texture(pixels: Pixels) -> float:
    return border_texture(pixels, describe_backdrop(pixels))


def ground(color: tuple[int, int, int], falloff: float = 0.0) -> Pixels:
    rows = np.linspace(0.0, falloff, 400)[:, None, None]
    return np.clip(np.asarray(color) - rows * np.ones((1, 300, 1)), 0, 255).astype(np.uint8)


def test_a_sweep_is_smooth_whatever_stands_on_it() -> None:
    pixels = ground((200, 190, 180), 40)
    cv2.rectangle(pixels, (100, 120), (200, 330), (30, 60, 90), -1)
    assert texture(pixels) < 0.5


def test_a_product_that_crosses_a_little_of_the_border_does_not_make_it_rough() -> None:
    pixels = ground((200, 190, 180), 20)
    cv2.rectangle(pixels, (130, 0), (150, 200), (30, 60, 90), -1)
    assert texture(pixels) < 0.7


def test_a_lamps_falloff_is_no_texture() -> None:
    y, x = np.mgrid[0:400, 0:300].astype(np.float32)
    light = 1 - 0.55 * (((x - 90) / 300) ** 2 + ((y - 120) / 400) ** 2)
    pixels = np.clip(np.asarray((236, 226, 214)) * light[..., None], 0, 255).astype(np.uint8)
    assert texture(pixels) < 0.3 < seamless._roughness(to_lab(pixels)[::2, ::2], np.ones((200, 150), np.bool_))


def test_a_product_that_reaches_into_the_border_does_not_make_it_rough() -> None:
    pixels = ground((200, 190, 180), 20)
    cv2.rectangle(pixels, (60, 6), (240, 395), (30, 60, 90), -1)
    assert texture(pixels) < 0.3


def test_planks_are_rough() -> None:
    pixels = ground((190, 150, 110))
    pixels[:, ::30] = (150, 110, 75)
    assert texture(pixels) > 1.0


def grainy(pixels: Pixels, sigma: float) -> Pixels:
    """`pixels` as a camera's sensor gives them, with grain of `sigma` grey levels that is three pixels wide."""
    noise = np.random.Generator(np.random.Philox(3)).normal(0, 1, pixels.shape[:2]).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.clip(pixels + (sigma / noise.std() * noise)[..., None], 0, 255).astype(np.uint8)


def test_the_grain_of_a_dim_light_tent_is_no_texture() -> None:
    assert texture(ground((225, 225, 228), 30)) < 0.3
    noisy = grainy(ground((225, 225, 228), 30), 2.0)
    everywhere = np.ones((200, 150), np.bool_)
    assert texture(noisy) < 0.5 < seamless._roughness(to_lab(noisy)[::2, ::2], everywhere)


def test_grain_hides_no_joints_between_tiles() -> None:
    tiles = ground((215, 214, 210))
    tiles[:, ::60] = tiles[::60] = (180, 178, 172)
    assert texture(grainy(tiles, 1.0)) > 0.6


def test_a_carpet_is_no_grain() -> None:
    assert texture(grainy(ground((150, 150, 150)), 16.0)) > 1.0


@pytest.mark.parametrize(
    ("color", "white"), [((255, 255, 255), True), ((244, 244, 242), True), ((225, 225, 225), False)]
)
def test_white_is_light_and_without_colour(color: tuple[int, int, int], white: bool) -> None:
    assert is_white(describe_backdrop(ground(color))) is white


def test_a_pastel_ground_is_not_white() -> None:
    assert not is_white(describe_backdrop(ground((255, 240, 225))))
