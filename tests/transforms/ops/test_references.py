"""Products' own pictures are fitted whole, in their own colours, and never more than eight."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.registry import MOST_REFERENCES, REFERENCE_SIDE
from transforms.inference.contracts import CONTRACTS
from transforms.ops.references import MOST, SIDE, fitted, slots_of


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 9))
def test_a_product_fills_its_square_in_one_direction_and_keeps_its_ratio_and_colour(height, width, around):
    product = np.zeros((height + 2 * around, width + 2 * around, 4), np.uint8)
    product[around : around + height, around : around + width] = (200, 60, 20, 255)
    small = fitted(product)
    rows, columns = (np.flatnonzero(small[..., 3].any(axis=axis)) for axis in (1, 0))
    tall, wide = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    assert small.shape == (SIDE, SIDE, 4) and max(tall, wide) == SIDE
    assert abs(min(tall, wide) - max(1, SIDE * min(height, width) / max(height, width))) <= 1
    assert (small[small[..., 3] == 255][:, :3] == (200, 60, 20)).all()


def test_an_edge_mixes_no_colour_of_what_is_transparent_into_the_product():
    product = np.zeros((128, 128, 4), np.uint8)
    product[..., :3], product[:, :65] = 255, (10, 20, 30, 255)  # white, transparent, beside it
    small = fitted(np.ascontiguousarray(product))
    assert np.abs(small[small[..., 3] > 16][:, :3].astype(int) - (10, 20, 30)).max() <= 1


def test_there_are_one_to_eight_products_and_each_shows_something():
    product = np.full((4, 4, 4), 255, np.uint8)
    assert not slots_of([product])[1:].any() and slots_of([product] * 8).all()
    for wrong in ([], [product] * 9, [np.zeros((4, 4, 4), np.uint8)]):
        with pytest.raises(ValueError, match="product"):
            slots_of(wrong)


def test_training_contract_and_client_agree_on_their_number_and_size():
    (spec,) = [spec for spec in CONTRACTS["canvas_scene_synthesis"].inputs if spec.name == "REFERENCES"]
    assert spec.shape == (MOST, SIDE, SIDE, 4) == (MOST_REFERENCES, REFERENCE_SIDE, REFERENCE_SIDE, 4)
