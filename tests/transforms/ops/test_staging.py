"""What the stager is shown says what stands where and where light comes from; its answer keeps the set's own detail."""

import numpy as np
import pytest

from transforms.ops import studio
from transforms.ops.shadows import KeyLight
from transforms.ops.staging import (
    SHOWN,
    STRIDE,
    clues_of,
    mirrored,
    shaded,
    shown_of,
    spread,
    working_size,
)
from transforms.records import Size

KEY = KeyLight(0.8, 0.2, 0.1)


def box(height=160, width=208):
    product = np.zeros((height, width), np.uint8)
    product[60:120, 80:120] = 255
    return product


def pictures(product):
    rng = np.random.Generator(np.random.Philox(4))
    ground = rng.integers(0, 256, (*product.shape, 3), np.uint8)
    return ground, np.full_like(ground, 30)


def test_the_key_light_is_blocked_on_the_side_where_the_shadow_falls():
    clues = clues_of(box(), KEY)
    right, left = clues[100:118, 124:150, 0].mean(), clues[100:118, 50:76, 0].mean()
    assert right < left - 30
    assert clues[118:124, 85:115, 2].min() < 200 and clues[:50, :, 2].min() == 255


def test_it_is_shown_the_set_the_product_in_it_and_the_light():
    product = box()
    ground, image = pictures(product)
    shown = shown_of(ground, image, product, clues_of(product, KEY), KEY)
    assert shown.shape == (*product.shape, SHOWN) and shown.dtype == np.uint8
    assert np.array_equal(shown[..., :3], ground)
    assert (shown[product == 255, 3:6] == 30).all() and np.array_equal(shown[product == 0, 3:6], ground[product == 0])
    assert shown[0, 0, 10:].tolist() == [153, 134, 26]


def test_a_mirrored_view_is_what_the_mirrored_scene_would_show():
    product = box()
    ground, image = pictures(product)
    other = KEY._replace(across=-KEY.across)
    turned = [np.ascontiguousarray(plane[:, ::-1]) for plane in (ground, image, product, clues_of(product, KEY))]
    found = mirrored(shown_of(ground, image, product, clues_of(product, KEY), KEY))
    assert np.abs(found.astype(int) - shown_of(*turned, other)).max() <= 1  # half a step lies in the middle


@pytest.mark.parametrize("size", [Size(608, 416), Size(512, 512), Size(688, 384), Size(368, 704), Size(40, 500)])
def test_the_network_works_at_sides_that_it_can_halve(size):
    small = working_size(size)
    assert all(length % STRIDE == 0 and length > 0 for length in small) and max(small) == 304
    assert abs(np.log(small.height / small.width / (size.height / size.width))) < 0.06 or min(size) < 100


def test_a_set_in_the_same_light_is_itself_and_keeps_its_detail_in_another():
    ground = pictures(box())[0].astype(np.float32)
    assert np.abs(shaded(ground, np.zeros((40, 52, 3), np.float32)) - ground).max() < 1e-3
    darker = shaded(ground, np.full((40, 52, 3), -0.5, np.float32))
    assert np.corrcoef(darker[8:-8, 8:-8].ravel(), ground[8:-8, 8:-8].ravel())[0, 1] > 0.99
    assert darker.mean() < 0.7 * ground.mean() and darker.min() >= 0


def test_what_lies_beneath_a_product_goes_on_from_what_is_beside_it():
    product = box()
    change = np.where(product[..., None] > 0, np.float32(9), np.float32(-0.4)) * np.ones(3, np.float32)
    assert spread(change, product) == pytest.approx(np.full_like(change, -0.4), abs=0.45)
    beside = spread(change, product)[58:122, 78:122]
    assert beside.max() < 0.01 and beside[0] == pytest.approx(-0.4)


@pytest.mark.parametrize("prompt", ["wooden floor, soft light", "marble table"])
def test_a_bare_room_is_the_studios_away_from_the_product(prompt):
    alpha = np.zeros((304, 208), np.uint8)
    alpha[150:250, 80:120] = 255
    image = np.where(alpha[..., None] > 0, np.uint8(90), np.uint8(128)) * np.ones(3, np.uint8)
    made, painted = studio.bare_room(image, alpha, prompt, 3, alpha), studio.paint(image, alpha, alpha, prompt, 3)
    assert made is not None
    assert np.abs(made.picture[:60] - painted[:60]).mean() < 2.5  # the grain alone
    lighter = made.picture[250:256, 85:115].mean() - painted[250:256, 85:115].mean()
    assert lighter > 8, "the studio's shadow is not in it"
    wide = np.kron(alpha, np.ones((2, 2), np.uint8))
    large = studio.bare_room(image, alpha, prompt, 3, wide)
    assert large is not None and large.picture.shape == (608, 416, 3) and large.key == made.key
    assert np.abs(large.picture[::2, ::2] - made.picture).mean() < 6


@pytest.mark.parametrize("prompt", ["flat lay", "living room, hung", "sage, paper backdrop", "glossy black"])
def test_there_is_no_bare_room_where_none_is_asked_for_or_nothing_stands(prompt):
    alpha = box(304, 208)
    assert studio.bare_room(np.full((304, 208, 3), 90, np.uint8), alpha, prompt, 3, alpha) is None
