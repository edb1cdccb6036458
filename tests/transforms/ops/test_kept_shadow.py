import cv2
import numpy as np
import pytest

from transforms.ops.backdrop import describe_backdrop
from transforms.ops.kept_shadow import (
    Shade,
    bare_backdrop,
    drawn_shade,
    drawn_strength,
    shade_of,
    strength_of,
)

SIZE = (800, 600)


def sheet():
    """A sweep that darkens to the left and downwards, float64 [h, w, 3]."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]] / 800
    return np.stack([225 - 20 * rows + 12 * columns + shift for shift in (0, -4, -10)], axis=-1)


def shot(*, shadow=0.5, at=(300, 500), foot=False):
    """A brown box before the sheet: picture, alpha, light that is left. `foot`: a dark one that alpha lacks."""
    centre, bottom = at
    light = np.ones(SIZE)
    cv2.ellipse(light, (centre + 50, bottom), (140, 24), 0, 0, 360, 1 - shadow, -1)
    light = cv2.GaussianBlur(light, (0, 0), 8)
    alpha = np.zeros(SIZE, np.float32)
    alpha[bottom - 240 : bottom, centre - 80 : centre + 80] = 1
    alpha = cv2.GaussianBlur(alpha, (0, 0), 0.8)
    behind = sheet() * light[..., None]
    if foot:
        behind[bottom : bottom + 16, centre - 60 : centre - 20] = (30, 26, 24)
    product = np.broadcast_to(np.array([120, 70, 40.0]), behind.shape)
    picture = product * alpha[..., None] + behind * (1 - alpha[..., None])
    return np.rint(picture).astype(np.uint8), np.rint(product).astype(np.uint8), alpha, light


def shaded(picture, product, alpha, known=None):
    bare = bare_backdrop(picture, alpha, describe_backdrop(picture))
    return shade_of(picture, product, alpha, bare, np.ones(SIZE, bool) if known is None else known)


def test_the_bare_backdrop_has_neither_product_nor_shadow():
    picture, _, alpha, _ = shot()
    bare = bare_backdrop(picture, alpha, describe_backdrop(picture))
    assert bare.dtype == np.uint8 and np.abs(bare - sheet()).max() < 2


def test_a_scene_joints_creases_and_a_picture_that_is_all_product_tell_nothing():
    picture, _, alpha, _ = shot()
    rng = np.random.default_rng(0)
    room = np.where(np.arange(SIZE[0]) < 480, 220, 90)[:, None, None] * np.ones((*SIZE, 3))
    tiles = picture.astype(float)
    for start in range(20, 800, 90):
        tiles[start : start + 3] -= 40
    creased = picture + cv2.GaussianBlur(rng.normal(0, 45, SIZE), (0, 0), 4)[..., None]
    for other in (room, tiles, creased):
        other = np.clip(other, 0, 255).astype(np.uint8)
        assert bare_backdrop(other, alpha, describe_backdrop(other)) is None
    assert bare_backdrop(picture, np.ones(SIZE, np.float32), describe_backdrop(picture)) is None


def test_over_its_own_bare_backdrop_the_composite_is_the_photograph():
    picture, product, alpha, _ = shot(foot=True)
    shade = shaded(picture, product, alpha)
    behind = shade.over(np.rint(sheet()).astype(np.uint8))
    composite = product * alpha[..., None] + behind * (1 - alpha[..., None])
    apart = np.abs(composite - picture)
    assert apart.mean() < 0.5 and np.percentile(apart, 99.5) < 6  # what is taken for noise, and the foot's rim


def test_the_shadow_darkens_another_backdrop_as_much_and_stays_grey():
    picture, product, alpha, light = shot()
    left = shaded(picture, product, alpha).left / 255
    clear = alpha == 0
    assert np.abs(left[clear] - light[clear][:, None]).max() < 0.06
    assert np.ptp(left[clear], axis=1).max() < 0.02


def test_what_the_mask_missed_shows_before_another_backdrop():
    picture, product, alpha, _ = shot(foot=True)
    sky = np.full((*SIZE, 3), (200, 220, 240), np.uint8)
    found = shaded(picture, product, alpha).over(sky)[502:514, 244:276]
    assert found.max() < 60


def test_a_coloured_part_keeps_its_colour():
    picture, product, alpha, _ = shot(shadow=0.0)
    picture[502:514, 248:272] = (220, 20, 20)
    found = shaded(picture, product, alpha).over(np.full((*SIZE, 3), 240, np.uint8))[506:511, 254:266].reshape(-1, 3)
    assert found[:, 0].min() > 200 and found[:, 1:].max() < 60


def test_a_mark_beside_the_product_goes_and_its_shadow_stays():
    picture, product, alpha, light = shot()
    marked = picture.copy()
    cv2.putText(marked, "SHOP", (30, 90), cv2.FONT_HERSHEY_SIMPLEX, 2, (60, 60, 60), 6)
    left = shaded(marked, product, alpha).left / 255
    assert left[30:110, 20:240].min() > 0.98
    clear = (alpha == 0) & (light < 0.95)
    assert np.abs(left[clear] - light[clear][:, None]).max() < 0.08


def test_without_a_shadow_nothing_is_darkened():
    picture, product, alpha, _ = shot(shadow=0.0)
    noisy = np.clip(picture + np.random.default_rng(1).normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8)
    shade = shaded(noisy, product, alpha)
    assert shade.left[alpha == 0].min() > 237 and shade.left[alpha == 0].mean() > 254.5
    assert strength_of(shade, alpha) < 0.03


@pytest.mark.parametrize("shadow", [0.2, 0.6])
def test_its_strength_is_that_of_the_shadow_beneath_the_product(shadow):
    picture, product, alpha, _ = shot(shadow=shadow)
    assert strength_of(shaded(picture, product, alpha), alpha) == pytest.approx(shadow, abs=0.1)


def test_no_product_has_no_shadow():
    nothing = np.zeros(SIZE, np.float32)
    assert strength_of(Shade(np.full((*SIZE, 3), 255, np.uint8)), nothing) == 0.0


def test_a_shadow_that_the_source_cuts_fades_out_unless_the_new_frame_cuts_it_too():
    picture, product, alpha, light = shot(at=(460, 500))
    assert light[500, -1] < 0.7
    whole = shaded(picture, product, alpha).left / 255
    wide = [np.pad(plane, [(0, 0), (0, 120), (0, 0)], mode="edge") for plane in (picture, product)]
    known = np.zeros((SIZE[0], SIZE[1] + 120), bool)
    known[:, : SIZE[1]] = True
    bare = np.pad(bare_backdrop(picture, alpha, describe_backdrop(picture)), [(0, 0), (0, 120), (0, 0)], mode="edge")
    laid = shade_of(*wide, np.pad(alpha, [(0, 0), (0, 120)]), bare, known).left / 255
    assert whole[500, -1].max() < 0.7 and laid[500, SIZE[1] - 1].min() > 0.97
    assert np.all(laid[:, SIZE[1] :] == 1)
    assert np.abs(np.diff(laid[500, 545:], axis=0)).max() < 0.06  # no step
    assert np.allclose(laid[500, 240:360], whole[500, 240:360], atol=0.02)


def test_shrinking_keeps_the_mean_light():
    left = np.full((8, 8, 3), 200, np.uint8)
    left[:4] = 100
    small = Shade(left).shrunk((4, 4))
    assert small.left.shape == (4, 4, 3) and small.left.mean() == pytest.approx(150)
    assert Shade(left).shrunk((8, 8)).left is left


def test_a_shadow_that_the_file_brings_stays_as_it_is_and_fades_where_the_files_frame_cuts_it():
    _, _, alpha, _ = shot()
    left = np.full((*SIZE, 3), 255, np.uint8)
    left[560:600, 100:500] = 120  # floats below the product
    whole = drawn_shade(left, alpha, np.ones(SIZE, bool))
    assert np.array_equal(whole.left, left)
    assert drawn_strength(whole, alpha) == pytest.approx(1 - 120 / 255, abs=0.01) and strength_of(whole, alpha) == 0.0
    known = np.zeros(SIZE, bool)
    known[:, 150:] = True
    cut = drawn_shade(left, alpha, known).left
    assert (
        cut[580, :150].min() == 255
        and cut[580, 151:400].mean() > 121
        and (np.diff(cut[580, 150:400, 0].astype(int)) <= 0).all()
    )
    assert drawn_strength(Shade(np.full_like(left, 255)), alpha) == 0.0
