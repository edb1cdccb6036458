"""Where a product belongs: the spot that it stands on and the rooms that fit, by the table `data/rooms.csv`.

The table's rows are tried from the top, the title before the category, that before the description; in a row any word
(or phrase) will do. `spot` is `floor`, `table`, `wall` (it hangs, on a plain wall) or `none` (no room fits); `rooms`
holds phrases of rendered sets, separated by semicolons.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from transforms.ops.empty_sets import asked_for

_TABLE = "data/rooms.csv"
_ANY_ROOM = re.compile(r"\b(room|interior|at home|lifestyle)\b")


class Spot(NamedTuple):
    """Where a kind of product stands, and phrases of the rooms that fit; none where none does."""

    name: str
    rooms: tuple[str, ...] = ()


NOWHERE = Spot("none")


def asks_for_any(prompt: str) -> bool:
    """Whether a prompt asks for a room and leaves open which.

    >>> asks_for_any("bright room, soft light"), asks_for_any("bathroom, soft light"), asks_for_any("teal paper")
    (True, False, False)
    """
    return bool(_ANY_ROOM.search(prompt.lower())) and not asked_for(prompt)


def spot_of(texts: Iterable[str]) -> Spot:
    """The first row that one of the texts names, the more telling text first; `NOWHERE` where none does.

    >>> spot_of(["Wall socket"]).name, spot_of(["Copper kettle"]).name, spot_of(["Model 7"]).name
    ('wall', 'table', 'none')
    """
    for text in texts:
        tokens = " ".join(re.findall(r"[a-z]+", text.lower()))
        for spot, named in _table():
            if named.search(tokens):
                return spot
    return NOWHERE


@cache
def _table() -> tuple[tuple[Spot, re.Pattern[str]], ...]:
    with (files("transforms") / _TABLE).open(encoding="utf-8") as lines:
        return tuple(_row(row) for row in csv.DictReader(lines))


def _row(row: dict[str, str]) -> tuple[Spot, re.Pattern[str]]:
    words = (_spelled(word.strip().replace("-", " ")) for word in row["words"].split(","))
    rooms = tuple(filter(None, row["rooms"].split(";")))
    return Spot(row["spot"], rooms), re.compile(rf"\b(?:{'|'.join(words)})(?:s|es)?\b")


def _spelled(word: str) -> str:
    """A pattern of a table's word, and of the plural of a shelf, a knife or a scarf."""
    ending = re.search(r"fe?$", word)
    return f"{re.escape(word[: ending.start()])}(?:{ending.group()}|ve)" if ending else re.escape(word)
