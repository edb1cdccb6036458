import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.keys import default_seed, digest_of, key_words, plan_key, row_keys
from transforms.manifest import ColumnMap, normalise
from transforms.placements import PLACEMENTS
from transforms.records import Product

HEX = st.binary(min_size=16, max_size=16).map(bytes.hex)


def _rows(**columns: str) -> pa.Table:
    base = {"advertiser_id": "a", "product_id": "p", "image_uri": "x.jpg", "title": "", "description": "", **columns}
    return normalise(pa.table({name: [value] for name, value in base.items()}), ColumnMap())


@given(HEX, HEX)
def test_plan_keys_are_the_same_in_python_and_numpy(row: str, placement: str) -> None:
    mixed = key_words([row]) ^ key_words([placement])
    assert (mixed == key_words([plan_key(row, placement)])).all()


@pytest.mark.parametrize("column", ["advertiser_id", "product_id", "image_uri", "title", "prompt", "color"])
def test_every_word_of_a_row_counts(column: str) -> None:
    assert row_keys(_rows(), ["e"], "c") != row_keys(_rows(**{column: "other"}), ["e"], "c")


def test_identity_and_configuration_count() -> None:
    keys = {row_keys(_rows(), [identity], config)[0] for identity in ("e", "f") for config in ("c", "d")}
    assert len(keys) == 4


def test_text_that_moves_over_a_border_makes_another_key() -> None:
    first = row_keys(_rows(title="ab", description="c"), ["e"], "c")
    assert first != row_keys(_rows(title="a", description="bc"), ["e"], "c")


def test_digests_ignore_the_order_of_names_and_accept_records() -> None:
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of(PLACEMENTS["pmax_square"]) != digest_of(PLACEMENTS["pmax_portrait"])


def test_digests_refuse_what_has_no_stable_text() -> None:
    with pytest.raises(TypeError):
        digest_of(object())


def test_default_seeds_depend_on_the_product_alone() -> None:
    one = Product("m", 1, "a", "p", "x")
    assert default_seed(one) == default_seed(Product("other", 9, "a", "p", "y"))
    assert default_seed(one) != default_seed(Product("m", 1, "a", "q", "x"))
    assert 0 <= default_seed(one) < 2**31
