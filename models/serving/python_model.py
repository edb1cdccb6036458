"""The base of the served Python models: each says how it answers one item, this does the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from models.serving.items import Answer, Item, answer_items
from transforms.inference.contracts import CONTRACTS


def require_numpy_1() -> None:
    """Refuse to load under numpy 2, where this backend answers outputs of 0 bytes with status OK."""
    if int(np.__version__.split(".")[0]) >= 2:
        raise RuntimeError(f"numpy {np.__version__} in the model's environment; the Python backend needs numpy 1")


class PythonModel:
    """A Triton Python model. Subclasses define `answer`, and `setup` where they hold something."""

    def initialize(self, args: dict[str, str]) -> None:
        """Called once by Triton with the model's name and configuration."""
        require_numpy_1()
        self.contract = CONTRACTS[args["model_name"]]
        self.folder = Path(args["model_repository"]) / args["model_version"]
        self.setup()

    def setup(self) -> None:
        """Load what `answer` needs."""

    def answer(self, item: Item) -> Answer:
        """The outputs of one item: see `models.serving.items.answer_items`."""
        raise TypeError(f"{type(self).__name__} answers nothing of {sorted(item)}")

    def answer_all(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The outputs of a request by name: each item's own. Models that paint a batch at once define it anew."""
        return answer_items(self.contract, inputs, self.answer)

    @staticmethod
    def no_guide(candidate: NDArray[np.uint8]) -> NDArray[np.int16]:
        """The GUIDE of a painter whose upscaler needs none: zeros at the candidate's size."""
        return np.zeros((*candidate.shape[:2], 2), np.int16)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """One response for each request; what one of them raises is its own error."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        try:
            inputs = {
                spec.name: pb_utils.get_input_tensor_by_name(request, spec.name).as_numpy()
                for spec in self.contract.inputs
            }
            outputs = self.answer_all(inputs)
        except Exception as error:  # becomes this request's answer: its neighbours must not fail with it
            pb_utils.Logger.log_error(f"{self.contract.name}: {type(error).__name__}: {error}")
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"{type(error).__name__}: {error}"))
        return pb_utils.InferenceResponse([pb_utils.Tensor(name, tensor) for name, tensor in outputs.items()])
