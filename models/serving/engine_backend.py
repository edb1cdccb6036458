"""The body of the python-based backends: an engine file of the repository, run on the CPU.

`backends/tensorrt/model.py` puts it in the place of Triton's own TensorRT backend, so that one repository serves
`1/model.plan` on a GPU and `1/model.onnx` on a CPU under the same `platform`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils

from models.serving.engines import load_engine, run_fixed
from models.serving.python_model import require_numpy_1


class EngineBackend:
    """Runs `<version>/model.onnx` as the model's parameters say: cpu_engine, precision, threads, fixed_batch."""

    def initialize(self, args: dict[str, str]) -> None:
        """Called once by Triton for each instance."""
        require_numpy_1()
        config = json.loads(args["model_config"])
        parameters = {name: entry["string_value"] for name, entry in config["parameters"].items()}
        self._input, self._output = config["input"][0]["name"], config["output"][0]["name"]
        self._fixed_batch = int(parameters["fixed_batch"])
        self._engine = load_engine(
            Path(args["model_repository"]) / args["model_version"] / "model.onnx",
            parameters["cpu_engine"],
            parameters["precision"],
            int(parameters["threads"]),
        )

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """One response for each request; what one of them raises is its own error."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        try:
            images = pb_utils.get_input_tensor_by_name(request, self._input).as_numpy()
            answer = run_fixed(self._engine, images, self._fixed_batch)
        except Exception as error:  # becomes this request's answer: its neighbours must not fail with it
            pb_utils.Logger.log_error(f"{type(error).__name__}: {error}")
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"{type(error).__name__}: {error}"))
        return pb_utils.InferenceResponse([pb_utils.Tensor(self._output, answer)])
