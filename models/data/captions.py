"""Captions written from what is known about a picture: a few words, a sentence, a paragraph; the same words every time.

The words are those of `models.data.descriptions` for renders and of `models.data.photographs` for photographs. What is
not known is not said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
_OPENINGS = ("a photo of ", "", "a product photo of ", "an interior photograph of ")


def captions_of(words: Mapping[str, Any], seed: int = 0) -> tuple[str, ...]:
    """Captions from short to long; `seed` picks among equal ways to say it.

    >>> words = {"products": [{"phrase": "chair", "noun": "chair", "colors": ["red"]}], "place": "on an oak floor"}
    >>> captions_of(words)
    ('red chair', 'a red chair on an oak floor', 'a photo of a red chair on an oak floor')
    """
    rng = np.random.default_rng([seed, 11])
    products = cast("Sequence[Mapping[str, Any]]", words["products"])
    place, light = place_of(words), light_of(words)
    short = ", ".join(named(product) for product in products[:3])
    middle = _joined([listed(products), place])
    opening = _OPENINGS[rng.integers(len(_OPENINGS))] if seed else _OPENINGS[0]
    more = _joined([opening + listed(products), place])
    longest = ", ".join(part for part in (more, light, *extras_of(words)) if part)
    plain = ", ".join(part for part in (place, light) if part)
    made = [short, middle, ", ".join(part for part in (middle, light) if part), longest]
    if words.get("stand"):
        made.insert(1, plain)
    return tuple(dict.fromkeys(text.strip() for text in made if text.strip()))


def place_captions(words: Mapping[str, Any]) -> tuple[str, ...]:
    """Captions that leave out what the products are, from short to long: for who is shown them.

    >>> place_captions({"place": "on an oak floor", "light": "soft light"})
    ('on an oak floor', 'on an oak floor, in soft light')
    """
    place, light = place_of(words), light_of(words)
    told = [part for part in (light, *extras_of(words)) if part]
    made = [place, ", ".join([place, *told[:1]]), ", ".join([place, *told])]
    return tuple(dict.fromkeys(text for text in made if text))


def named(product: Mapping[str, Any]) -> str:
    """A product with its colours, without an article."""
    colors = " and ".join(product["colors"])
    return f"{colors} {product['phrase']}".strip()


def listed(products: Sequence[Mapping[str, Any]]) -> str:
    """All products in one phrase; alike ones are counted.

    >>> lamp = {"phrase": "lamp", "noun": "lamp", "colors": []}
    >>> listed([lamp, lamp, {"phrase": "oak table", "noun": "table", "colors": []}])
    'two lamps and an oak table'
    """
    counts: dict[str, int] = {}
    for product in products:
        counts[named(product)] = counts.get(named(product), 0) + 1
    said = [with_article(name) if count == 1 else f"{_NUMBERS[count]} {plural(name)}" for name, count in counts.items()]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def place_of(words: Mapping[str, Any]) -> str:
    """Where the products are: on a floor, a table, a shelf or a wall, and before what."""
    if words.get("place"):
        return str(words["place"])
    wall = with_article(words["wall"]) if "wallpaper" not in words["wall"] else words["wall"]
    stand = words["stand"]
    if stand == "floor":
        return f"on {with_article(words['floor'])} in front of {wall}"
    if stand in ("table", "shelf"):
        return f"on {with_article(words['board'])} in front of {wall}"
    return f"on {wall}"


def light_of(words: Mapping[str, Any]) -> str:
    """The light, and what it falls through."""
    if not words.get("light"):
        return ""
    pattern = words.get("pattern")
    return f"in {words['light']}" + (f" {pattern}" if pattern else "")


def extras_of(words: Mapping[str, Any]) -> list[str]:
    """What else can be told: the room, things about, how the picture was taken."""
    said = [f"{words['room']} interior"] if words.get("room") not in (None, "terrace") else []
    said += ["outdoor terrace"] if words.get("room") == "terrace" else []
    props = list(dict.fromkeys(words.get("props", ())))[:3]
    said += [f"with {' and '.join(map(with_article, props))} nearby"] if props else []
    said += ["a rug"] if words.get("rug") else []
    said += ["a framed picture on the wall"] if words.get("picture") else []
    said += ["blurred background"] if words.get("blurred") else []
    said += ["seen from above"] if words.get("from_above") else []
    said += [f"light from the {words['side']}"] if words.get("side") and words.get("light") else []
    return said


def with_article(phrase: str) -> str:
    """`a` or `an` before a noun phrase, unless it is a plural.

    >>> with_article("oak table"), with_article("socks"), with_article("glass"), with_article("scissors")
    ('an oak table', 'socks', 'a glass', 'scissors')
    """
    last = phrase.split()[-1]
    if last.endswith("s") and not last.endswith(("ss", "us", "is")):
        return phrase
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def plural(phrase: str) -> str:
    """The plural of a noun phrase, by the rules that these words need.

    >>> plural("glass"), plural("knife"), plural("socks"), plural("lamp")
    ('glasses', 'knives', 'socks', 'lamps')
    """
    if phrase.endswith(("ss", "sh", "ch", "x")):
        return f"{phrase}es"
    if phrase.endswith("s"):
        return phrase
    if phrase.endswith("fe"):
        return f"{phrase[:-2]}ves"
    return f"{phrase[:-1]}ies" if phrase.endswith("y") and phrase[-2] not in "aeiou" else f"{phrase}s"


def _joined(parts: Sequence[str]) -> str:
    return " ".join(part for part in parts if part)
