import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.data.backdrops import cast_shadow, draw_room, draw_sweep
from models.data.compositions import close_up, compose, lay, vary, weight_of
from models.data.cutouts import Layers
from models.data.drawings import draw_thing
from transforms.records import Size

seeds = st.integers(0, 10_000)


def rng_of(seed):
    return np.random.Generator(np.random.Philox(key=[1, seed]))


def red_box() -> Layers:
    coverage = np.zeros((80, 60), np.uint8)
    coverage[20:70, 10:50] = 255
    color = np.where(coverage[..., None] > 0, np.array([200, 30, 20], np.uint8), np.uint8(0))
    return Layers(color, coverage, None)


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_a_sample_has_the_side_asked_for_and_a_matte_in_range_and_is_drawn_the_same_again(seed):
    first, second = (compose(rng_of(seed), draw_thing(rng_of(seed)), 96, []) for _ in range(2))
    assert first.pixels.shape == (96, 96, 3) and first.pixels.dtype == np.uint8
    assert first.alpha.dtype == first.weight.dtype == np.float32
    assert first.alpha.min() >= 0 and first.alpha.max() <= 1 and first.weight.min() >= 1
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_a_laid_product_keeps_its_colour_under_its_coverage(seed):
    laid = lay(rng_of(seed), red_box(), Size(96, 96))
    assert laid.color.max() <= laid.coverage.max() + 1e-5
    assert not laid.color[laid.coverage == 0].any()


def test_now_and_then_the_studio_is_empty():
    shown = [compose(rng_of(seed), red_box(), 48, []).alpha.any() for seed in range(200)]
    assert 2 <= shown.count(False) <= 30


def test_an_empty_cutout_gives_an_empty_matte():
    nothing = Layers(np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20), np.uint8), None)
    assert not compose(rng_of(3), nothing, 64, []).alpha.any()


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_backdrops_and_shadows_stay_in_range(seed):
    size = Size(48, 64)
    for picture in (draw_sweep(rng_of(seed), size, white=bool(seed % 2)), draw_room(rng_of(seed), size)):
        assert picture.shape == (48, 64, 3) and picture.min() >= 0 and picture.max() <= 1
    standing = np.zeros(size, np.float32)
    standing[10:40, 20:40] = 1
    shade = cast_shadow(rng_of(seed), standing)
    assert shade.shape == size and shade.min() >= 0 and shade.max() < 1
    assert not cast_shadow(rng_of(seed), np.zeros(size, np.float32)).any()


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_a_photographs_part_keeps_most_of_the_product(seed):
    alpha = np.zeros((90, 70), np.float32)
    alpha[30:60, 20:50] = 1
    pixels = np.rint(np.repeat(alpha[..., None], 3, 2) * 200).astype(np.uint8)
    sample = vary(rng_of(seed), pixels, alpha, 64)
    shown = sample.alpha.sum() / 64**2 * alpha.size
    assert shown >= 0.7 * alpha.sum()
    assert sample.pixels[sample.alpha > 0.99].mean() > 100


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_a_close_up_shows_some_of_the_product_and_some_of_the_backdrop_where_there_are_both(seed):
    sample = compose(rng_of(seed), red_box(), 160, [])
    part = close_up(rng_of(seed), sample, 96)
    assert part.pixels.shape == (96, 96, 3) and part.alpha.shape == part.weight.shape == (96, 96)
    both = 0 < (sample.alpha > 0.5).mean() < 1
    assert not both or 0 < (part.alpha > 0.5).mean() < 1


def test_edges_weigh_more_and_thin_parts_most():
    alpha = np.zeros((64, 64), np.float32)
    alpha[10:40, 10:40] = 1
    alpha[40:60, 24:26] = 1
    weight = weight_of(alpha)
    assert weight[25, 25] == weight[5, 60] == 1
    assert weight[50, 25] > weight[10, 25] > 1


def test_a_drawn_thing_is_there_in_most_draws_and_has_colour_where_it_is():
    areas = []
    for seed in range(30):
        thing = draw_thing(rng_of(seed))
        areas.append((thing.coverage > 127).mean())
        assert thing.color[thing.coverage == 255].max(initial=1) > 0
        assert not thing.color[thing.coverage == 0].any()
    assert np.median(areas) > 0.05
