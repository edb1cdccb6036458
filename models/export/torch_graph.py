"""A torch module as an ONNX graph with weights in half precision, each widened where it is used."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

_OPSET = 17


def graph_of(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    dynamic: Mapping[str, Mapping[int, str]] | None = None,
    *,
    half: bool = True,
) -> onnx.ModelProto:
    """`module` as ONNX.

    Args:
        module: in evaluation mode; called with `inputs` by position.
        inputs: examples by name, in the order of the module's arguments.
        outputs: names of its outputs.
        dynamic: name -> dimension -> its name; all others are fixed at the examples' sizes.
        half: keep weights as float16; what differs is below half precision's own step.
    """
    file = io.BytesIO()
    with warnings.catch_warnings():
        # deprecated for one that needs onnxscript; torch is pinned, and answers are held against the module's
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            file,  # type: ignore[arg-type]
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=_OPSET,
            dynamic_axes={name: dict(axes) for name, axes in (dynamic or {}).items()},
            dynamo=False,
        )
    graph = onnx.load_from_string(file.getvalue())
    return halved(graph) if half else graph


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` with every float32 weight kept as float16 and cast where the graph begins."""
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type == TensorProto.FLOAT and values.size > 1:
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
            casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model
