import re
import time

import numpy as np
import pytest

from transforms.ops.papers import COLOURS, MOODS, PAPERS, Wish, read_prompt


def test_words_that_mean_nothing_here_ask_for_nothing():
    assert read_prompt("a beautiful product for every home") == Wish()
    assert read_prompt("") == Wish()


def test_the_first_colour_named_is_the_backdrops():
    assert read_prompt("sage green wall with blue accents").colour == COLOURS["sage"]


@pytest.mark.parametrize("prompt", ["off-white", "Navy-Blue wall", "light-grey", "dark-green paper", "warm-white"])
def test_a_hyphenated_colour_is_the_one_of_its_words(prompt):
    assert read_prompt(prompt) == read_prompt(prompt.replace("-", " ")) and read_prompt(prompt).colour


@pytest.mark.parametrize("prompt", ["a gold-plated lamp", "flat-screen", "stone-washed"])
def test_a_colour_of_the_products_finish_is_none_of_the_backdrop(prompt):
    assert read_prompt(prompt) == Wish()


def test_light_is_the_lamp_unless_it_describes_a_colour():
    assert read_prompt("soft light").lightness == 0
    assert read_prompt("light blue studio").lightness > 0


@pytest.mark.parametrize("word", ["light", "vivid", "soft", "deep", "hard"])
def test_a_word_that_fills_a_prompt_is_read_in_no_time_and_moves_no_set_beyond_bounds(word):
    began = time.process_time()
    wish = read_prompt(f"{word} " * 8000)
    assert time.process_time() - began < 5
    assert 0 <= wish.chroma <= 8 and 0 <= wish.softness <= 8
    every = [value for name in ("chroma", "softness") for move in MOODS.values() if (value := move.get(name, 1)) > 1]
    assert np.prod(every) < 8


def test_moods_add_up_within_their_bounds():
    wish = read_prompt("golden sunset, warm, moody dramatic luxury, deep dark")
    assert wish.warmth == 1.0 and wish.drama == 1.0 and wish.lightness == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("prompt", "pose"),
    [
        ("hung on the wall", "hung"),
        ("wall-hung before plaster", "hung"),
        ("flat lay on linen", "flat"),
        ("linen flat-lay", "flat"),
        ("on a floor", "standing"),
        ("beside a flat-screen", "standing"),
        ("sage", "standing"),
    ],
)
def test_the_pose_is_read(prompt, pose):
    assert read_prompt(prompt).pose == pose


def test_concrete_brings_its_own_grey_unless_told_otherwise():
    assert read_prompt("concrete").colour == COLOURS["stone"]
    assert read_prompt("pink concrete").colour == COLOURS["pink"]


def test_the_tables_hold_colours_and_fields_only():
    assert all(re.fullmatch(r"#[0-9a-f]{6}", code) for code in COLOURS.values())
    assert all(0 < taste <= 1 for _, taste in PAPERS.values())
    assert {name for moves in MOODS.values() for name in moves} <= set(Wish.__dataclass_fields__)
    assert len(COLOURS) + len(MOODS) >= 60
