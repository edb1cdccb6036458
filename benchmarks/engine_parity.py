"""How far TensorRT's answers are from ONNX Runtime's, on the GPU of this machine, and how long they take.

    python -m benchmarks.engine_parity [--models segmenter,...]

Needs a GPU, a TensorRT (`tensorrt` or `tensorrt_rtx`) and torch with CUDA. **Unverified**: it has not yet run on a GPU;
what is tested without one is that every graph compiles (tests/models/export/test_tensorrt.py).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from models.export.tensorrt import Graph, build_plan, find_builder, graph_names, served_graph

_ROUNDS = 20


def inputs_of(graph: Graph) -> dict[str, NDArray[Any]]:
    """Random inputs of the usual shapes: pixels, tokens, ones for a mask."""
    rng = np.random.default_rng(0)
    answers: dict[str, NDArray[Any]] = {}
    for tensor in onnx.load_from_string(graph.onnx).graph.input:
        kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.type.tensor_type.elem_type)
        fixed = tuple(dim.dim_value for dim in tensor.type.tensor_type.shape.dim)
        shape = graph.profiles[tensor.name].usual if tensor.name in graph.profiles else fixed
        high = 256 if kind == np.uint8 else 100
        drawn = rng.integers(0, high, shape) if np.issubdtype(kind, np.integer) else np.ones(shape)
        answers[tensor.name] = drawn.astype(kind)
    return answers


def run_engine(plan: bytes, inputs: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], float]:
    """(outputs by name, milliseconds a run) of an engine on the GPU."""
    trt = find_builder()
    engine = trt.Runtime(trt.Logger(trt.Logger.WARNING)).deserialize_cuda_engine(plan)
    context, stream = engine.create_execution_context(), torch.cuda.Stream()
    held = {name: torch.from_numpy(value).cuda() for name, value in inputs.items()}
    for name, tensor in held.items():
        context.set_input_shape(name, tuple(tensor.shape))
        context.set_tensor_address(name, tensor.data_ptr())
    names = [engine.get_tensor_name(number) for number in range(engine.num_io_tensors)]
    kinds = {trt.float32: torch.float32, trt.float16: torch.float16, trt.uint8: torch.uint8}
    outputs = {
        name: torch.empty(tuple(context.get_tensor_shape(name)), dtype=kinds[engine.get_tensor_dtype(name)]).cuda()
        for name in names
        if name not in inputs
    }
    for name, tensor in outputs.items():
        context.set_tensor_address(name, tensor.data_ptr())
    context.execute_async_v3(stream.cuda_stream)
    stream.synchronize()
    began = time.perf_counter()
    for _ in range(_ROUNDS):
        context.execute_async_v3(stream.cuda_stream)
    stream.synchronize()
    cost = (time.perf_counter() - began) * 1000 / _ROUNDS
    return {name: tensor.cpu().numpy() for name, tensor in outputs.items()}, cost


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine_parity", description=__doc__)
    parser.add_argument("--models", default="", help="comma-separated; all where empty")
    args = parser.parse_args()
    rtx = find_builder().__name__ == "tensorrt_rtx"
    print("| model | output | largest difference | mean | ms |\n|---|---|---|---|---|")
    for model in [name for name in args.models.split(",") if name] or graph_names():
        graph = served_graph(model)
        inputs = inputs_of(graph)
        plan = build_plan(graph.onnx, graph.profiles, ("CURRENT",) if rtx else ())
        answers, cost = run_engine(plan, inputs)
        session = onnxruntime.InferenceSession(graph.onnx, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        for name, expected in zip(names, session.run(names, dict(inputs)), strict=True):
            gap = np.abs(answers[name].astype(np.float32) - expected.astype(np.float32))
            print(f"| {model} | {name} | {gap.max():.5f} | {gap.mean():.6f} | {cost:.2f} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
