"""What kind of product a text names: titles, categories and descriptions read as shops write them.

A title's head stands last in its first phrase: a shoe rack is a rack, a table lamp is a lamp, a "dress shirt for men,
with tie" is a shirt. So the first phrase that names any kind decides, and in it the name that ends last, the longest of
those ("coffee table", not "table"). A category such as "Home > Furniture > Chairs" is read from its end. Names are
whole words: "guarantee" holds no tee, "laptop" no top.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from transforms.ops.papers import COLOURS

Tokens = tuple[str, ...]
Kinds = tuple[tuple[str, ...], ...]

# what ends a phrase: signs, and words that begin what only belongs to the product
_BREAK = re.compile(
    r"[,;:|/()\[\].!?–—]|\s-\s|(?<![\w-])(?:with|without|for|of|from|by|in|on|at|to|is|are|has|that|which|your|plus|"
    r"featuring|including|includes)(?![\w-])"
)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
# ends of plurals and what they are ends of, the first that fits; "ies" is left alone: a bootie is a singular
_PLURALS = (
    *(("shes", "sh"), ("ches", "ch"), ("sses", "ss"), ("xes", "x")),
    *(("shelves", "shelf"), ("knives", "knife"), ("scarves", "scarf"), ("loaves", "loaf"), ("s", "")),
)
# They say more often what a product is like, made of or meant for, and name it only where nothing else does: "handbag
# orange" is no fruit, "vase clear glass" no glass, "dress floral print" no print, "chair office" no office supply.
_WEAK = frozenset(COLOURS) | frozenset(
    (
        *("apple", "aubergine", "berry", "cherry", "cocoa", "coffee", "ginger", "honey", "lemon", "lime", "spice"),
        *("art", "canvas", "clay", "fabric", "flannel", "fleece", "glass", "glitter", "iron", "paper", "print", "wool"),
        *("animal", "baby", "beauty", "fitness", "flower", "food", "garden", "health", "industrial", "infant"),
        *("kitchen", "office", "pet", "sport", "toddler", "top", "water"),
    )
)
# makers too: alone or at a phrase's end they are fruit and tree, before a name that no list knows they are who made it
_MAKERS = frozenset(("apple", "blackberry", "orange", "palm"))


def named_kind(texts: Iterable[str], kinds: Kinds) -> int | None:
    """The place in `kinds` of the one that the texts name, the more telling text first; None where none does.

    Args:
        texts: a title, a category, a description.
        kinds: the names of each kind, singular, phrases too; of a name that two kinds share, the first has it.

    >>> named_kind(["Shoe rack, oak"], (("shoe",), ("rack", "table")))
    1
    """
    names = _places(kinds)
    phrases = [phrase for text in texts for phrase in _phrases(text.lower())]
    for weak in (False, True):
        for phrase in phrases:
            place = _head(phrase, names, weak)
            if place is not None:
                return place
    return None


def _phrases(text: str) -> Iterator[Tokens]:
    """The words of each phrase, the telling one first; then with hyphens opened, as in a file's name."""
    parts = [part for path in reversed(text.split(">")) for part in _BREAK.split(path)]
    yield from map(_words, parts)
    if "-" in text:
        yield from (_words(part.replace("-", " ")) for part in parts)


def _words(text: str) -> Tokens:
    """The words of a text: letters and what hyphens join."""
    return tuple(_WORD.findall(text))


def _head(phrase: Tokens, names: Mapping[Tokens, int], weak: bool) -> int | None:
    """The place of the name that ends last in `phrase`, the longest of those; of weak ones only where `weak`."""
    for end in range(len(phrase), 0, -1):
        for begin in range(end):
            place = _place(phrase[begin:end], names)
            if place is None or (end < len(phrase) and phrase[end - 1] in _MAKERS):
                continue
            if weak or begin < end - 1 or _singular(phrase[begin]) not in _WEAK:
                return place
    return None


def _place(words: Tokens, names: Mapping[Tokens, int]) -> int | None:
    # as they stand, too: shorts and clothes are no plurals of anything
    spelled = (words, tuple(map(_singular, words)), (*words[:-1], re.sub("ies$", "y", words[-1])))
    return next((names[each] for each in spelled if each in names), None)


@lru_cache(maxsize=8)
def _places(kinds: Kinds) -> dict[Tokens, int]:
    """Where each name stands, by its words as titles are read; one without letters names nothing."""
    places: dict[Tokens, int] = {}
    for place, names in enumerate(kinds):
        for words in filter(None, map(_words, names)):
            places.setdefault(words, place)
    return places


def _singular(word: str) -> str:
    if word.endswith(("ss", "us")) or len(word) < 4:
        return word
    for plural, singular in _PLURALS:
        if word.endswith(plural):
            return word[: -len(plural)] + singular
    return word
