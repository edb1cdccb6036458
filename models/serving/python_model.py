"""The base of the served Python models: each says how it answers one item, this does the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from models.serving.items import Answer, Item, Tensors, answer_apart, answer_items, answer_together
from transforms.inference.contracts import CONTRACTS


def require_numpy_1() -> None:
    """Refuse to load under numpy 2, where this backend answers outputs of 0 bytes with status OK."""
    if int(np.__version__.split(".")[0]) >= 2:
        raise RuntimeError(f"numpy {np.__version__} in the model's environment; the Python backend needs numpy 1")


class PythonModel:
    """A Triton Python model. Subclasses define `answer`, and `setup` where they hold something.

    Attributes:
        joins: whether requests that Triton hands over together are one batch; then `answer_all` must answer an item
            alike whatever shares its batch.
    """

    joins: ClassVar[bool] = False

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

    def answer_all(self, inputs: Tensors) -> Tensors:
        """The outputs of a batch by name: each item's own. Models that paint a batch at once define it anew."""
        return answer_items(self.contract, inputs, self.answer)

    @staticmethod
    def no_guide(candidate: NDArray[np.uint8]) -> NDArray[np.int16]:
        """The GUIDE of a painter whose upscaler needs none: zeros at the candidate's size."""
        return np.zeros((*candidate.shape[:2], 2), np.int16)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """One response for each request; what one of them raises is its own error."""
        answers = (answer_together if self.joins else answer_apart)(
            [self._read(one) for one in requests], self.answer_all
        )
        return [self._response(answer) for answer in answers]

    def _read(self, request: Any) -> Tensors | Exception:
        try:
            return {
                spec.name: pb_utils.get_input_tensor_by_name(request, spec.name).as_numpy()
                for spec in self.contract.inputs
            }
        except Exception as error:  # becomes this request's answer
            return error

    def _response(self, answer: Tensors | Exception) -> Any:
        if isinstance(answer, Exception):
            text = f"{type(answer).__name__}: {answer}"
            pb_utils.Logger.log_error(f"{self.contract.name}: {text}")
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(text))
        return pb_utils.InferenceResponse([pb_utils.Tensor(name, tensor) for name, tensor in answer.items()])
