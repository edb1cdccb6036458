"""Requests of Python models, taken apart into items and put together again. No Triton here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.inference.contracts import INT64, STRING, ModelContract, TensorSpec
from transforms.inference.interface import DTYPES

Item = Mapping[str, Any]
Answer = Mapping[str, NDArray[Any] | float]


def answer_items(
    contract: ModelContract, inputs: Mapping[str, NDArray[Any]], answer: Callable[[Item], Answer]
) -> dict[str, NDArray[Any]]:
    """Answer a batch one item at a time, so that no item sees its batch mates.

    Args:
        contract: names, dtypes and shapes of both sides.
        inputs: by name, batch dimension first.
        answer: maps an item to its outputs by name. In an item a one-channel plane is [h, w], a string `str`, an
            integer `int`; in an answer the same holds, and a score is a plain float.

    Returns:
        The outputs by name, batch dimension first, in the contract's dtypes.
    """
    count = len(next(iter(inputs.values())))
    items = [{spec.name: _taken(spec, inputs[spec.name][index]) for spec in contract.inputs} for index in range(count)]
    answers = [answer(item) for item in items]
    return {spec.name: _stacked(spec, [answer[spec.name] for answer in answers]) for spec in contract.outputs}


def _taken(spec: TensorSpec, value: NDArray[Any]) -> Any:
    if spec.dtype == STRING:
        return value.reshape(-1)[0].decode()
    if spec.dtype == INT64:
        return int(value.reshape(-1)[0])
    return value[..., 0] if len(spec.shape) == 3 and spec.shape[-1] == 1 else value


def _stacked(spec: TensorSpec, values: Sequence[NDArray[Any] | float]) -> NDArray[Any]:
    arrays = [np.asarray(value) for value in values]
    if len(spec.shape) == 3 and spec.shape[-1] == 1:
        arrays = [array[..., None] for array in arrays]
    if spec.shape == (1,):
        arrays = [array.reshape(1) for array in arrays]
    stacked: NDArray[Any] = np.stack(arrays).astype(DTYPES[spec.dtype], copy=False)
    return stacked
