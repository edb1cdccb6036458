"""What is rated, what raters are shown at once, and what they said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Item(NamedTuple):
    """An output that is rated; see `contestants.Entry`."""

    id: str
    number: int
    contestant: str
    task: str
    placement: str
    original_uri: str
    output_uri: str
    original_digest: str
    output_digest: str


class Unit(NamedTuple):
    """What a rater answers at once: one item, or a pair of which `first` belongs to the left for this rater."""

    id: str
    first: Item
    second: Item | None


class Answer(NamedTuple):
    """What a rater said of a unit: flags by head, or `{"choice": contestant's item id or "tie"}`.

    A choice from a sheet says `left`, the item that was A there, and `reason` as well.
    """

    unit: str
    first: str
    second: str | None
    rater: str
    answer: dict[str, Any]


class Progress(NamedTuple):
    """Units in all, those with two raters, and those that this rater answered."""

    units: int
    done: int
    mine: int


def pairs_of(items: Sequence[Item]) -> list[tuple[Item, Item]]:
    """Items of two contestants for one original, task and placement; an unknown placement goes with any, once."""
    found: list[tuple[Item, Item]] = []
    for at, one in enumerate(items):
        met: set[str] = set()
        for other in items[at + 1 :]:
            if one.contestant == other.contestant or (one.original_digest, one.task) != (
                other.original_digest,
                other.task,
            ):
                continue
            same = one.placement == other.placement
            loose = not (one.placement and other.placement) and other.contestant not in met
            if same or loose:
                met.add(other.contestant)
                found.append((one, other))
    return found
