"""Halo and contrast along an outline."""

import numpy as np
import pytest

from transforms.ops.halo import outline_of

SIZE = 120


def disc(radius):
    rows, columns = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    return np.hypot(rows, columns) <= radius


def scene_on(background, product=(40, 60, 140), rim=None):
    pixels = np.full((SIZE, SIZE, 3), background, np.uint8)
    if rim is not None:
        pixels[disc(33)] = rim
    pixels[disc(30)] = product
    return pixels


WHITE = scene_on((250, 250, 250))
EVERYWHERE = np.ones((SIZE, SIZE), bool)


def test_a_clean_cut_has_no_halo():
    outline = outline_of(scene_on((120, 90, 60)), WHITE, disc(30), EVERYWHERE)
    assert outline.halo < 1e-6 and outline.contrast > 20


def test_a_white_ring_is_a_halo():
    outline = outline_of(scene_on((120, 90, 60), rim=(250, 250, 250)), WHITE, disc(30), EVERYWHERE)
    assert outline.halo > 0.8


def test_a_half_mixed_ring_is_half_a_halo():
    outline = outline_of(scene_on((120, 90, 60), rim=(185, 170, 155)), WHITE, disc(30), EVERYWHERE)
    assert outline.halo == pytest.approx(0.5, abs=0.12)


def test_a_contact_shadow_is_none():
    outline = outline_of(scene_on((120, 90, 60), rim=(60, 45, 30)), WHITE, disc(30), EVERYWHERE)
    assert outline.halo == 0.0


def test_the_old_backdrop_again_cannot_leave_a_halo():
    assert outline_of(WHITE, WHITE, disc(30), EVERYWHERE).halo == 0.0


def test_white_on_white_is_indistinct():
    scene = scene_on((250, 250, 250), product=(247, 248, 249))
    assert outline_of(scene, scene, disc(30), EVERYWHERE).contrast < 2


def test_no_product_has_no_outline():
    assert outline_of(WHITE, WHITE, np.zeros((SIZE, SIZE), bool), EVERYWHERE) == (0.0, 0.0)
