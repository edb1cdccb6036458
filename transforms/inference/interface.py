"""What every inference client offers, and the checks that the real one and the fake one share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from transforms.errors import InvalidAnswer, ModelNotFound, RequestRefused, ServingError
from transforms.inference.contracts import CONTRACTS, FP32, INT16, INT64, STRING, UINT8, ModelContract, TensorSpec
from transforms.seeds import Tables

Tensors = Mapping[str, NDArray[Any]]

DTYPES: Mapping[str, np.dtype[Any]] = {
    UINT8: np.dtype(np.uint8),
    INT16: np.dtype(np.int16),
    INT64: np.dtype(np.int64),
    FP32: np.dtype(np.float32),
    STRING: np.dtype(np.object_),
}


class InferenceClient(Protocol):
    """Asks served models. Safe to share between threads."""

    def infer(self, model: str, inputs: Tensors, *, deadline_sec: float | None = None) -> dict[str, NDArray[Any]]:
        """The model's outputs for one batch.

        Args:
            model: a name in `CONTRACTS`.
            inputs: by name, batch dimension first, at most `max_batch` items; strings as object arrays of str,
                or of bytes in UTF-8.
            deadline_sec: of one attempt; None takes the configuration's or the contract's.

        Returns:
            Every output of the contract, batch dimension first, checked against it.

        Raises:
            ServingError: see `transforms.errors`.
        """

    def model_digests(self) -> Mapping[str, str]:
        """The identity of every served model: SHA-256 over engine or source and configuration, hex."""

    def seeds(self, model: str) -> Tables:
        """The tuned seeds that a painter's weights came with; empty where there are none."""

    def instances(self, model: str) -> int:
        """How many requests of `model` all servers together compute at once."""

    def counts(self) -> dict[str, int]:
        """What happened so far: requests, retries, rejections and failures, by name."""


def contract_of(model: str, contracts: Mapping[str, ModelContract] = CONTRACTS) -> ModelContract:
    """The contract called `model`; ModelNotFound where there is none."""
    if model not in contracts:
        raise ModelNotFound(f"no contract for model {model!r}; known: {', '.join(sorted(contracts))}")
    return contracts[model]


def check_request(contract: ModelContract, inputs: Tensors) -> int:
    """Hold a request against its contract and return its batch size; RequestRefused where it differs."""
    _same_names(contract.name, "inputs", contract.inputs, inputs, RequestRefused)
    batch = _batch_of(inputs)
    if not 1 <= batch <= contract.max_batch:
        raise RequestRefused(f"{contract.name}: batch of {batch}, allowed 1 to {contract.max_batch}")
    for spec in contract.inputs:
        _check_tensor(contract.name, spec, inputs[spec.name], batch, inputs, RequestRefused)
    return batch


def check_answer(contract: ModelContract, batch: int, inputs: Tensors, outputs: Tensors) -> None:
    """Hold an answer against its contract: names, dtypes, shapes, finite, range; InvalidAnswer where it differs."""
    _same_names(contract.name, "outputs", contract.outputs, outputs, InvalidAnswer)
    known = {**inputs, **outputs}
    for spec in contract.outputs:
        tensor = outputs[spec.name]
        _check_tensor(contract.name, spec, tensor, batch, known, InvalidAnswer)
        _check_values(contract.name, spec, tensor)


def _same_names(
    model: str, what: str, specs: Iterable[TensorSpec], tensors: Tensors, error: type[ServingError]
) -> None:
    expected, got = {spec.name for spec in specs}, set(tensors)
    if expected != got:
        raise error(f"{model}: {what} {sorted(got)}, expected {sorted(expected)}")


def _batch_of(inputs: Tensors) -> int:
    first = next(iter(inputs.values()))
    return int(first.shape[0]) if first.ndim else 0


def _check_tensor(
    model: str, spec: TensorSpec, tensor: NDArray[Any], batch: int, known: Tensors, error: type[ServingError]
) -> None:
    if not isinstance(tensor, np.ndarray) or tensor.dtype != DTYPES[spec.dtype]:
        got = getattr(tensor, "dtype", type(tensor).__name__)
        raise error(f"{model}: {spec.name} is {got}, expected {spec.dtype}")
    expected = (batch, *spec.shape)
    if spec.like:
        expected = (batch, *known[spec.like].shape[1:3], *spec.shape[2:])
    fits = len(tensor.shape) == len(expected) and all(
        want in (-1, have) and have > 0 for have, want in zip(tensor.shape, expected, strict=True)
    )
    if not fits:
        raise error(f"{model}: {spec.name} has shape {tensor.shape}, expected {expected}")


def _check_values(model: str, spec: TensorSpec, tensor: NDArray[Any]) -> None:
    if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
        raise InvalidAnswer(f"{model}: {spec.name} holds values that are not finite")
    if spec.low is not None and tensor.min() < spec.low:
        raise InvalidAnswer(f"{model}: {spec.name} reaches {tensor.min()}, below {spec.low}")
    if spec.high is not None and tensor.max() > spec.high:
        raise InvalidAnswer(f"{model}: {spec.name} reaches {tensor.max()}, above {spec.high}")
