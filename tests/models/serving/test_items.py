"""Batches taken apart and put together again, as the served models do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.serving.items import answer_items
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
