"""Stands in for Triton's TensorRT backend on a CPU: `platform: "tensorrt_plan"` runs 1/model.onnx."""

from models.serving.engine_backend import EngineBackend as TritonPythonModel

__all__ = ["TritonPythonModel"]
