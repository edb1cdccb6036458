"""The studio's stock: seamless papers by name, and what the words of a prompt ask of a set. Literal tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Pose = Literal["standing", "hung", "flat"]
Surface = Literal["paper", "plaster", "concrete"]

# Muted, photographic colours, as sold on rolls; the taste is how often a set may choose one unasked, in [0, 1].
PAPERS: Mapping[str, tuple[str, float]] = {
    "bone": ("#ece6da", 0.9),
    "ivory": ("#f1ebdf", 0.7),
    "oat": ("#dfd3c1", 1.0),
    "sand": ("#d6c4a8", 0.9),
    "camel": ("#bd9a74", 0.55),
    "greige": ("#c9c0b4", 0.85),
    "blush": ("#ecd3ca", 0.9),
    "rose": ("#d9aca3", 0.75),
    "peach": ("#f0cdb2", 0.7),
    "apricot": ("#e6b389", 0.5),
    "clay": ("#c58a6c", 0.7),
    "terracotta": ("#b36a4d", 0.6),
    "butter": ("#f1e2b4", 0.6),
    "straw": ("#e2c987", 0.35),
    "sage": ("#c3ccb6", 0.9),
    "moss": ("#8f9d7c", 0.65),
    "forest": ("#3f5648", 0.4),
    "mint": ("#cfe3d6", 0.65),
    "eucalyptus": ("#a8bfb2", 0.85),
    "sky": ("#cddde8", 0.8),
    "mist": ("#d3dcdd", 0.75),
    "powder": ("#b5cbdc", 0.7),
    "denim": ("#8098ae", 0.6),
    "slate": ("#5f6f7d", 0.55),
    "navy": ("#2f3e52", 0.3),
    "petrol": ("#2f5358", 0.35),
    "lilac": ("#d9d0e2", 0.6),
    "mauve": ("#b9a3b4", 0.55),
    "plum": ("#5c4254", 0.25),
    "burgundy": ("#63343a", 0.25),
    "dove": ("#d5d4d1", 0.6),
    "stone": ("#a9a49b", 0.55),
    "graphite": ("#57585a", 0.2),
    "charcoal": ("#393a3d", 0.15),
    "espresso": ("#4b3a31", 0.2),
}

# Words for colours; several name the same paper. Adjectives that move a colour are in MOODS.
COLOURS: Mapping[str, str] = {name: value[0] for name, value in PAPERS.items()} | {
    "white": "#f4f2ee",
    "cream": "#f1e8d6",
    "beige": "#decfb9",
    "tan": "#c9ac86",
    "brown": "#7b5a45",
    "chocolate": "#54392d",
    "caramel": "#b8824f",
    "wood": "#c19a72",
    "grey": "#b9b9b8",
    "gray": "#b9b9b8",
    "silver": "#cfd1d2",
    "black": "#2a2a2c",
    "anthracite": "#3d3f42",
    "pink": "#eac5c8",
    "coral": "#e59a84",
    "salmon": "#e8b09c",
    "red": "#a94440",
    "wine": "#63343a",
    "orange": "#dd9358",
    "rust": "#a75f3d",
    "yellow": "#efd583",
    "mustard": "#cda349",
    "gold": "#d5b36c",
    "ochre": "#c4924c",
    "olive": "#7f8058",
    "green": "#7f9f84",
    "emerald": "#2f6a53",
    "teal": "#3f7377",
    "turquoise": "#86bdb9",
    "aqua": "#b5dad9",
    "blue": "#8fb0cc",
    "indigo": "#3c4470",
    "violet": "#8f80ab",
    "purple": "#79618f",
    "lavender": "#d3cbe4",
    "champagne": "#ead9bf",
    "linen": "#e7dfd1",
    "pearl": "#e9e6e1",
}


@dataclass(frozen=True)
class Wish:
    """What a prompt asks of a set.

    Attributes:
        colour: sRGB hex of the backdrop, "" where the set may choose.
        lightness: added to the backdrop's Oklab lightness.
        chroma: multiplies its chroma.
        warmth: of the light, -1 (cool) to 1 (warm).
        drama: 0 even light, 1 a hard key with deep falloff.
        softness: of the shadows, multiplies the light's size.
        gloss: strength of the floor's reflection, 0 to 1.
        surface: what the set is made of.
        two_tone: a floor in a tone of its own, with a visible horizon.
        window: daylight through a window on the wall.
        shadow: whether the product casts one; not where its own is laid in later.
        pose: how the product is held.
    """

    colour: str = ""
    lightness: float = 0.0
    chroma: float = 1.0
    warmth: float = 0.0
    drama: float = 0.0
    softness: float = 1.0
    gloss: float = 0.0
    surface: Surface = "paper"
    two_tone: bool | None = None
    window: bool = False
    shadow: bool = True
    pose: Pose = "standing"


OWN_SHADOW = "own-shadow"  # the product brings one; a painter that draws sets then draws none

# word -> fields to add (numbers), multiply (chroma, softness) or set (the rest)
MOODS: Mapping[str, Mapping[str, float | str | bool]] = {
    "pale": {"lightness": 0.06, "chroma": 0.75},
    "light": {"lightness": 0.05},
    "bright": {"lightness": 0.04, "drama": -0.1},
    "pastel": {"lightness": 0.05, "chroma": 0.85},
    "soft": {"softness": 1.25},
    "muted": {"chroma": 0.7},
    "dusty": {"chroma": 0.7, "lightness": -0.02},
    "neutral": {"chroma": 0.4},
    "deep": {"lightness": -0.18, "chroma": 1.1},
    "dark": {"lightness": -0.25},
    "rich": {"lightness": -0.08, "chroma": 1.25},
    "vivid": {"chroma": 1.5},
    "bold": {"chroma": 1.4},
    "saturated": {"chroma": 1.4},
    "warm": {"warmth": 0.6},
    "cosy": {"warmth": 0.6, "softness": 1.1},
    "cozy": {"warmth": 0.6, "softness": 1.1},
    "sunny": {"warmth": 0.5, "window": True},
    "sunlit": {"warmth": 0.5, "window": True},
    "sunlight": {"warmth": 0.5, "window": True},
    "morning": {"warmth": 0.35, "window": True},
    "window": {"window": True},
    "golden": {"warmth": 0.9, "drama": 0.2},
    "sunset": {"warmth": 1.0, "drama": 0.3},
    "evening": {"warmth": 0.7, "drama": 0.3},
    "cool": {"warmth": -0.6},
    "cold": {"warmth": -0.8},
    "fresh": {"warmth": -0.3, "lightness": 0.03},
    "airy": {"lightness": 0.05, "softness": 1.3, "drama": -0.1},
    "minimal": {"chroma": 0.8},
    "minimalist": {"chroma": 0.8},
    "clean": {"chroma": 0.85, "lightness": 0.02},
    "moody": {"drama": 0.7, "lightness": -0.15},
    "dramatic": {"drama": 0.8, "softness": 0.7},
    "luxury": {"drama": 0.45, "gloss": 0.5, "lightness": -0.1},
    "elegant": {"drama": 0.3},
    "premium": {"drama": 0.35, "gloss": 0.35},
    "crisp": {"softness": 0.6},
    "hard": {"softness": 0.45},
    "glossy": {"gloss": 0.8},
    "reflective": {"gloss": 0.8},
    "acrylic": {"gloss": 0.9},
    "matte": {"gloss": -1.0},
    "plaster": {"surface": "plaster"},
    "stucco": {"surface": "plaster"},
    "limewash": {"surface": "plaster"},
    "concrete": {"surface": "concrete"},
    "cement": {"surface": "concrete"},
    "seamless": {"two_tone": False},
    "tabletop": {"two_tone": True},
    "horizon": {"two_tone": True},
    OWN_SHADOW: {"shadow": False},
    "shadowless": {"shadow": False},
    "hung": {"pose": "hung"},
    "hanging": {"pose": "hung"},
    "wall-mounted": {"pose": "hung"},
    "wall-hung": {"pose": "hung"},
    "pendant": {"pose": "hung"},
    "flat": {"pose": "flat"},
    "overhead": {"pose": "flat"},
    "flatlay": {"pose": "flat"},
    "flat-lay": {"pose": "flat"},
}

_FACTORS = ("chroma", "softness")
_LARGEST = 8.0  # of a factor: all moods at once stay below it, a word that is said a thousand times does not
_LOWEST = {"drama": 0.0, "gloss": 0.0, "warmth": -1.0, "lightness": -0.5}
_HIGHEST = {"drama": 1.0, "gloss": 1.0, "warmth": 1.0, "lightness": 0.2}
_BY_SURFACE = {"concrete": COLOURS["stone"]}
_ANY_COLOUR = rf"(?:{'|'.join(COLOURS)})\b"
_LIGHTENS = re.compile(rf"\blight\s+{_ANY_COLOUR}")
_HYPHEN = re.compile(rf"(?<=[a-z])-(?={_ANY_COLOUR})")  # of "off-white", not of "gold-plated": that colours no paper


def read_prompt(prompt: str) -> Wish:
    """The wish that the words of `prompt` spell; unknown words ask for nothing, the first colour named counts.

    >>> wish = read_prompt("warm beige studio, soft morning light")
    >>> wish.colour == COLOURS["beige"], wish.warmth, wish.window
    (True, 0.95, True)
    """
    prompt = _HYPHEN.sub(" ", prompt.lower())
    wish, lightens = Wish(), _LIGHTENS.search(prompt) is not None
    for word in re.findall(r"[a-z]+(?:-[a-z]+)*", prompt):
        if word in COLOURS and not wish.colour:
            wish = replace(wish, colour=COLOURS[word])
        # "soft light" and "morning light" speak of the lamp, not of the paper
        if word != "light" or lightens:
            wish = _moved(wish, MOODS.get(word, {}))
    if not wish.colour and wish.surface in _BY_SURFACE:
        wish = replace(wish, colour=_BY_SURFACE[wish.surface])
    return wish


def _moved(wish: Wish, moves: Mapping[str, float | str | bool]) -> Wish:
    fields: dict[str, object] = {}
    for name, value in moves.items():
        old = getattr(wish, name)
        if isinstance(value, bool | str):
            fields[name] = value
        elif name in _FACTORS:
            fields[name] = min(old * value, _LARGEST)
        else:
            fields[name] = min(max(old + value, _LOWEST[name]), _HIGHEST[name])
    return replace(wish, **fields)  # type: ignore[arg-type]
