"""Where a product belongs: the spot that it stands on and the rooms that fit, by the table `data/rooms.csv`.

Title and category name a row as `transforms.titles` reads them, the description where they name none. `spot` is
`floor`, `table`, `wall` (it hangs, on a plain wall) or `none` (no room fits); `rooms` holds phrases of rendered sets,
separated by semicolons; of a word that two rows share, the first has it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from transforms.ops.empty_sets import asked_for
from transforms.titles import named_kind

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


def spot_of(texts: Iterable[str], prose: str = "") -> Spot:
    """The row that the texts name, or `prose` where they name none; `NOWHERE` where that does not either.

    >>> spot_of(["Wall socket"]).name, spot_of(["Copper kettle"]).name, spot_of(["Model 7"]).name
    ('wall', 'table', 'none')
    """
    table = _table()
    kinds = tuple(words for _, words in table)
    place = named_kind(texts, kinds)
    place = named_kind([prose], kinds) if place is None else place
    return NOWHERE if place is None else table[place][0]


@cache
def _table() -> tuple[tuple[Spot, tuple[str, ...]], ...]:
    with (files("transforms") / _TABLE).open(encoding="utf-8") as lines:
        return tuple(_row(row) for row in csv.DictReader(lines))


def _row(row: dict[str, str]) -> tuple[Spot, tuple[str, ...]]:
    rooms = tuple(filter(None, row["rooms"].split(";")))
    return Spot(row["spot"], rooms), tuple(word.strip() for word in row["words"].split(","))
