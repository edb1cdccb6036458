"""The words that a product is painted with when its row brings none: by category, from plain to lifestyle.

The words are the painters' common language: a procedural painter reads colours, light, surface and pose out of them,
a diffusion painter reads them whole. They come from a table (`transforms.prompt_table`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from transforms.prompt_table import HUNG, STANDING, Category, PromptTable, shipped
from transforms.records import Product
from transforms.rooms import asks_for_any, spot_of
from transforms.titles import named_kind

# whole words, hyphens included: a flat-screen lies no flatter than another one
_POSES = re.compile(
    r"(?<![\w-])((free-|floor-)?standing|(wall-)?hung|hanging|wall-mounted|pendant|flat(-?lay)?|overhead)(?![\w-])"
)


class Words(NamedTuple):
    """What one candidate is painted with."""

    category: str
    prompts: tuple[str, ...]


def prompts_of(product: Product, table: PromptTable | None = None) -> Words:
    """The prompts of a product, each with its pose: the row's own, else its category's, from plain to lifestyle.

    Args:
        product: its title, category and prompt count.
        table: of categories; None for the shipped one.

    >>> prompts_of(Product("m", 0, "a", "1", "u", title="Cuckoo clock")).prompts[0]
    'plain studio wall, soft light, hung on the wall'
    """
    category = category_of((product.title, product.product_category), table)
    own = product.prompt.strip()
    prompts = (own,) if own else category.prompts
    return Words(category.name, tuple(told for each in prompts for told in _told(each, product, category.pose)))


def _told(prompt: str, product: Product, pose: str) -> tuple[str, ...]:
    return _roomy(prompt, product, pose) if asks_for_any(prompt) else (_posed(prompt, pose),)


def _roomy(prompt: str, product: Product, pose: str) -> tuple[str, ...]:
    """A prompt that leaves the room open, once for each room that fits the product; as it is where none does."""
    spot = spot_of((product.title, product.product_category), product.description)
    if spot.rooms:
        return tuple(_posed(f"{prompt}, {room}", STANDING) for room in spot.rooms)
    return (_posed(prompt, HUNG if spot.name == "wall" else pose),)


def category_of(texts: Iterable[str], table: PromptTable | None = None) -> Category:
    """The category that one of the texts names, the more telling text first; `other` where none does."""
    table = table or shipped()
    place = named_kind(texts, table.words)
    return table.other if place is None else table.categories[place]


def _posed(prompt: str, pose: str) -> str:
    return prompt if _POSES.search(prompt.lower()) else f"{prompt}, {pose}"
