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
Tensors = dict[str, NDArray[Any]]
AnswerAll = Callable[[Tensors], Tensors]


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


def answer_apart(requests: Sequence[Tensors | Exception], answer_all: AnswerAll) -> list[Tensors | Exception]:
    """Each request's outputs, or what it raised: its neighbours must not fail with it.

    Args:
        requests: inputs by name, batch dimension first; or why there are none, which is handed on.
        answer_all: inputs -> outputs.
    """
    return [asked if isinstance(asked, Exception) else _attempted(answer_all, asked) for asked in requests]


def answer_together(requests: Sequence[Tensors | Exception], answer_all: AnswerAll) -> list[Tensors | Exception]:
    """As `answer_apart`, but requests of one shape are one batch; where that raises, each is tried by itself.

    `answer_all` must answer an item alike whatever shares its batch.
    """
    answers: list[Tensors | Exception] = list(requests)
    for group in _alike(requests):
        parts: list[Any] = [requests[number] for number in group]
        whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        outputs = _attempted(answer_all, whole)
        if isinstance(outputs, Exception):
            found = answer_apart(parts, answer_all)
        else:
            found = _split(outputs, [len(next(iter(part.values()))) for part in parts])
        for number, answer in zip(group, found, strict=True):
            answers[number] = answer
    return answers


def _attempted(answer_all: AnswerAll, inputs: Tensors) -> Tensors | Exception:
    try:
        return answer_all(inputs)
    except Exception as error:  # becomes this request's answer
        return error


def _alike(requests: Sequence[Tensors | Exception]) -> list[list[int]]:
    """The numbers of the requests whose items have the same shapes."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for number, asked in enumerate(requests):
        if not isinstance(asked, Exception):
            shapes = tuple((name, tensor.shape[1:]) for name, tensor in asked.items())
            groups.setdefault(shapes, []).append(number)
    return list(groups.values())


def _split(outputs: Tensors, counts: Sequence[int]) -> list[Tensors | Exception]:
    starts = np.cumsum([0, *counts])
    return [
        {name: tensor[start : start + count] for name, tensor in outputs.items()}
        for start, count in zip(starts, counts, strict=False)
    ]


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
