"""CPU engines behind one call: ONNX Runtime and OpenVINO, at one fixed batch size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.serving.cores import core

Engine = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def load_engine(path: Path, engine: str, precision: str, threads: int) -> Engine:
    """A function from one uint8 batch to the graph's first output.

    Args:
        path: an ONNX file with one input.
        engine: `onnxruntime` or `openvino`.
        precision: `fp32` or `bf16`; bf16 is OpenVINO's only, and becomes fp32 where `precision_here` says so.
        threads: of one inference. Part of a result's identity: sums are split by thread.

    Raises:
        ValueError: an engine or precision that is not known.
    """
    loaders = {
        ("onnxruntime", "fp32"): _load_onnxruntime,
        ("openvino", "fp32"): _load_openvino_fp32,
        ("openvino", "bf16"): _load_openvino_bf16,
    }
    if (engine, precision) not in loaders:
        raise ValueError(f"no CPU engine {engine!r} with precision {precision!r}; known: {sorted(loaders)}")
    return loaders[engine, precision_here(precision)](path, threads)


def precision_here(precision: str) -> str:
    """What `precision` becomes on this CPU: bf16 is fp32 where the CPU has no instructions for it.

    Part of a served model's identity, because it changes the answers.
    """
    cpu = Path("/proc/cpuinfo").read_text()
    return "fp32" if precision == "bf16" and "avx512_bf16" not in cpu and "amx_bf16" not in cpu else precision


def run_fixed(engine: Engine, images: NDArray[np.uint8], fixed_batch: int) -> NDArray[np.float32]:
    """Run `images` in batches of exactly `fixed_batch`, the last padded with zeros."""
    padding = np.zeros((-len(images) % fixed_batch, *images.shape[1:]), images.dtype)
    padded = np.concatenate([images, padding])
    starts = range(0, len(padded), fixed_batch)
    return np.concatenate([engine(padded[start : start + fixed_batch]) for start in starts])[: len(images)]


def _load_onnxruntime(path: Path, threads: int) -> Engine:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        answer: NDArray[np.float32] = session.run(None, {name: images})[0]
        return answer

    return run


def _load_openvino_fp32(path: Path, threads: int) -> Engine:
    return _load_openvino(path, threads, "f32")


def _load_openvino_bf16(path: Path, threads: int) -> Engine:
    return _load_openvino(path, threads, "bf16")


def _load_openvino(path: Path, threads: int, precision: str) -> Engine:
    settings: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = core().compile_model(str(path), "CPU", settings)
    request = compiled.create_infer_request()

    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        # The request's output buffer is used again by its next inference.
        answer: NDArray[np.float32] = np.array(request.infer([images])[0], np.float32)
        return answer

    return run
