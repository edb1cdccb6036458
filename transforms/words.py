"""Unfit words in prompts and titles, by better-profanity's word list (MIT) and the advertiser's own.

The list was made for chats: it holds hundreds of words that a catalog uses in earnest ("maxi dress", "shag rug",
"pot", "virgin wool"), and its matcher joins neighbours ("the pen is blue"). So words are looked up one by one, listed
phrases only as they stand, digits alone never, and `data/retail_words.txt` is allowed unless the policy asks for it.
Nothing here tells which word was found: messages name its place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

_RETAIL = "data/retail_words.txt"
_WORD = re.compile(r"[@$]?[^\W_](?:[\w@$*'!+]*[\w@$*!+])?")


@dataclass(frozen=True)
class WordPolicy:
    """Which words are unfit.

    Attributes:
        listed: judge by better-profanity's list.
        extra: further unfit words or phrases; they win over every allowance.
        allowed: words and phrases that are fit although listed, beside the retail words.
        allow_retail: take `data/retail_words.txt` as fit.
    """

    listed: bool = True
    extra: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    allow_retail: bool = True


class Find(NamedTuple):
    """Where an unfit word stands: the field's name and the number of its (first) word, from 1."""

    field: str
    position: int


def find_unfit(texts: Iterable[tuple[str, str]], policy: WordPolicy) -> list[Find]:
    """The unfit words of `(field, text)` pairs, in order."""
    return [Find(field, position) for field, text in texts for position in unfit_positions(text, policy)]


def unfit_positions(text: str, policy: WordPolicy) -> list[int]:
    """The numbers, from 1, of the words of `text` that are unfit or that begin an unfit phrase.

    >>> unfit_positions("Cocktail dress made in Scunthorpe", WordPolicy())
    []
    >>> unfit_positions("a fine mug", WordPolicy(extra=("fine mug",)))
    [2]
    """
    words, judge = _words(text), _judge(policy)
    excused = {at + step for at, length in _found(words, judge.fit) for step in range(length)}
    unfit = {at for at, _ in _found(words, judge.unfit)}
    unfit |= {at for at, word in enumerate(words) if at not in excused and _is_listed(word, policy)}
    return [at + 1 for at in sorted(unfit)]


Phrase = tuple[str, ...]


class _Judge(NamedTuple):
    """A policy made ready: phrases (and single extra words) by their first word, and the matcher of listed words."""

    unfit: dict[str, list[Phrase]]
    fit: dict[str, list[Phrase]]
    listed: Any


def _words(text: str) -> Phrase:
    """Words, case folded and in compatibility form, so that full-width letters are letters."""
    return tuple(match.group().casefold() for match in _WORD.finditer(unicodedata.normalize("NFKC", text)))


def _found(words: Phrase, phrases: dict[str, list[Phrase]]) -> list[tuple[int, int]]:
    """Where phrases stand in `words`, as (start, length)."""
    return [
        (at, len(phrase))
        for at, word in enumerate(words)
        for phrase in phrases.get(word, ())
        if words[at : at + len(phrase)] == phrase
    ]


@lru_cache(maxsize=65536)
def _is_listed(word: str, policy: WordPolicy) -> bool:
    """One word by itself. Numbers are model numbers, whatever letters their digits resemble."""
    return any(map(str.isalpha, word)) and bool(_judge(policy).listed.contains_profanity(word))


@lru_cache(maxsize=16)
def _judge(policy: WordPolicy) -> _Judge:
    from better_profanity import Profanity

    listed = (
        {_words(entry) for entry in _entries("better_profanity", "profanity_wordlist.txt")} if policy.listed else set()
    )
    retail = _entries("transforms", _RETAIL) if policy.allow_retail else ()
    fit = {_words(entry) for entry in (*policy.allowed, *retail)}
    extra = {_words(entry) for entry in policy.extra}
    singles = sorted(phrase[0] for phrase in listed - fit if len(phrase) == 1)
    phrases = {phrase for phrase in listed - fit if len(phrase) > 1} | extra
    # an empty list would bring the library's own back
    return _Judge(_by_first(phrases), _by_first(fit), Profanity(singles or ["\0"]))


def _by_first(phrases: Iterable[Phrase]) -> dict[str, list[Phrase]]:
    grouped: dict[str, list[Phrase]] = {}
    for phrase in sorted(phrase for phrase in phrases if phrase):
        grouped.setdefault(phrase[0], []).append(phrase)
    return grouped


@lru_cache(maxsize=2)
def _entries(package: str, name: str) -> tuple[str, ...]:
    """The lines of a word list in `package`, comments left out."""
    lines = (files(package) / name).read_text(encoding="utf-8").splitlines()
    return tuple(line for line in map(str.strip, lines) if line and not line.startswith("#"))
