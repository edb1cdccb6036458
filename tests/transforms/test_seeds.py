"""Seeds of candidates: tuned ones where a painter has them, the same every time, never a refused one again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import InvalidAnswer
from transforms.placements import PLACEMENTS
from transforms.records import Job, Product, ProductImage, Size, SourceFacts
from transforms.run_work import Keyring
from transforms.seeds import read_tables, seeds_of

PRODUCT = Product("m", 0, "shop", "1", "a.png", seed=11)
seeds = st.integers(0, 2**31 - 1)
tables = st.lists(seeds, unique=True, max_size=40).map(tuple)


@given(seeds, st.integers(1, 16))
def test_without_a_table_seeds_are_drawn_from_the_products_own(seed: int, count: int) -> None:
    drawn = np.random.Generator(np.random.Philox(key=seed)).integers(0, 2**31, count)
    assert seeds_of(replace(PRODUCT, seed=seed), count) == tuple(drawn.tolist())


@given(tables, seeds, st.integers(1, 16))
def test_a_rows_own_seed_wins_over_any_table(table: tuple[int, ...], seed: int, count: int) -> None:
    own = replace(PRODUCT, seed=seed, own_seed=True)
    assert seeds_of(own, count, table) == seeds_of(own, count)


@given(tables, st.integers(1, 8), st.text(max_size=4))
def test_attempts_go_through_the_table_without_taking_a_seed_twice(
    table: tuple[int, ...], count: int, name: str
) -> None:
    product = replace(PRODUCT, product_id=name)
    attempts = len(table) // count
    taken = [seed for attempt in range(attempts) for seed in seeds_of(replace(product, attempt=attempt), count, table)]
    assert len(taken) == attempts * count == len(set(taken)) and set(taken) <= set(table)
    beyond = seeds_of(replace(product, attempt=attempts, seed=5), count, table)
    left = len(table) - attempts * count
    assert len(beyond) == count and set(beyond[:left]) == set(table) - set(taken)
    assert beyond[left:] == seeds_of(replace(product, seed=5), count)[: count - left]


def test_products_take_them_in_an_order_of_their_own_that_depends_on_nothing_else() -> None:
    table = tuple(range(100, 140))
    orders = {name: seeds_of(replace(PRODUCT, product_id=name), 4, table) for name in "abcdefgh"}
    assert len(set(orders.values())) == 8
    assert orders["a"] == seeds_of(replace(PRODUCT, product_id="a", row=9, image_uri="b.png", seed=3), 4, table)


def test_a_seed_of_the_rows_own_makes_another_content_key_than_the_same_one_by_default() -> None:
    image = ProductImage(np.zeros((2, 2, 3), np.uint8), SourceFacts("d", 1, "png", "RGB"))
    keyring = Keyring(dict(PLACEMENTS), "c", {"canvas_background": "digest"}, "engine")
    products = (PRODUCT, replace(PRODUCT, own_seed=True), replace(PRODUCT, seed=12))
    keys = {keyring.begin(Job(product, image=image), "pmax_square").content_key for product in products}
    assert len(keys) == 3


def test_tables_are_read_and_wrong_ones_refused() -> None:
    assert read_tables("", "canvas_background") == {}
    assert read_tables('{"608x416": [1, 2], "512x512": []}', "x") == {Size(608, 416): (1, 2), Size(512, 512): ()}
    for text in ("[1]", "{", '{"608": [1]}', '{"608x416": ["a"]}', '{"608x416": [-1]}', '{"608x416": [2147483648]}'):
        with pytest.raises(InvalidAnswer, match="canvas_background is served with a table of seeds"):
            read_tables(text, "canvas_background")
