"""The table of prompts by category, which ads ops may replace by one of their own: `data/prompts.csv`.

A row is a kind of product: `category` names it, `pose` says how it is held (`standing`, `hung`, `flat`), `words` are
what its titles say (singular, separated by commas), `prompts` what it is painted with (from plain to lifestyle,
separated by semicolons; candidates take them in turn). Which row a product takes, `transforms.titles` says; of a word
that two rows share, the first has it. The last row, without words, is for everything else.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import StringIO

from transforms.errors import ConfigError
from transforms.titles import Kinds

STANDING, HUNG, FLAT = "standing on the floor", "hung on the wall", "flat lay"
POSES: Mapping[str, str] = {"standing": STANDING, "hung": HUNG, "flat": FLAT}
COLUMNS = ("category", "pose", "words", "prompts")
_TABLE = "data/prompts.csv"
_MOST_CHARACTERS = 500  # of a prompt; a quote that is not closed swallows the rows below it


@dataclass(frozen=True)
class Category:
    """A kind of product.

    Attributes:
        name: for messages.
        words: singular; any of them in category or title makes a product one of this kind. None: everything else.
        pose: how it is held, in the words that painters know.
        prompts: from plain to lifestyle, at least one.
    """

    name: str
    words: tuple[str, ...]
    pose: str
    prompts: tuple[str, ...]


@dataclass(frozen=True)
class PromptTable:
    """Kinds of products, and what everything else is."""

    categories: tuple[Category, ...]
    other: Category

    @property
    def words(self) -> Kinds:
        """The words of each category, in order."""
        return tuple(category.words for category in self.categories)


@cache
def shipped() -> PromptTable:
    """The table that comes with the pipeline."""
    return table_of((files("transforms") / _TABLE).read_text(encoding="utf-8"), _TABLE)


def table_of(text: str, source: str) -> PromptTable:
    """The table in a CSV file's `text`.

    Args:
        source: what messages call the file.

    Raises:
        ConfigError: names the row and what is wrong with it.
    """
    categories = list(_categories(text, source))
    if not categories or categories[-1].words:
        raise ConfigError(
            f"{source}: the last row has words, so nothing is left for products that no row names",
            remedy="end the table with a row without words, as transforms/data/prompts.csv does",
        )
    names = [category.name for category in categories]
    for number, category in enumerate(categories[:-1], start=2):
        if not category.words:
            raise ConfigError(f"{source} row {number}: only the last row may have no words")
        if category.name in names[number - 1 :]:
            raise ConfigError(f"{source} row {number}: category {category.name!r} is there twice")
    return PromptTable(tuple(categories[:-1]), categories[-1])


def _categories(text: str, source: str) -> Iterator[Category]:
    reader = csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ConfigError(f"{source}: expected the columns {','.join(COLUMNS)}, got {reader.fieldnames}")
        for number, row in enumerate(reader, start=2):
            yield _category(row, f"{source} row {number}")
    except csv.Error as error:
        raise ConfigError(f"{source}: no CSV: {error}") from error


def _category(row: Mapping[str | None, str | list[str] | None], where: str) -> Category:
    cells = {name: value.strip() for name, value in row.items() if name is not None and isinstance(value, str)}
    if len(cells) < len(COLUMNS) or None in row:
        raise ConfigError(f"{where}: expected {len(COLUMNS)} cells; put quotes around cells that hold commas")
    if not cells["category"]:
        raise ConfigError(f"{where}: the category has no name")
    if cells["pose"] not in POSES:
        raise ConfigError(f"{where}: pose {cells['pose']!r} is not one of {', '.join(POSES)}")
    prompts = _parts(cells["prompts"], ";")
    if not prompts:
        raise ConfigError(f"{where}: there is no prompt")
    if long := [prompt for prompt in prompts if len(prompt) > _MOST_CHARACTERS]:
        raise ConfigError(f"{where}: a prompt of {len(long[0])} characters; {_MOST_CHARACTERS} at most")
    words = tuple(word.lower() for word in _parts(cells["words"], ","))
    return Category(cells["category"], words, POSES[cells["pose"]], prompts)


def _parts(cell: str, sign: str) -> tuple[str, ...]:
    return tuple(filter(None, (" ".join(part.split()) for part in cell.split(sign))))
