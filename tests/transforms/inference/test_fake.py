"""The fake obeys every contract, and refuses what the real client refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from transforms.errors import InvalidAnswer, RequestRefused
from transforms.inference.contracts import CONTRACTS, STRING, ModelContract
from transforms.inference.fake import FakeClient
from transforms.inference.interface import DTYPES


def request_of(contract: ModelContract, batch: int) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(3)
    tensors = {}
    for spec in contract.inputs:
        shape = (batch, *(12 if side == -1 else side for side in spec.shape))
        fill = np.full(shape, "oak", object) if spec.dtype == STRING else rng.integers(0, 200, shape)
        tensors[spec.name] = fill.astype(DTYPES[spec.dtype])
    return tensors


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_every_model_has_a_deterministic_answer_within_its_contract(name: str) -> None:
    contract = CONTRACTS[name]
    request = request_of(contract, contract.max_batch)
    first, second = FakeClient().infer(name, request), FakeClient().infer(name, request)
    assert all(first[key].tobytes() == second[key].tobytes() for key in first)


def test_a_responder_is_held_against_the_contract() -> None:
    client = FakeClient({"unsafe_image": lambda _: {"SCORE": np.full((1, 1), 2.0, np.float32)}})
    with pytest.raises(InvalidAnswer):
        client.infer("unsafe_image", request_of(CONTRACTS["unsafe_image"], 1))


def test_requests_are_checked_recorded_and_counted() -> None:
    client = FakeClient()
    with pytest.raises(RequestRefused):
        client.infer("unsafe_image", {})
    client.infer("unsafe_image", request_of(CONTRACTS["unsafe_image"], 1))
    assert [model for model, _ in client.requests] == ["unsafe_image"]
    assert client.counts() == {"requests": 1}


def test_digests_name_every_model() -> None:
    digests = FakeClient().model_digests()
    assert set(digests) == set(CONTRACTS)
    assert len(set(digests.values())) == len(CONTRACTS)
