import numpy as np
import pytest

from transforms.ops.oklab import lch, to_oklab
from transforms.ops.palette import choose_backdrop, harmony, product_palette, separation
from transforms.ops.papers import COLOURS, read_prompt

MATTE = np.zeros((80, 80), np.uint8)
MATTE[20:60, 20:60] = 255


def product(rgb):
    image = np.full((80, 80, 3), 128, np.uint8)
    image[MATTE > 0] = rgb
    return product_palette(image, MATTE)


def rng(seed):
    return np.random.Generator(np.random.Philox(key=seed))


def test_a_plain_product_has_its_own_colour_and_nothing_of_the_canvas():
    palette = product((200, 30, 30))
    assert palette.weights.sum() == pytest.approx(1.0)
    expected = to_oklab(np.array([200, 30, 30], np.uint8))
    for colour, weight in zip(palette.colours, palette.weights, strict=True):
        assert weight == 0 or colour == pytest.approx(expected, abs=1e-4)


def test_an_empty_matte_counts_as_grey():
    palette = product_palette(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8))
    assert palette.weights.tolist() == [1.0]


def test_a_product_that_fills_the_picture_has_its_colours_for_an_edge():
    palette = product_palette(np.full((8, 8, 3), 90, np.uint8), np.full((8, 8), 255, np.uint8))
    assert np.array_equal(palette.edges, palette.colours) and np.array_equal(palette.edge_weights, palette.weights)


def test_separation_grows_with_the_difference():
    palette = product((240, 240, 240))
    steps = [separation(palette, lch(lightness, 0.0, 0.0)) for lightness in (0.95, 0.85, 0.75, 0.6)]
    assert steps == sorted(steps) and steps[0] < 0.05 and steps[-1] > 0.95


def test_related_and_opposite_hues_agree_and_those_between_clash():
    palette = product((210, 60, 40))
    own = np.rad2deg(np.arctan2(palette.colours[0, 2], palette.colours[0, 1]))
    tone, clash, opposite = (harmony(palette, lch(0.7, 0.1, own + turn)) for turn in (10, 80, 180))
    assert clash < opposite <= 1 and clash < tone <= 1
    assert harmony(palette, lch(0.9, 0.0, 0)) == pytest.approx(0.8)


@pytest.mark.parametrize("rgb", [(250, 250, 250), (20, 20, 22), (205, 190, 165), (128, 128, 128), (200, 40, 40)])
def test_no_product_drowns_in_a_backdrop_of_our_choice(rgb):
    palette = product(rgb)
    chosen = [separation(palette, choose_backdrop(palette, read_prompt(""), rng(seed))) for seed in range(40)]
    assert min(chosen) > 0.35 and np.mean(chosen) > 0.7


def test_seeds_choose_different_papers_and_the_same_seed_the_same():
    palette = product((90, 60, 40))
    chosen = [tuple(choose_backdrop(palette, read_prompt(""), rng(seed))) for seed in range(30)]
    assert len(set(chosen)) >= 5
    assert chosen[3] == tuple(choose_backdrop(palette, read_prompt(""), rng(3)))


def test_a_named_colour_keeps_its_hue_where_it_has_to_move():
    palette = product((205, 190, 165))
    beige = to_oklab(np.array([int(COLOURS["beige"][i : i + 2], 16) for i in (1, 3, 5)], np.uint8))
    moved = choose_backdrop(palette, read_prompt("beige"), rng(1))
    assert separation(palette, moved) > separation(palette, beige)
    assert np.arctan2(moved[2], moved[1]) == pytest.approx(np.arctan2(beige[2], beige[1]), abs=0.05)
