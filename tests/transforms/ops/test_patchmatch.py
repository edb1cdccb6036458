"""The PatchMatch painter: what it keeps, where it copies from, how it joins."""

import numpy as np
import pytest

from transforms.ops.patchmatch import paint, upscale
from transforms.ops.quilting import NoSource
from transforms.ops.seams import seam_delta_e, seam_score

SHAPE = (96, 64)


def scene_of(shape=SHAPE, seed=3, scale=1):
    """A wall over a tiled floor with grain: (pixels, the product's matte)."""
    height, width = shape
    rows, columns = np.mgrid[:height, :width] // scale
    wall = np.stack([150 + 0 * rows, 140 + 0 * rows, 130 + 0 * rows], axis=-1)
    tiles = np.where((rows % 12 == 0) | (columns % 12 == 0), 60, 190)[..., None] * np.ones(3)
    pixels = np.where((rows < height // scale // 2)[..., None], wall, tiles)
    grain = np.random.Generator(np.random.Philox(key=seed)).normal(0, 4, (height, width, 1))
    product = np.zeros(shape, np.uint8)
    product[height * 40 // 96 : height * 60 // 96, width * 20 // 64 : width * 44 // 64] = 255
    pixels = np.clip(pixels + grain, 0, 255).astype(np.uint8)
    pixels[product > 0] = (255, 0, 0)
    return pixels, product


def cut(top, bottom, left=0, right=0, scale=1):
    pixels, product = scene_of((96 * scale, 64 * scale), scale=scale)
    known = np.zeros(product.shape, np.uint8)
    height, width = known.shape
    known[top * scale : height - bottom * scale, left * scale : width - right * scale] = 255
    return np.where(known[..., None] > 0, pixels, 0).astype(np.uint8), np.minimum(product, known), known


def sources_of(guide, known):
    y, x = np.nonzero(known == 0)
    return y + guide[y, x, 0], x + guide[y, x, 1]


@pytest.mark.parametrize("bands", [(20, 0), (0, 20), (14, 14), (0, 0, 12, 12), (10, 12, 8, 9), (0, 0, 0, 14)])
def test_it_copies_from_the_kept_scene_and_never_from_the_product(bands):
    image, product, known = cut(*bands)
    candidate, guide = paint(image, product, known, "", 5)
    y, x = sources_of(guide, known)
    assert (known[y, x] == 255).all() and (product[y, x] == 0).all()
    assert not guide[known > 0].any()
    assert np.array_equal(candidate[known > 0], image[known > 0])
    redness = candidate[..., 0].astype(int) - candidate[..., 1]
    assert redness[known == 0].max() < 60


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_candidate():
    image, product, known = cut(20, 20)
    first, again, other = (paint(image, product, known, "", seed) for seed in (7, 7, 8))
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])


def test_a_floor_goes_on_as_tiles_and_a_wall_as_wall():
    image, product, known = cut(14, 14, scale=3)
    candidate, _ = paint(image, product, known, "", 1)
    assert abs(candidate[:40].mean() - 140) < 8
    floor = candidate[-40:].astype(int).mean(axis=-1)
    assert (floor > 160).mean() > 0.6 and (floor < 110).mean() > 0.05


def test_a_join_does_not_show():
    image, product, known = cut(14, 14, scale=3)
    candidate, _ = paint(image, product, known, "", 1)
    assert seam_score(candidate, known > 0) < 1.75
    assert seam_delta_e(candidate, known > 0) < 10


def test_upscaling_keeps_the_frame_and_the_texture():
    small = cut(20, 20)
    image, product, known = cut(20, 20, scale=3)
    candidate, guide = paint(*small, "", 1)
    scene = upscale(image, product, known, candidate, guide, "", 1)
    assert scene.shape == image.shape and np.array_equal(scene[known > 0], image[known > 0])
    grain_kept, grain_painted = (
        float(np.diff(part, axis=1).std()) for part in (image[66:96, :, 0] * 1.0, scene[5:50, :, 0] * 1.0)
    )
    assert grain_painted > 0.5 * grain_kept


def test_a_frame_full_of_product_has_no_source():
    image, _, known = cut(20, 20)
    with pytest.raises(NoSource):
        paint(image, known.copy(), known, "", 1)


def test_a_kept_region_that_is_no_rectangle_is_refused():
    image, product, known = cut(20, 20)
    known[50, 30] = 0
    with pytest.raises(ValueError, match="rectangle"):
        paint(image, product, known, "", 1)


@pytest.mark.parametrize(("value", "message"), [(255, "whole canvas"), (0, "no pixel")])
def test_a_canvas_without_anything_to_do_is_refused(value, message):
    image, product, known = cut(20, 20)
    with pytest.raises(ValueError, match=message):
        paint(image, product, np.full_like(known, value), "", 1)
