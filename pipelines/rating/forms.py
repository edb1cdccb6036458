"""CSV files that people fill in or other tools write, read with their lines; a fault is named by file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from transforms.errors import TableError


def text_of(data: bytes, name: str) -> str:
    """A file's text.

    Raises:
        TableError: it is not in UTF-8, as spreadsheets write it unless they are asked for it.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"{name} is not in UTF-8: {error}", remedy="save it as CSV in UTF-8") from error


def rows_of(text: str, columns: Sequence[str], name: str) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Rows with their lines; commas or semicolons.

    Raises:
        TableError: a column is missing, or a cell does not end.
    """
    delimiter = ";" if text.partition("\n")[0].count(";") else ","
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter)
    try:
        missing = set(columns) - set(rows.fieldnames or ())
        if missing:
            raise TableError(
                f"{name} has no column {', '.join(sorted(missing))}", remedy=f"it takes {', '.join(columns)}"
            )
        yield from enumerate(rows, 2)
    except csv.Error as error:
        remedy = "look for a quotation mark that does not end"
        raise TableError(f"{name} line {rows.line_num}: {error}", remedy=remedy) from error
