"""What a product's candidates are painted with: seeds of its own, or of a painter's table of tuned ones.

A painter whose weights come with a table (`models.training.tune_seeds`) is known to do better with its seeds than with
others. Every product takes them in an order of its own; a candidate that takes the place of a refused one takes the
next; a row's own seed wins over any table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np

from transforms.errors import InvalidAnswer
from transforms.keys import default_seed
from transforms.records import Product, Size

Tables = Mapping[Size, tuple[int, ...]]

_END = 2**31  # seeds lie below it


def seeds_of(product: Product, count: int, table: Sequence[int] = ()) -> tuple[int, ...]:
    """`count` seeds in [0, 2**31), always the same ones for the same product, attempt and table.

    Args:
        product: whose candidates are painted.
        count: of them.
        table: tuned seeds; where it ends, and for a row with a seed of its own, they are drawn from the product's.

    >>> seeds_of(Product("m", 0, "a", "1", "u", seed=5, own_seed=True), 2, (7, 8)) == seeds_of(
    ...     Product("m", 0, "a", "1", "u", seed=5), 2
    ... )
    True
    """
    tuned = () if product.own_seed else _tuned(product, count, table)
    rng = np.random.Generator(np.random.Philox(key=product.seed % 2**64))
    return tuned + tuple(int(drawn) for drawn in rng.integers(0, _END, count - len(tuned)))


def _tuned(product: Product, count: int, table: Sequence[int]) -> tuple[int, ...]:
    rng = np.random.Generator(np.random.Philox(key=default_seed(product)))
    order = [table[number] for number in rng.permutation(len(table))]
    return tuple(order[product.attempt * count : (product.attempt + 1) * count])


def read_tables(text: str, model: str) -> Tables:
    """The tables that a served model's configuration carries: bucket -> seeds; none where `text` is empty.

    Args:
        text: JSON, {"608x416": [seed, ...]}, sides as height x width.
        model: whose it is, for the message.

    Raises:
        InvalidAnswer: it is something else.

    >>> read_tables('{"608x416": [3, 5]}', "canvas_background")
    {Size(height=608, width=416): (3, 5)}
    """
    try:
        held = {
            Size(*map(int, bucket.split("x"))): tuple(map(int, seeds))
            for bucket, seeds in json.loads(text or "{}").items()
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidAnswer(f"{model} is served with a table of seeds that cannot be read: {error}") from None
    if not all(0 <= seed < _END for seeds in held.values() for seed in seeds):
        raise InvalidAnswer(f"{model} is served with a table of seeds that are not within 0..{_END - 1}")
    return held
