"""Batches of any length over models of bounded batch size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from transforms.errors import RequestRefused
from transforms.inference.batching import infer_batch, pad_batch
from transforms.inference.contracts import CONTRACTS
from transforms.inference.fake import FakeClient

MAX_BATCH = CONTRACTS["studio"].max_batch


def paint_request(seeds: list[int]) -> dict[str, NDArray[Any]]:
    image = np.random.default_rng(1).integers(0, 256, (4, 5, 3), np.uint8)
    plane = np.zeros((len(seeds), 4, 5, 1), np.uint8)
    return {
        "IMAGE": np.repeat(image[None], len(seeds), 0),
        "PRODUCT": plane,
        "KNOWN": plane,
        "PROMPT": np.full((len(seeds), 1), "oak", object),
        "SEED": np.array(seeds, np.int64)[:, None],
    }


@given(st.lists(st.integers(0, 99), min_size=1, max_size=3 * MAX_BATCH))
def test_a_long_batch_answers_what_its_items_answer_alone(seeds: list[int]) -> None:
    client = FakeClient()
    together = infer_batch(client, "studio", paint_request(seeds))
    assert all(1 <= len(inputs["SEED"]) <= MAX_BATCH for _, inputs in client.requests)
    for index, seed in enumerate(seeds):
        alone = client.infer("studio", paint_request([seed]))
        assert (together["CANDIDATE"][index] == alone["CANDIDATE"][0]).all()


@given(st.integers(1, 9), st.integers(1, 5))
def test_padding_keeps_the_items_and_fills_the_batch(count: int, multiple: int) -> None:
    padded = pad_batch({"SEED": np.arange(count)[:, None]}, multiple)["SEED"]
    assert len(padded) % multiple == 0
    assert len(padded) - count < multiple
    assert padded[:count].ravel().tolist() == list(range(count))


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(RequestRefused, match="batch of 0"):
        infer_batch(FakeClient(), "segmenter", {"IMAGE": np.zeros((0, 320, 320, 3), np.uint8)})
