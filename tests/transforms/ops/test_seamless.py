import cv2
import numpy as np
import pytest

from transforms.ops import seamless
from transforms.ops.backdrop import describe_backdrop, to_lab
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


def grainy(pixels: Pixels, sigma: float) -> Pixels:
    """`pixels` as a camera's sensor gives them, with grain of `sigma` grey levels that is three pixels wide."""
    noise = np.random.Generator(np.random.Philox(3)).normal(0, 1, pixels.shape[:2]).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.clip(pixels + (sigma / noise.std() * noise)[..., None], 0, 255).astype(np.uint8)


def test_the_grain_of_a_dim_light_tent_is_no_texture() -> None:
    assert border_texture(ground((225, 225, 228), 30)) < 0.3
    noisy = grainy(ground((225, 225, 228), 30), 2.0)
    assert border_texture(noisy) < 0.5 < seamless._roughness(to_lab(noisy)[::2, ::2])


def test_grain_hides_no_joints_between_tiles() -> None:
    tiles = ground((215, 214, 210))
    tiles[:, ::60] = tiles[::60] = (180, 178, 172)
    assert border_texture(grainy(tiles, 1.0)) > 0.6


def test_a_carpet_is_no_grain() -> None:
    assert border_texture(grainy(ground((150, 150, 150)), 16.0)) > 1.0


@pytest.mark.parametrize(
    ("color", "white"), [((255, 255, 255), True), ((244, 244, 242), True), ((225, 225, 225), False)]
)
def test_white_is_light_and_without_colour(color: tuple[int, int, int], white: bool) -> None:
    assert is_white(describe_backdrop(ground(color))) is white


def test_a_pastel_ground_is_not_white() -> None:
    assert not is_white(describe_backdrop(ground((255, 240, 225))))
