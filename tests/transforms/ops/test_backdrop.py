import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.ops.backdrop import border_ring, describe_backdrop, differences, field_of, fill_field, to_lab
from transforms.records import Size


def sheet(color=(255, 255, 255), size=(240, 200), noise=1.0):
    rng = np.random.Generator(np.random.Philox(1))
    image = np.full((*size, 3), color, np.float64) + rng.normal(0, noise, (*size, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


def room(size=(240, 200)):
    image = sheet((205, 190, 170), size, 3)
    image[150:] = (90, 60, 35)
    image[:, 60:75] = (40, 80, 90)
    return image


@pytest.mark.parametrize("color", [(255, 255, 255), (30, 60, 200), (12, 12, 12), (190, 190, 190)])
def test_a_solid_sheet_is_plain_in_any_colour(color):
    image = sheet(color)
    image[80:180, 60:140] = (120, 60, 30)
    backdrop = describe_backdrop(image)
    assert backdrop.plain
    assert backdrop.border_share == 1.0
    expected = to_lab(np.full((1, 1, 3), color, np.uint8))[0, 0]
    assert np.linalg.norm(np.subtract(backdrop.color_lab, expected)) < 1.5


def test_a_gradient_is_plain_and_its_gradient_is_measured():
    ramp = np.linspace(250, 180, 240)[:, None, None] * np.ones((1, 200, 3))
    backdrop = describe_backdrop(ramp.astype(np.uint8))
    assert backdrop.plain
    assert backdrop.gradient == pytest.approx(98.3 - 73.0, abs=3)


def test_a_room_is_not_plain():
    assert not describe_backdrop(room()).plain


def test_texture_is_not_plain():
    assert not describe_backdrop(sheet((150, 140, 130), (600, 500), 90)).plain


def test_a_product_cut_by_the_frame_leaves_the_backdrop_plain_and_lowers_its_share():
    image = sheet()
    image[120:, 70:130] = (30, 30, 60)
    backdrop = describe_backdrop(image)
    assert backdrop.plain
    assert 0.8 < backdrop.border_share < 0.98
    assert backdrop.gradient < 4


def cropped_close(color, corner):
    """A product that covers the border but for the corners, all of them or one less."""
    image = sheet(color, noise=0)
    image[45:195, :6] = image[45:195, -6:] = (60, 40, 30)
    image[:6, 45:155] = image[-6:, 45:155] = (60, 40, 30)
    image[45:195, 45:155] = (60, 40, 30)
    if not corner:
        image[:30, :30] = (60, 40, 30)
    return image


def test_blank_white_in_every_corner_is_a_backdrop_however_much_the_product_covers():
    backdrop = describe_backdrop(cropped_close((255, 255, 255), True))
    assert backdrop.plain and backdrop.border_share < 0.6
    assert not describe_backdrop(cropped_close((255, 255, 255), False)).plain
    assert not describe_backdrop(cropped_close((215, 215, 215), True)).plain


def test_the_field_of_a_part_is_that_part_of_the_field():
    ramp = np.linspace(250, 180, 240)[:, None, None] * np.ones((1, 200, 3))
    backdrop, size = describe_backdrop(ramp.astype(np.uint8)), Size(240, 200)
    whole = field_of(backdrop, size)
    np.testing.assert_array_equal(field_of(backdrop, size, rows=slice(-7, None)), whole[-7:])
    np.testing.assert_array_equal(field_of(backdrop, size, columns=slice(None, 5)), whole[:, :5])


def test_the_field_follows_the_gradient_under_the_product():
    ramp = (np.linspace(250, 180, 240)[:, None, None] * np.ones((1, 200, 3))).astype(np.uint8)
    covered = ramp.copy()
    covered[60:180, 40:160] = (200, 30, 30)
    error = np.linalg.norm(field_of(describe_backdrop(covered), Size(240, 200)) - to_lab(ramp), axis=2)
    assert error.max() < 2.5


def test_a_shadow_is_forgiven_and_a_tint_is_not():
    field = to_lab(np.full((8, 8, 3), 230, np.uint8))
    strict, tolerant = differences(to_lab(np.full((8, 8, 3), 150, np.uint8)), field)
    assert strict.min() > 25
    assert tolerant.max() < 0.5
    _, tinted = differences(to_lab(np.full((8, 8, 3), (150, 150, 110), np.uint8)), field)
    assert tinted.min() > 15


def test_filling_keeps_what_is_known_and_carries_a_ramp_through_a_hole():
    ramp = np.tile(np.linspace(0, 50, 128, dtype=np.float32)[:, None, None], (1, 96, 1))
    known = np.ones((128, 96), np.bool_)
    known[40:90, 30:70] = False
    filled = fill_field(np.where(known[..., None], ramp, 0), known)
    assert np.array_equal(filled[known], ramp[known])
    assert np.abs(filled - ramp).max() < 6


def test_filling_from_nothing_gives_zeros():
    assert not fill_field(np.ones((20, 30, 3), np.float32), np.zeros((20, 30), np.bool_)).any()


@settings(max_examples=25, deadline=None)
@given(st.integers(9, 80), st.integers(9, 80), st.integers(0, 2**31))
def test_filling_stays_within_the_known_values(height, width, seed):
    rng = np.random.Generator(np.random.Philox(seed))
    colors = rng.random((height, width, 2), dtype=np.float32)
    known = rng.random((height, width)) < 0.3
    known[0, 0] = True
    filled = fill_field(colors, known)
    assert filled.min() >= colors[known].min() - 1e-4
    assert filled.max() <= colors[known].max() + 1e-4


def test_description_does_not_depend_on_the_side():
    image = sheet((240, 235, 225))
    image[100:, 20:60] = (60, 60, 90)
    plain, flipped = describe_backdrop(image), describe_backdrop(cv2.flip(image, 1))
    assert plain.border_share == pytest.approx(flipped.border_share, abs=0.01)
    assert plain.spread == pytest.approx(flipped.spread, abs=0.05)


def test_the_ring_is_the_same_on_all_sides():
    ring = border_ring(Size(100, 60))
    assert np.array_equal(ring, ring[::-1]) and np.array_equal(ring, ring[:, ::-1])
    assert ring[0].all() and not ring[50, 30]
