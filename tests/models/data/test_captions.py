from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.data.captions import captions_of, listed, plural, with_article
from models.data.color_names import colors_of, name_of
from models.data.interiors import FLOOR_COLORS, FLOOR_WORDS, PAINTS, WALL_COLORS, WALL_WORDS, board_words, color_of
from transforms.ops.oklab import to_oklab

WORDS: dict[str, Any] = {
    "products": [
        {"phrase": "coffee mug", "noun": "mug", "colors": ["red"]},
        {"phrase": "plate", "noun": "plate", "colors": ["white", "blue"]},
    ],
    "props": ["desk lamp"],
    "stand": "table",
    "room": "kitchen",
    "floor": "oak wooden floor",
    "wall": "sage green painted wall",
    "board": "oak wooden table",
    "light": "warm evening light",
    "pattern": "falling through a window",
    "side": "left",
    "rug": False,
    "picture": True,
    "blurred": True,
    "from_above": False,
}


def test_captions_go_from_short_to_long_and_name_what_is_known() -> None:
    captions = captions_of(WORDS)
    assert captions[0] == "red coffee mug, white and blue plate"
    assert captions[2] == (
        "a red coffee mug and a white and blue plate on an oak wooden table in front of a sage green painted wall"
    )
    for word in ("warm evening light falling through a window", "kitchen interior", "desk lamp", "from the left"):
        assert word in captions[-1]
    assert captions[1].startswith("on an oak wooden table")


def test_captions_of_a_photograph_say_no_more_than_was_measured() -> None:
    words = {"products": [{"phrase": "T-shirt", "noun": "T-shirt", "colors": []}], "place": "on a plain white surface"}
    assert captions_of(words)[-1] == "a photo of a T-shirt on a plain white surface"


@given(st.integers(0, 1000))
def test_captions_repeat_themselves_and_none_is_said_twice(seed: int) -> None:
    captions = captions_of(WORDS, seed)
    assert captions == captions_of(WORDS, seed)
    assert len(set(captions)) == len(captions)
    assert all(caption == caption.strip() and "  " not in caption for caption in captions)


def test_alike_products_are_counted() -> None:
    knife = {"phrase": "knife", "noun": "knife", "colors": ["grey"]}
    assert listed([knife] * 3) == "three grey knives"


@pytest.mark.parametrize(("one", "many"), [("box", "boxes"), ("brush", "brushes"), ("tray", "trays"), ("toy", "toys")])
def test_plurals(one: str, many: str) -> None:
    assert plural(one) == many
    assert with_article(many) == many


def test_every_surface_has_words_and_colours() -> None:
    for floor, colors in FLOOR_COLORS.items():
        assert all("{" not in FLOOR_WORDS[floor].format(color) for color in colors)
    for wall, colors in WALL_COLORS.items():
        assert all("{" not in WALL_WORDS[wall].format(color) for color in colors)
    assert board_words("linen", "grey", "table") == "table with a grey linen cloth"


@pytest.mark.parametrize(
    ("code", "name"),
    [("#ffffff", "white"), ("#000000", "black"), ("#d03030", "red"), ("#2050c0", "blue"), ("#808080", "grey")],
)
def test_plain_colours_have_their_plain_names(code: str, name: str) -> None:
    assert name_of(to_oklab(np.array([round(255 * c) for c in color_of(code)], np.uint8))) == name


def test_paints_are_seen_as_what_they_are_called() -> None:
    for name in ("white", "grey", "navy blue", "terracotta", "mustard", "sage green"):
        assert name_of(to_oklab(np.array([round(255 * c) for c in color_of(PAINTS[name])], np.uint8))) == name


@given(st.integers(0, 2**32 - 1))
def test_what_is_clear_has_no_colour_and_does_not_change_the_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:, :20] = (200, 40, 40)
    pixels[:, 20:] = rng.integers(0, 256, 3)
    alpha = np.zeros((40, 40), np.uint8)
    assert colors_of(pixels, alpha) == ()
    alpha[:, :20] = 255
    assert colors_of(pixels, alpha) == ("red",)
