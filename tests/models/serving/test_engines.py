"""CPU engines agree with each other, and a fixed batch hides its mates."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.serving.engines import load_engine, run_fixed

WEIGHTS = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    nodes = [
        helper.make_node("Cast", ["IMAGE"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["x"], ["y"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["y", "w"], ["z"], kernel_shape=[3, 3]),
        helper.make_node("ReduceMean", ["z"], ["m"], axes=[2, 3], keepdims=0),
        helper.make_node("Sigmoid", ["m"], ["SCORE"]),
    ]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "tiny",
            [helper.make_tensor_value_info("IMAGE", TensorProto.UINT8, (2, 8, 8, 3))],
            [helper.make_tensor_value_info("SCORE", TensorProto.FLOAT, (2, 4))],
            [numpy_helper.from_array(WEIGHTS / 255, "w")],
        ),
        opset_imports=[helper.make_opsetid("", 11)],
        ir_version=8,
    )
    onnx.save(model, tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def images(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 8, 8, 3), np.uint8)


@pytest.mark.parametrize(("engine", "precision", "tolerance"), [("openvino", "fp32", 1e-5), ("openvino", "bf16", 2e-2)])
def test_engines_agree(graph: Path, engine: str, precision: str, tolerance: float) -> None:
    reference = load_engine(graph, "onnxruntime", "fp32", 1)(images(2))
    answer = load_engine(graph, engine, precision, 1)(images(2))
    np.testing.assert_allclose(answer, reference, atol=tolerance)
    assert reference.std() > 0.1


def test_an_unknown_engine_or_precision_is_named(graph: Path) -> None:
    with pytest.raises(ValueError, match="'bf16'"):
        load_engine(graph, "onnxruntime", "bf16", 1)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_fixed_batch_answers_every_item_as_if_alone(graph: Path, count: int) -> None:
    engine, batch = load_engine(graph, "onnxruntime", "fp32", 1), images(count)
    together = run_fixed(engine, batch, 2)
    alone = np.concatenate([run_fixed(engine, image[None], 2) for image in batch])
    assert together.tobytes() == alone.tobytes()


def test_an_answer_outlives_the_next_inference(graph: Path) -> None:
    engine = load_engine(graph, "openvino", "fp32", 1)
    first = engine(images(2))
    kept = first.copy()
    engine(255 - images(2))
    assert (first == kept).all()


def test_no_engine_calls_home(graph: Path) -> None:
    script = (
        "import sys; calls = []\n"
        "hook = lambda name, _: calls.append(name) if name in ('socket.connect', 'socket.getaddrinfo') else None\n"
        "sys.addaudithook(hook)\n"
        "import numpy, pathlib\n"
        "from models.serving.engines import load_engine\n"
        "for engine in ('openvino', 'onnxruntime'):\n"
        "    load_engine(pathlib.Path(sys.argv[1]), engine, 'fp32', 1)(numpy.zeros((2, 8, 8, 3), numpy.uint8))\n"
        "assert not calls, calls\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    subprocess.run([sys.executable, "-c", script, str(graph)], check=True, env=environment)
