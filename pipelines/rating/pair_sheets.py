"""Pairs on paper: an original beside A and B, numbered, in an order and with sides that a seed shuffles.

A form's number says the seed as well (`2-17` is pair 17 of the sheets of seed 2), so two raters may have sheets of
different seeds, and sides even out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from PIL import Image

from pipelines.rating.forms import rows_of
from pipelines.rating.sheets import SIDE, Cell, drawn_sheets, table, who_of
from pipelines.rating.units import Unit
from transforms.errors import TableError
from transforms.storage.store import StoreConfig

_CAPTIONS = ("", "A", "B")  # the title is above the original
_COLUMNS = ("pair", "rater", "better", "reason")


class Pair(NamedTuple):
    """A pair as a sheet shows it.

    Attributes:
        label: seed and number within the sheets of that seed.
        unit: whose `first` is A.
    """

    label: str
    unit: Unit


def labelled(units: Sequence[Unit], seed: int) -> list[Pair]:
    """Pairs in the order of a seed's sheets, as `Study.on_paper` gives them."""
    return [Pair(f"{seed}-{number}", unit) for number, unit in enumerate(units, 1)]


def pair_sheets(pairs: Sequence[Pair], config: StoreConfig, side: int = SIDE) -> Iterator[Image.Image]:
    """Sheets of as many pairs as fit, RGB: each pair's number above its original, A and B.

    Args:
        pairs: of the study.
        config: of the store that holds the pictures.
        side: longest side that a picture is shown at, pixels.
    """
    cells = [Cell(_title(pair), _CAPTIONS, _uris(pair.unit)) for pair in pairs]
    return drawn_sheets(cells, config, side)


def pair_form(pairs: Sequence[Pair]) -> str:
    """An empty table of answers as CSV: `better` is a, b or same, `reason` any words or none."""
    return table(_COLUMNS, [[pair.label, "", "", ""] for pair in pairs])


def pair_key(pairs: Sequence[Pair]) -> str:
    """Who A and B are, as CSV."""
    head = ("pair", "a", "b", "task", "placement", "original", "a_output", "b_output")
    rows = []
    for label, (_, a, b) in pairs:
        assert b is not None
        shared = (a.task, a.placement or b.placement, a.original_uri)
        rows.append([label, a.contestant, b.contestant, *shared, a.output_uri, b.output_uri])
    return table(head, rows)


def seeds_of(text: str, name: str) -> set[int]:
    """Of which sheets a filled form is.

    Raises:
        TableError: names the cell that is no pair's number.
    """
    return {_seed(row["pair"], name, line) for line, row in rows_of(text, _COLUMNS[:1], name)}


def read_choices(text: str, pairs: Sequence[Pair], name: str, rater: str = "") -> dict[str, dict[str, dict[str, Any]]]:
    """Answers by rater and unit from a filled form, as `serve` keeps them, with the reason that was given.

    A row without `better` is left out.

    Args:
        text: the CSV; commas or semicolons.
        pairs: of the sheets of all its seeds.
        name: of the file, for messages.
        rater: who answered, where the column `rater` is empty.

    Raises:
        TableError: names line and column and what is wrong.
    """
    units = {pair.label: pair.unit for pair in pairs}
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for line, row in rows_of(text, ("pair", "better"), name):
        better, label = (row["better"] or "").strip().lower(), (row["pair"] or "").strip()
        if label not in units:
            raise TableError(f"{name} line {line}: no pair has number {label}")
        if not better:
            continue
        who = who_of(row, rater, name, line)
        if units[label].id in found.setdefault(who, {}):
            raise TableError(f"{name} line {line}: {who} answered pair {label} twice")
        found[who][units[label].id] = _answer(units[label], better, row, f"{name} line {line}")
    return found


def _answer(unit: Unit, better: str, row: Mapping[str, str | None], where: str) -> dict[str, Any]:
    assert unit.second is not None
    choices = {"a": unit.first.id, "b": unit.second.id, "same": "tie"}
    if better not in choices:
        raise TableError(f"{where}: better is {better!r}, not a, b or same", remedy="write a, b or same")
    return {"choice": choices[better], "left": unit.first.id, "reason": " ".join((row.get("reason") or "").split())}


def _seed(label: str | None, name: str, line: int) -> int:
    seed, _, number = (label or "").strip().partition("-")
    if not seed.isdecimal() or not number.isdecimal():
        raise TableError(f"{name} line {line}: {label!r} is no pair's number", remedy="fill in the form as it was made")
    return int(seed)


def _title(pair: Pair) -> str:
    return pair.label if pair.unit.first.task == "background" else f"{pair.label}  (extended scene)"


def _uris(unit: Unit) -> tuple[str, ...]:
    assert unit.second is not None
    return unit.first.original_uri, unit.first.output_uri, unit.second.output_uri
