"""Contact sheets: numbered originals and outputs in shuffled order, for raters without a browser at hand.

The key (which number is whose) stays in the study's file and in a CSV of its own, apart from the sheets.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from pipelines.rating.forms import rows_of
from pipelines.rating.pictures import opened
from pipelines.rating.questions import ALL_HEADS, heads_of
from pipelines.rating.units import Item
from transforms.errors import TableError
from transforms.records import Size
from transforms.storage.store import StoreConfig

SIDE = 330  # of a picture, pixels
_SHEET = 2200  # greatest side of a sheet, pixels: what a screen shows and a page prints
_GAP, _HEAD = 14, 40
_YES, _NO = ("1", "yes", "y", "x", "true"), ("0", "no", "n", "", "false")


class Cell(NamedTuple):
    """One thing to judge: a title above pictures side by side, each with a caption or none."""

    title: str
    captions: tuple[str, ...]
    uris: tuple[str, ...]


def sheets(items: Sequence[Item], config: StoreConfig, side: int = SIDE) -> Iterator[Image.Image]:
    """Sheets of as many items as fit, RGB: each item's number above its original (left) and its output (right).

    Args:
        items: of the study.
        config: of the store that holds the pictures.
        side: longest side that a picture is shown at, pixels; nine items of 330 fit, or two of 700.
    """
    titles = [f"{item.number}" + ("" if item.task == "background" else "  (extended scene)") for item in items]
    cells = [
        Cell(title, ("", ""), (item.original_uri, item.output_uri)) for title, item in zip(titles, items, strict=True)
    ]
    return drawn_sheets(cells, config, side)


def drawn_sheets(cells: Sequence[Cell], config: StoreConfig, side: int) -> Iterator[Image.Image]:
    """Sheets of as many cells as fit, RGB, all cells with as many pictures as the first."""
    pictures = len(cells[0].uris) if cells else 1
    size = Size(side + _HEAD + 2 * _GAP, pictures * side + (pictures + 1) * _GAP)
    rows, columns = (min(3, max(1, _SHEET // length)) for length in size)
    for start in range(0, len(cells), columns * rows):
        yield _sheet(cells[start : start + columns * rows], config, size, columns)


def _sheet(cells: Sequence[Cell], config: StoreConfig, size: Size, columns: int) -> Image.Image:
    sheet = Image.new("RGB", (columns * size.width, -(-len(cells) // columns) * size.height), "#f2f3f5")
    for at, cell in enumerate(cells):
        _draw(sheet, cell, config, (at % columns) * size.width, (at // columns) * size.height, size)
    return sheet


def _draw(sheet: Image.Image, cell: Cell, config: StoreConfig, left: int, top: int, size: Size) -> None:
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(26)
    box = (left + 3, top + 3, left + size.width - 4, top + size.height - 4)
    draw.rectangle(box, fill="white", outline="#c8ccd3")
    draw.text((left + _GAP, top + 9), cell.title, fill="#222222", font=font)
    side = (size.width - (len(cell.uris) + 1) * _GAP) // len(cell.uris)
    for column, (caption, uri) in enumerate(zip(cell.captions, cell.uris, strict=True)):
        image = opened(uri, config, side)
        start = left + _GAP + column * (side + _GAP)
        draw.text((start + side // 2, top + 9), caption, fill="#222222", font=font, anchor="ma")
        x, y = start + (side - image.width) // 2, top + _HEAD + _GAP + (side - image.height) // 2
        sheet.paste(image, (x, y))
        draw.rectangle((x - 1, y - 1, x + image.width, y + image.height), outline="#c8ccd3")


def answer_form(items: Sequence[Item]) -> str:
    """An empty table of answers as CSV: a row for each number, `-` where a head is not asked."""
    heads = _asked(items)
    rows = [
        [f"{item.number}", "", *("" if head in heads_of(item.task) else "-" for head in heads)]
        for item in sorted(items, key=lambda item: item.number)
    ]
    return table(["number", "rater", *heads], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """As CSV."""
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerows([head, *rows])
    return sink.getvalue()


def _asked(items: Sequence[Item]) -> list[str]:
    asked = {head for item in items for head in heads_of(item.task)}
    return [head for head in ALL_HEADS if head in asked]


def key_table(items: Sequence[Item]) -> str:
    """Whose each number is, as CSV."""
    rows = [
        [f"{item.number}", item.contestant, item.task, item.placement, item.original_uri, item.output_uri]
        for item in sorted(items, key=lambda item: item.number)
    ]
    return table(["number", "contestant", "task", "placement", "original", "output"], rows)


def read_answers(text: str, items: Sequence[Item], name: str, rater: str = "") -> dict[str, dict[int, dict[str, int]]]:
    """Answers by rater and number from a filled form.

    A row without any answer is left out; in a row with one, an empty cell is a no.

    Args:
        text: the CSV; commas or semicolons.
        items: of the study.
        name: of the file, for messages.
        rater: who answered, where the column `rater` is empty.

    Raises:
        TableError: names line and column and what is wrong.
    """
    by_number = {item.number: item for item in items}
    found: dict[str, dict[int, dict[str, int]]] = {}
    for line, row in rows_of(text, ["number", *_asked(items)], name):
        item = by_number.get(_number(row["number"], name, line))
        if item is None:
            raise TableError(f"{name} line {line}: no item has number {row['number']}")
        cells = {head: (row[head] or "").strip().lower() for head in heads_of(item.task)}
        if not any(cells.values()):
            continue
        who = who_of(row, rater, name, line)
        if item.number in found.setdefault(who, {}):
            raise TableError(f"{name} line {line}: {who} answered number {item.number} twice")
        found[who][item.number] = {head: _flag(cell, head, name, line) for head, cell in cells.items()}
    return found


def who_of(row: Mapping[str, str | None], rater: str, name: str, line: int) -> str:
    """Who filled in a row.

    Raises:
        TableError: neither the row nor `rater` says it.
    """
    who = " ".join((row.get("rater") or rater).split()).casefold()
    if not who:
        raise TableError(f"{name} line {line}: who answered? Fill in the column rater", remedy="or give --rater")
    return who


def _number(cell: str | None, name: str, line: int) -> int:
    try:
        return int(cell or "")
    except ValueError as error:
        raise TableError(f"{name} line {line}: {cell!r} is not a number") from error


def _flag(cell: str, head: str, name: str, line: int) -> int:
    if cell in _YES:
        return 1
    if cell in _NO:
        return 0
    raise TableError(f"{name} line {line}: {head} is {cell!r}, not yes or no", remedy="write 1 or 0, yes or no")
