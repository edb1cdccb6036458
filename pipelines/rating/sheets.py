"""Contact sheets: numbered originals and outputs in shuffled order, for raters without a browser at hand.

The key (which number is whose) stays in the study's file and in a CSV of its own, apart from the sheets.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw, ImageFont

from pipelines.rating.pictures import opened
from pipelines.rating.questions import ALL_HEADS, heads_of
from pipelines.rating.study import Item
from transforms.errors import TableError
from transforms.records import Size
from transforms.storage.store import StoreConfig

SIDE = 330  # of a picture, pixels
_SHEET = 2200  # greatest side of a sheet, pixels: what a screen shows and a page prints
_GAP, _HEAD = 14, 40
_YES, _NO = ("1", "yes", "y", "x", "true"), ("0", "no", "n", "", "false")


def sheets(items: Sequence[Item], config: StoreConfig, side: int = SIDE) -> Iterator[Image.Image]:
    """Sheets of as many items as fit, RGB: each item's number above its original (left) and its output (right).

    Args:
        items: of the study.
        config: of the store that holds the pictures.
        side: longest side that a picture is shown at, pixels; nine items of 330 fit, or two of 700.
    """
    cell = Size(side + _HEAD + 2 * _GAP, 2 * side + 3 * _GAP)
    rows, columns = (min(3, max(1, _SHEET // length)) for length in cell)
    for start in range(0, len(items), columns * rows):
        yield _sheet(items[start : start + columns * rows], config, cell, columns)


def _sheet(items: Sequence[Item], config: StoreConfig, cell: Size, columns: int) -> Image.Image:
    sheet = Image.new("RGB", (columns * cell.width, -(-len(items) // columns) * cell.height), "#f2f3f5")
    draw = ImageDraw.Draw(sheet)
    for at, item in enumerate(items):
        left, top = (at % columns) * cell.width, (at // columns) * cell.height
        box = (left + 3, top + 3, left + cell.width - 4, top + cell.height - 4)
        draw.rectangle(box, fill="white", outline="#c8ccd3")
        text = f"{item.number}" if item.task == "background" else f"{item.number}  (extended scene)"
        draw.text((left + _GAP, top + 9), text, fill="#222222", font=ImageFont.load_default(26))
        side = (cell.width - 3 * _GAP) // 2
        for column, uri in enumerate((item.original_uri, item.output_uri)):
            image = opened(uri, config, side)
            x = left + _GAP + column * (side + _GAP) + (side - image.width) // 2
            y = top + _HEAD + _GAP + (side - image.height) // 2
            sheet.paste(image, (x, y))
            draw.rectangle((x - 1, y - 1, x + image.width, y + image.height), outline="#c8ccd3")
    return sheet


def answer_form(items: Sequence[Item]) -> str:
    """An empty table of answers as CSV: a row for each number, `-` where a head is not asked."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(["number", "rater", *_asked(items)])
    for item in sorted(items, key=lambda item: item.number):
        writer.writerow([item.number, "", *("" if head in heads_of(item.task) else "-" for head in _asked(items))])
    return sink.getvalue()


def _asked(items: Sequence[Item]) -> list[str]:
    asked = {head for item in items for head in heads_of(item.task)}
    return [head for head in ALL_HEADS if head in asked]


def key_table(items: Sequence[Item]) -> str:
    """Whose each number is, as CSV."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(["number", "contestant", "task", "placement", "original", "output"])
    for item in sorted(items, key=lambda item: item.number):
        writer.writerow([item.number, item.contestant, item.task, item.placement, item.original_uri, item.output_uri])
    return sink.getvalue()


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
    delimiter = ";" if text.partition("\n")[0].count(";") else ","
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter)
    missing = {"number", *_asked(items)} - set(rows.fieldnames or ())
    if missing:
        raise TableError(f"{name} has no column {', '.join(sorted(missing))}", remedy="fill in the form as it was made")
    found: dict[str, dict[int, dict[str, int]]] = {}
    for line, row in enumerate(rows, 2):
        item = by_number.get(_number(row["number"], name, line))
        if item is None:
            raise TableError(f"{name} line {line}: no item has number {row['number']}")
        cells = {head: (row[head] or "").strip().lower() for head in heads_of(item.task)}
        if not any(cells.values()):
            continue
        who = " ".join((row.get("rater") or rater).split()).casefold()
        if not who:
            raise TableError(f"{name} line {line}: who answered? Fill in the column rater", remedy="or give --rater")
        if item.number in found.setdefault(who, {}):
            raise TableError(f"{name} line {line}: {who} answered number {item.number} twice")
        found[who][item.number] = {head: _flag(cell, head, name, line) for head, cell in cells.items()}
    return found


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
