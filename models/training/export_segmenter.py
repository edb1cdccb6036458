"""Writes a trained segmenter as the ONNX file that is served, beside what its card needs to know.

    python -m models.training.export_segmenter --run DIR --out models/weights/segmenter

The file holds the averaged weights in half precision, each widened where it is used: 6.5 MB, and answers that differ
from the trained network's by less than one step of 8 bits. Input: RGB in [0, 255], float32 [B, 3, H, W]; output: the
probability of "product", float32 [B, 1, H, W].
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
import warnings
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from models.training.network import Segmenter, new_segmenter

_OPSET = 17
_SIDE = 320


class _Chance(nn.Module):
    def __init__(self, network: Segmenter) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.network(images))


def load_average(checkpoint: Path) -> Segmenter:
    """The averaged network of a checkpoint, ready to answer."""
    network = new_segmenter()
    network.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["average"])
    return network.eval()


def exported(network: Segmenter) -> onnx.ModelProto:
    """`network` as ONNX with weights in half precision."""
    file = io.BytesIO()
    images = torch.zeros(1, 3, _SIDE, _SIDE)
    with warnings.catch_warnings():
        # deprecated for one that needs onnxscript; torch is pinned, and the answers are held against the network's
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Chance(network).eval(),
            (images,),
            file,  # type: ignore[arg-type]
            input_names=["images"],
            output_names=["chance"],
            opset_version=_OPSET,
            dynamic_axes={"images": {0: "batch"}, "chance": {0: "batch"}},
            dynamo=False,
        )
    return halved(onnx.load_from_string(file.getvalue()))


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.training.export_segmenter", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the weights")
    args = parser.parse_args(arguments)
    content = exported(load_average(args.run / "checkpoint.pt")).SerializeToString(deterministic=True)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "segmenter.onnx").write_bytes(content)
    for name in ("recipe.json", "losses.png"):
        if (args.run / name).exists():
            shutil.copy2(args.run / name, args.out / name)
    sys.stdout.write(json.dumps({"bytes": len(content), "sha256": sha256(content).hexdigest()}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
