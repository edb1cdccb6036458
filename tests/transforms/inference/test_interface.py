"""Requests and answers held against their contract."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from transforms.errors import InvalidAnswer, ModelNotFound, RequestRefused
from transforms.inference.contracts import CONTRACTS
from transforms.inference.interface import DTYPES, check_answer, check_request, contract_of

PAINT, UPSCALE = CONTRACTS["studio"], CONTRACTS["studio_upscale"]


def paint_request(batch: int = 1, height: int = 8, width: int = 6) -> dict[str, NDArray[Any]]:
    return {
        "IMAGE": np.zeros((batch, height, width, 3), np.uint8),
        "PRODUCT": np.zeros((batch, height, width, 1), np.uint8),
        "KNOWN": np.zeros((batch, height, width, 1), np.uint8),
        "PROMPT": np.full((batch, 1), "oak", object),
        "SEED": np.zeros((batch, 1), np.int64),
    }


def paint_answer(batch: int = 1, height: int = 8, width: int = 6) -> dict[str, NDArray[Any]]:
    return {
        "CANDIDATE": np.zeros((batch, height, width, 3), np.uint8),
        "GUIDE": np.zeros((batch, height, width, 2), np.int16),
    }


@given(st.integers(1, PAINT.max_batch), st.integers(1, 40), st.integers(1, 40))
def test_any_size_and_batch_within_the_contract_passes(batch: int, height: int, width: int) -> None:
    request = paint_request(batch, height, width)
    assert check_request(PAINT, request) == batch
    check_answer(PAINT, batch, request, paint_answer(batch, height, width))


@given(st.sampled_from(sorted(paint_request())), st.data())
def test_a_tensor_of_another_dtype_or_rank_is_refused(name: str, data: st.DataObject) -> None:
    request = paint_request()
    others = [dtype for dtype in DTYPES.values() if dtype != request[name].dtype and dtype.kind != "O"]
    with pytest.raises(RequestRefused, match=name):
        check_request(PAINT, {**request, name: np.zeros(request[name].shape, data.draw(st.sampled_from(others)))})
    with pytest.raises(RequestRefused, match=name):
        check_request(PAINT, {**request, name: request[name][..., None]})


@pytest.mark.parametrize("batch", [0, PAINT.max_batch + 1])
def test_a_batch_out_of_range_is_refused(batch: int) -> None:
    with pytest.raises(RequestRefused, match="batch"):
        check_request(PAINT, paint_request(batch))


def test_planes_must_have_their_images_size() -> None:
    with pytest.raises(RequestRefused, match=r"KNOWN has shape \(1, 9, 6, 1\), expected \(1, 8, 6, 1\)"):
        check_request(PAINT, {**paint_request(), "KNOWN": np.zeros((1, 9, 6, 1), np.uint8)})


def test_missing_and_unknown_names_are_refused() -> None:
    request = paint_request()
    with pytest.raises(RequestRefused, match="expected"):
        check_request(PAINT, {**request, "MASK": request["KNOWN"]})
    del request["SEED"]
    with pytest.raises(RequestRefused, match="expected"):
        check_request(PAINT, request)
    with pytest.raises(RequestRefused, match="expected"):
        check_request(PAINT, {})


def test_an_upscaled_scene_has_the_size_of_its_image_and_not_of_its_candidate() -> None:
    request = {**paint_request(1, 20, 10), **paint_answer(1, 8, 4)}
    assert check_request(UPSCALE, request) == 1
    check_answer(UPSCALE, 1, request, {"SCENE": np.zeros((1, 20, 10, 3), np.uint8)})
    with pytest.raises(InvalidAnswer, match="SCENE"):
        check_answer(UPSCALE, 1, request, {"SCENE": np.zeros((1, 8, 4, 3), np.uint8)})


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.01, 1.01])
def test_scores_are_finite_and_in_range(value: float) -> None:
    request = {"IMAGE": np.zeros((1, 8, 8, 3), np.uint8)}
    contract = CONTRACTS["human_detector"]
    check_answer(contract, 1, request, {"SCORE": np.full((1, 1), 1.0, np.float32)})
    with pytest.raises(InvalidAnswer, match="SCORE"):
        check_answer(contract, 1, request, {"SCORE": np.full((1, 1), value, np.float32)})


def test_an_unknown_model_is_named_with_those_known() -> None:
    with pytest.raises(ModelNotFound, match=r"'magic'.*segmenter"):
        contract_of("magic")
