import cv2
import numpy as np
import pytest

from transforms.ops.bleached import (
    bleached_backdrop,
    enclosed_gaps,
    reached_share,
    white_patches,
    without_white_rim,
)

WHITE, DARK = (255, 255, 255), (60, 40, 30)


def ring(color=DARK, size=(400, 400)):
    """(picture, what is inside the ring): a dark ring before pure white."""
    pixels = np.full((*size, 3), WHITE, np.uint8)
    cv2.circle(pixels, (200, 200), 120, color, -1)
    inside = np.zeros(size, np.uint8)
    cv2.circle(inside, (200, 200), 60, 1, -1)
    pixels[inside > 0] = WHITE
    return pixels, inside > 0


def disk(radius=120):
    plane = np.zeros((400, 400), np.uint8)
    cv2.circle(plane, (200, 200), radius, 1, -1)
    return plane > 0


@pytest.mark.parametrize(("level", "known"), [(255, True), (254, True), (250, False)])
def test_a_backdrop_is_bleached_where_its_border_is_exactly_white(level, known):
    pixels = np.full((300, 200, 3), level, np.uint8)
    backdrop = bleached_backdrop(pixels)
    assert (backdrop is not None) is known
    assert backdrop is None or (backdrop.plain and backdrop.spread == 0 and backdrop.color_lab == (100, 0, 0))


def test_a_pale_product_that_fills_its_frame_leaves_the_backdrop_bleached():
    pixels = np.full((300, 200, 3), 255, np.uint8)
    pixels[:, 4:196] = 247
    assert bleached_backdrop(pixels) is None  # hardly any border is left
    pixels[:, :60], pixels[:, 140:] = 255, 255
    assert bleached_backdrop(pixels) is not None


def test_white_that_the_frame_leads_to_is_reached_and_what_a_product_encloses_is_not():
    pixels, inside = ring()
    share = reached_share(pixels, disk().astype(np.float32))
    assert share.dtype == np.float32
    assert (share[~disk(123)] == 1).all()
    assert not share[disk(118)].any() and not share[inside].any()


def test_a_seam_lets_nothing_through_and_a_way_does():
    pixels, inside = ring()
    seam, way = pixels.copy(), pixels.copy()
    seam[200, 200:] = WHITE
    way[197:204, 200:] = WHITE
    thought = (disk() & ~inside).astype(np.float32)
    assert not reached_share(seam, thought)[inside].any()
    assert reached_share(way, thought)[inside].mean() > 0.95


def test_a_product_that_was_bleached_as_well_is_not_given_up():
    pixels, _ = ring()
    pixels[:, 200:] = WHITE
    assert reached_share(pixels, disk().astype(np.float32)) is None


def test_white_between_a_product_and_the_frame_that_it_was_cropped_at_goes():
    pixels = np.full((60, 80, 3), 40, np.uint8)
    pixels[-1], pixels[-2], pixels[:, 0] = 250, 140, 140  # mixed, and hardly mixed
    alpha = without_white_rim(pixels, np.ones((60, 80), np.float32))
    assert (alpha[-1, 3:-3] < 0.05).all() and (alpha[:-2, 3:-3] == 1).all()
    assert (alpha[3:-3, 0] == 1).all()  # darker than half way: its own colour
    assert alpha[-2, 40] == 1


def test_a_pale_product_at_its_frame_keeps_its_rim():
    pixels = np.full((60, 80, 3), 235, np.uint8)
    pixels[-1] = 254
    assert (without_white_rim(pixels, np.ones((60, 80), np.float32)) == 1).all()
    assert (without_white_rim(pixels[:3], np.ones((3, 80), np.float32)) == 1).all()


def test_shares_are_those_of_the_working_size():
    pixels, _ = ring()
    small = cv2.resize(disk().astype(np.float32), (100, 100), interpolation=cv2.INTER_AREA)
    share = reached_share(pixels, small)
    assert share.shape == (100, 100)
    assert ((share > 0) & (share < 1)).sum() > 50  # of the pixels that the outline crosses


def test_a_sharp_white_patch_of_which_the_networks_are_not_quite_sure_is_a_gap():
    pixels, inside = ring()
    gaps = enclosed_gaps(pixels, np.where(disk(), 0.77, 0).astype(np.float32))
    assert gaps[inside].mean() > 0.97 and not gaps[~inside].any()


def test_a_small_patch_may_be_a_letter_and_stays():
    pixels = np.where(disk()[..., None], np.uint8(DARK), np.uint8(255)).repeat(3, axis=2)[..., :3].copy()
    pixels[200:213, 200:213] = WHITE
    assert white_patches(pixels, np.where(disk(), 0.77, 0).astype(np.float32))
    assert not enclosed_gaps(pixels, np.where(disk(), 0.77, 0).astype(np.float32)).any()


def test_a_print_of_which_they_are_sure_and_a_soft_highlight_are_none():
    pixels, inside = ring()
    assert not enclosed_gaps(pixels, np.where(disk(), 0.85, 0).astype(np.float32)).any()
    light = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 12)[..., None]
    glossy = np.where(disk()[..., None], np.minimum(255, DARK + 330 * light), 255).astype(np.uint8)
    doubted = np.where(disk(), 0.77, 0).astype(np.float32)
    assert white_patches(glossy, doubted)
    assert not enclosed_gaps(glossy, doubted).any()


def test_a_patch_knows_its_measures_and_small_ones_are_none():
    pixels, inside = ring()
    pixels[100:105, 200:205] = WHITE
    (patch,) = white_patches(pixels, np.where(disk(), 0.8, 0).astype(np.float32))
    assert np.array_equal(patch.mask, inside)
    assert patch.mean == pytest.approx(0, abs=0.01) and patch.rim > 60 and patch.sure == pytest.approx(0.8)
