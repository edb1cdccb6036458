"""Whether a backdrop follows its prompt, on painted colours that are known."""

import numpy as np
import pytest

from models.evaluation.agreement import (
    backdrop_of,
    color_agreement,
    color_in,
    ground_of,
    roughness_in,
    told_apart,
)
from transforms.ops.color_difference import lab_of

COLOURS = np.array([[195, 204, 182], [47, 62, 82], [179, 106, 77], [205, 163, 73]], np.uint8)


def product(height=120, width=80):
    mask = np.zeros((height, width), bool)
    mask[40:100, 25:55] = True
    return mask


def painted(colour, mask):
    pixels = np.empty((*mask.shape, 3), np.uint8)
    pixels[:] = colour
    pixels[mask] = (250, 10, 10)
    return pixels


def measured(colours):
    mask = product()
    return np.stack([color_in(painted(colour, mask), backdrop_of(mask)) for colour in colours])


def test_colours_as_asked_agree_and_others_do_not():
    found = color_agreement(measured(COLOURS), lab_of(COLOURS))
    assert found.difference == pytest.approx(0.0, abs=1e-6)
    assert found.right == 1.0
    assert found.by_chance == 0.0
    assert found.shuffled > 15


def test_one_colour_for_all_prompts_agrees_no_better_than_by_chance():
    found = color_agreement(measured([COLOURS[0]] * 4), lab_of(COLOURS))
    assert found.right == pytest.approx(found.by_chance) == pytest.approx(0.25)
    assert found.difference < found.shuffled * 1.01


def test_a_colour_asked_twice_is_no_other_colour():
    asked = COLOURS[[0, 0, 1, 1]]
    found = color_agreement(measured(asked), lab_of(asked))
    assert found.right == 1.0
    assert found.by_chance == pytest.approx(4 / 12)
    assert found.shuffled > 15


def test_the_product_is_no_backdrop():
    mask = product()
    assert not (backdrop_of(mask) & mask).any()
    assert color_in(painted(COLOURS[1], mask), backdrop_of(mask)) == pytest.approx(lab_of(COLOURS[1]))


def test_the_ground_lies_beside_and_below_the_foot():
    mask = product()
    ground = ground_of(mask)
    assert not ground[:89].any()
    assert ground[95, 5] and ground[115, 40]
    assert ground_of(np.zeros((10, 10), bool)).all()


def test_grain_is_rough_and_light_is_not():
    mask = product()
    ramp = np.repeat(np.linspace(80, 200, 120)[:, None, None], 80, axis=1).repeat(3, axis=2).astype(np.uint8)
    noise = np.random.default_rng(1).normal(0, 8, ramp.shape)
    grainy = np.clip(ramp + noise, 0, 255).astype(np.uint8)
    assert roughness_in(ramp, backdrop_of(mask)) < 0.5 < 2 < roughness_in(grainy, backdrop_of(mask))


def test_rough_and_smooth_are_told_apart_or_not():
    assert told_apart([3, 1], [True, False]) == 1.0
    assert told_apart([1, 3], [True, False]) == 0.0
    assert told_apart([2, 2, 2], [True, False, True]) == 0.5
    assert np.isnan(told_apart([1, 2], [True, True]))
