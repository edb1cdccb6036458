"""The stock of interiors: surfaces and colours by the names that captions use, and what suits which room."""

from __future__ import annotations

from collections.abc import Mapping

from models.data.scene import Top
from models.data.shots import Color, Floor, Wall

# sRGB as "#rrggbb"; a scene varies each a little.
WOODS: Mapping[str, str] = {
    "pale oak": "#cdb595",
    "oak": "#b58d62",
    "honey-coloured": "#bb8246",
    "walnut": "#6b4a35",
    "dark brown": "#4a3327",
    "white-washed": "#d9d0c3",
    "grey": "#9c948a",
    "reddish": "#8f5238",
}
STONES: Mapping[str, str] = {
    "white": "#e6e4e0",
    "light grey": "#c3c2bf",
    "beige": "#d2c4ae",
    "grey": "#92918f",
    "dark grey": "#55565a",
    "terracotta": "#b0694c",
    "cream": "#e5dcc9",
}
YARNS: Mapping[str, str] = {
    "beige": "#c9b99f",
    "grey": "#9b9894",
    "cream": "#ddd3c0",
    "blue": "#5f7590",
    "green": "#71826a",
    "brown": "#83684f",
    "dark grey": "#5c5b5d",
}
PAINTS: Mapping[str, str] = {
    "white": "#efeeea",
    "off-white": "#e9e4d8",
    "cream": "#ead9b8",
    "beige": "#d8c6aa",
    "greige": "#bfb5a6",
    "light grey": "#cbcbc9",
    "grey": "#8d8f90",
    "charcoal": "#44464a",
    "sage green": "#a9b49a",
    "dark green": "#3f5547",
    "pale blue": "#bdd0da",
    "grey blue": "#7f93a3",
    "navy blue": "#2c3a55",
    "blush pink": "#e6c7bd",
    "terracotta": "#b8714f",
    "mustard": "#cf9f45",
    "pale yellow": "#eee0a8",
    "lilac": "#cfc3d8",
    "teal": "#3f7377",
    "brown": "#7d604b",
}
BRICKS: Mapping[str, str] = {"red": "#9a4f39", "white-painted": "#dfdcd6", "brown": "#85614b", "grey": "#8c8884"}
MARBLES: Mapping[str, str] = {"white": "#ececea", "black": "#2e2e30", "green": "#51665a", "beige": "#ddd0bd"}

FLOORS: Mapping[str, tuple[tuple[Floor, float], ...]] = {
    "living room": (("wood", 0.45), ("herringbone", 0.2), ("carpet", 0.15), ("concrete", 0.1), ("tile", 0.1)),
    "bedroom": (("wood", 0.4), ("carpet", 0.35), ("herringbone", 0.25)),
    "kitchen": (("tile", 0.4), ("wood", 0.3), ("terrazzo", 0.2), ("concrete", 0.1)),
    "bathroom": (("tile", 0.65), ("terrazzo", 0.35)),
    "office": (("wood", 0.35), ("carpet", 0.3), ("concrete", 0.35)),
    "terrace": (("tile", 0.4), ("concrete", 0.25), ("deck", 0.35)),
}
WALLS: Mapping[str, tuple[tuple[Wall, float], ...]] = {
    "living room": (("paint", 0.55), ("plaster", 0.15), ("brick", 0.1), ("slats", 0.08), ("wallpaper", 0.12)),
    "bedroom": (("paint", 0.6), ("plaster", 0.12), ("wallpaper", 0.2), ("slats", 0.08)),
    "kitchen": (("paint", 0.45), ("tiles", 0.4), ("plaster", 0.15)),
    "bathroom": (("tiles", 0.65), ("plaster", 0.2), ("paint", 0.15)),
    "office": (("paint", 0.6), ("brick", 0.2), ("plaster", 0.2)),
    "terrace": (("brick", 0.4), ("plaster", 0.35), ("slats", 0.25)),
}
TOPS: tuple[tuple[Top, float], ...] = (
    ("timber", 0.45),
    ("marble", 0.18),
    ("laminate", 0.14),
    ("linen", 0.13),
    ("slate", 0.1),
)
SHELF_TOPS: tuple[tuple[Top, float], ...] = (("timber", 0.65), ("laminate", 0.25), ("marble", 0.1))

FLOOR_COLORS: Mapping[Floor, Mapping[str, str]] = {
    "wood": WOODS,
    "herringbone": WOODS,
    "deck": WOODS,
    "tile": STONES,
    "terrazzo": STONES,
    "concrete": STONES,
    "carpet": YARNS,
}
WALL_COLORS: Mapping[Wall, Mapping[str, str]] = {
    "paint": PAINTS,
    "plaster": PAINTS,
    "wallpaper": PAINTS,
    "tiles": PAINTS,
    "brick": BRICKS,
    "slats": WOODS,
}
TOP_COLORS: Mapping[Top, Mapping[str, str]] = {
    "timber": WOODS,
    "marble": MARBLES,
    "laminate": PAINTS,
    "linen": YARNS,
    "slate": STONES,
}
FLOOR_WORDS: Mapping[Floor, str] = {
    "wood": "{} wooden floor",
    "herringbone": "{} herringbone parquet floor",
    "deck": "{} wooden deck",
    "tile": "{} tiled floor",
    "terrazzo": "{} terrazzo floor",
    "concrete": "{} concrete floor",
    "carpet": "{} carpet",
}
WALL_WORDS: Mapping[Wall, str] = {
    "paint": "{} painted wall",
    "plaster": "{} plaster wall",
    "wallpaper": "{} patterned wallpaper",
    "tiles": "{} tiled wall",
    "brick": "{} brick wall",
    "slats": "{} wooden slat wall",
}
TOP_WORDS: Mapping[Top, str] = {
    "timber": "{} wooden {}",
    "marble": "{} marble {}",
    "laminate": "{} {}",
    "linen": "{} with a {} linen cloth",
    "slate": "{} stone {}",
}


def color_of(code: str) -> Color:
    """sRGB in [0, 1] of "#rrggbb".

    >>> color_of("#ff0000")
    (1.0, 0.0, 0.0)
    """
    red, green, blue = (int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def board_words(top: Top, color: str, thing: str) -> str:
    """What a board is called.

    >>> board_words("timber", "oak", "shelf"), board_words("linen", "grey", "table")
    ('oak wooden shelf', 'table with a grey linen cloth')
    """
    words = (thing, color) if top == "linen" else (color, thing)
    return TOP_WORDS[top].format(*words)
