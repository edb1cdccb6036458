"""Batches taken apart and put together again, as the served models do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.serving.items import answer_apart, answer_items, answer_together
from transforms.inference.contracts import CONTRACTS
from transforms.inference.interface import check_answer


def test_items_come_as_plain_values_and_go_back_into_the_contract() -> None:
    contract = CONTRACTS["studio"]
    inputs = {
        "IMAGE": np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3),
        "PRODUCT": np.ones((2, 4, 5, 1), np.uint8),
        "KNOWN": np.zeros((2, 4, 5, 1), np.uint8),
        "PROMPT": np.array([[b"oak"], ["caf\u00e9".encode()]], object),
        "SEED": np.array([[1], [2]], np.int64),
    }
    seen: list[Any] = []

    def paint(item: Any) -> Any:
        seen.append(item)
        return {"CANDIDATE": item["IMAGE"], "GUIDE": np.zeros((4, 5, 2), np.int16)}

    outputs = answer_items(contract, inputs, paint)
    check_answer(contract, 2, inputs, outputs)
    assert (outputs["CANDIDATE"] == inputs["IMAGE"]).all()
    assert [(item["PROMPT"], item["SEED"]) for item in seen] == [("oak", 1), ("caf\u00e9", 2)]
    assert seen[0]["PRODUCT"].shape == (4, 5)


def test_scores_come_back_as_one_number_an_item() -> None:
    contract = CONTRACTS["text_detector"]
    inputs = {"IMAGE": np.zeros((1, 4, 5, 3), np.uint8)}
    outputs = answer_items(contract, inputs, lambda _: {"COVERAGE": 0.25, "BOXES": np.float64(3)})
    check_answer(contract, 1, inputs, outputs)
    assert (outputs["COVERAGE"].item(), outputs["BOXES"].item()) == (0.25, 3.0)


def test_what_an_item_raises_reaches_the_caller() -> None:
    def refuse(_: Any) -> Any:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        answer_items(CONTRACTS["human_detector"], {"IMAGE": np.zeros((1, 4, 5, 3), np.uint8)}, refuse)


def doubled(inputs: dict[str, Any]) -> dict[str, Any]:
    """Twice what is asked; nobody may ask for 13."""
    if (inputs["N"] == 13).any():
        raise ValueError("no 13")
    return {"TWICE": inputs["N"] * 2}


def request(*numbers: int, width: int = 1) -> dict[str, Any]:
    return {"N": np.repeat(np.array(numbers)[:, None], width, axis=1)}


def test_requests_of_one_shape_are_one_batch_and_each_gets_its_own_part() -> None:
    batches: list[int] = []

    def answer(inputs: dict[str, Any]) -> dict[str, Any]:
        batches.append(len(inputs["N"]))
        return doubled(inputs)

    answers: Any = answer_together([request(1, 2), request(5, width=3), request(3)], answer)
    assert sorted(batches) == [1, 3]
    assert [answer["TWICE"][:, 0].tolist() for answer in answers] == [[2, 4], [10], [6]]


@pytest.mark.parametrize("answered", [answer_apart, answer_together])
def test_what_one_request_raises_is_its_own_error(answered: Any) -> None:
    unreadable = TypeError("unreadable")
    answers = answered([request(1), request(2, 13), unreadable, request(3)], doubled)
    assert isinstance(answers[1], ValueError) and answers[2] is unreadable
    assert [answers[number]["TWICE"].tolist() for number in (0, 3)] == [[[2]], [[6]]]
