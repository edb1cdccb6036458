"""A client without a server: same interface, same checks, deterministic answers. For tests and dry runs."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.inference.contracts import CONTRACTS, ModelContract
from transforms.inference.interface import Tensors, check_answer, check_request, contract_of
from transforms.seeds import Tables

Responder = Callable[[Tensors], dict[str, NDArray[Any]]]


class FakeClient:
    """Answers from plain functions, held against the contracts exactly as the real client's answers are.

    Args:
        responders: replace the answers of some models: `inputs -> outputs`, batch dimension first; they may raise.
        contracts: the models that it serves.

    Attributes:
        requests: `(model, inputs)` of every request, in order.
    """

    def __init__(
        self, responders: Mapping[str, Responder] | None = None, contracts: Mapping[str, ModelContract] = CONTRACTS
    ) -> None:
        self._contracts = contracts
        self._responders: dict[str, Responder] = {**RESPONDERS, **(responders or {})}
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.requests: list[tuple[str, Tensors]] = []

    def infer(self, model: str, inputs: Tensors, *, deadline_sec: float | None = None) -> dict[str, NDArray[Any]]:
        """See `InferenceClient.infer`; the deadline has no meaning here."""
        del deadline_sec
        contract = contract_of(model, self._contracts)
        batch = check_request(contract, inputs)
        with self._lock:
            self.requests.append((model, inputs))
            self._counts["requests"] += 1
        outputs = self._responders[model](inputs)
        check_answer(contract, batch, inputs, outputs)
        return outputs

    def model_digests(self) -> Mapping[str, str]:
        """A digest of each contract."""
        return {name: sha256(repr(contract).encode()).hexdigest() for name, contract in self._contracts.items()}

    def seeds(self, model: str) -> Tables:
        """None: what is faked has no weights."""
        contract_of(model, self._contracts)
        return {}

    def instances(self, model: str) -> int:
        """What the contract says."""
        return contract_of(model, self._contracts).instances

    def counts(self) -> dict[str, int]:
        """See `InferenceClient.counts`."""
        with self._lock:
            return dict(self._counts)


def _segment(inputs: Tensors) -> dict[str, NDArray[Any]]:
    """Opaque where a pixel differs from its image's top left corner by more than 12 levels in some channel."""
    image = inputs["IMAGE"].astype(np.int16)
    differs = np.abs(image - image[:, :1, :1]).max(axis=-1, keepdims=True) > 12
    return {"ALPHA": differs.astype(np.float32)}


def _keep_probability(inputs: Tensors) -> dict[str, NDArray[Any]]:
    """The first clue, which is the probability so far."""
    return {"ALPHA": inputs["IMAGE"][..., 3:4].astype(np.float32) / np.float32(255)}


def _constant(**values: float) -> Responder:
    def respond(inputs: Tensors) -> dict[str, NDArray[Any]]:
        batch = len(inputs["IMAGE"])
        return {name: np.full((batch, 1), value, np.float32) for name, value in values.items()}

    return respond


def _paint(inputs: Tensors) -> dict[str, NDArray[Any]]:
    """The known pixels kept, the rest one flat light grey chosen by the seed."""
    shade = (200 + inputs["SEED"] % 40).astype(np.uint8)[:, :, None, None]
    candidate = np.where(inputs["KNOWN"] > 0, inputs["IMAGE"], shade)
    return {"CANDIDATE": candidate, "GUIDE": np.zeros((*candidate.shape[:3], 2), np.int16)}


def _synthesise(inputs: Tensors) -> dict[str, NDArray[Any]]:
    """One flat light grey chosen by the seed."""
    shade = (200 + inputs["SEED"] % 40).astype(np.uint8)[:, :, None, None]
    return {"CANDIDATE": np.broadcast_to(shade, inputs["IMAGE"].shape).copy()}


def _upscale(inputs: Tensors) -> dict[str, NDArray[Any]]:
    """The candidate enlarged by nearest neighbour, the known pixels kept."""
    image, small = inputs["IMAGE"], inputs["CANDIDATE"]
    rows = np.arange(image.shape[1]) * small.shape[1] // image.shape[1]
    columns = np.arange(image.shape[2]) * small.shape[2] // image.shape[2]
    return {"SCENE": np.where(inputs["KNOWN"] > 0, image, small[:, rows][:, :, columns])}


RESPONDERS: Mapping[str, Responder] = {
    "segmenter": _segment,
    "product_segmenter": _segment,
    "mask_refiner": _keep_probability,
    "unsafe_image": _constant(SCORE=0.01),
    "text_detector": _constant(COVERAGE=0.0, BOXES=0.0),
    "human_detector": _constant(SCORE=0.0),
    "reward": _constant(PRODUCT_DEFECT=0.1, BACKGROUND_DEFECT=0.1),
    "canvas_scene_synthesis": _synthesise,
    **dict.fromkeys(
        ("studio", "canvas_staging", "patchmatch", "pretrained", "canvas_background", "canvas_outpaint"), _paint
    ),
    **dict.fromkeys(
        (
            "studio_upscale",
            "canvas_staging_upscale",
            "patchmatch_upscale",
            "pretrained_upscale",
            "canvas_background_upscale",
            "canvas_outpaint_upscale",
        ),
        _upscale,
    ),
}
