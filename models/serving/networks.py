"""Networks with several inputs on the CPU, compiled once for each shape that is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.serving.cores import core

Arrays = dict[str, NDArray[Any]]
Network = Callable[[Arrays], NDArray[np.float32]]


def load_network(path: Path, engine: str, threads: int) -> Network:
    """A function from named arrays to the graph's first output, in fp32.

    Args:
        path: an ONNX file; dimensions that vary are fixed by what is asked.
        engine: `onnxruntime` or `openvino`.
        threads: of one inference. Part of a result's identity: sums are split by thread.

    Raises:
        ValueError: an engine that is not known.
    """
    loaders = {"onnxruntime": _load_onnxruntime, "openvino": _load_openvino}
    if engine not in loaders:
        raise ValueError(f"no CPU engine {engine!r}; known: {sorted(loaders)}")
    return loaders[engine](path, threads)


def _load_onnxruntime(path: Path, threads: int) -> Network:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(arrays: Arrays) -> NDArray[np.float32]:
        answer: NDArray[np.float32] = session.run(None, arrays)[0]
        return answer

    return run


def _load_openvino(path: Path, threads: int) -> Network:
    """Static shapes are faster than open ones, and there are few: the buckets."""
    settings: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled: dict[tuple[tuple[int, ...], ...], Any] = {}

    def run(arrays: Arrays) -> NDArray[np.float32]:
        shapes = {name: array.shape for name, array in arrays.items()}
        key = tuple(shapes.values())
        if key not in compiled:
            model = core().read_model(str(path))
            model.reshape({name: list(shape) for name, shape in shapes.items()})
            compiled[key] = core().compile_model(model, "CPU", settings).create_infer_request()
        return np.array(compiled[key].infer(arrays)[0], np.float32)

    return run
