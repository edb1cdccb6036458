"""Batches of any length over models of bounded batch size, so that no result depends on what shared its batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.inference.contracts import CONTRACTS, ModelContract
from transforms.inference.interface import InferenceClient, Tensors, contract_of


def pad_batch(inputs: Tensors, multiple: int) -> dict[str, NDArray[Any]]:
    """`inputs` with their last item repeated until the batch is a multiple of `multiple`.

    >>> pad_batch({"SEED": np.array([[1], [2], [3]])}, 2)["SEED"].ravel().tolist()
    [1, 2, 3, 3]
    """
    missing = -len(next(iter(inputs.values()))) % multiple
    return {name: np.concatenate([tensor, *[tensor[-1:]] * missing]) for name, tensor in inputs.items()}


def infer_batch(client: InferenceClient, model: str, inputs: Tensors) -> dict[str, NDArray[Any]]:
    """The outputs for a batch of any length: split to the model's `max_batch`, padded to its `fixed_batch`.

    Raises:
        ServingError: of the first request that fails; nothing is returned in part.
    """
    contract = contract_of(model, CONTRACTS)
    answers = [_infer_part(client, contract, part) for part in _parts(inputs, contract.max_batch)]
    return {spec.name: np.concatenate([answer[spec.name] for answer in answers]) for spec in contract.outputs}


def _parts(inputs: Tensors, size: int) -> list[Tensors]:
    count = len(next(iter(inputs.values())))
    starts = range(0, max(count, 1), size)
    return [{name: tensor[start : start + size] for name, tensor in inputs.items()} for start in starts]


def _infer_part(client: InferenceClient, contract: ModelContract, part: Tensors) -> dict[str, NDArray[Any]]:
    count = len(next(iter(part.values())))
    answer = client.infer(contract.name, pad_batch(part, contract.fixed_batch))
    return {name: tensor[:count] for name, tensor in answer.items()}
