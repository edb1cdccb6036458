"""Stands in for Triton's ONNX Runtime backend on a CPU: `platform: "onnxruntime_onnx"` runs 1/model.onnx."""

from models.serving.engine_backend import EngineBackend as TritonPythonModel

__all__ = ["TritonPythonModel"]
