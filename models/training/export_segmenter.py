"""Writes a trained segmenter as the ONNX file that is served, with its card.

    python -m models.training.export_segmenter --run DIR --out models/weights/product_segmenter \
        --data '{"cutouts": 500, "licence": "..."}' --metrics '{"iou": 0.93}'

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
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from models.checkpoint import CARD, Card
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
    parser.add_argument("--data", type=json.loads, default={}, help="what it was trained on, JSON, for the card")
    parser.add_argument("--metrics", type=json.loads, default={}, help="held-out figures, JSON, for the card")
    args = parser.parse_args(arguments)
    content = exported(load_average(args.run / "checkpoint.pt")).SerializeToString(deterministic=True)
    recipe = json.loads((args.run / "recipe.json").read_text(encoding="utf-8"))
    spec = {"encoder": "efficientnet-lite0", "side": _SIDE, "stored": "float16"}
    card = Card("product_segmenter", spec, args.data, recipe, args.metrics, sha256(content).hexdigest())
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "product_segmenter.onnx").write_bytes(content)
    shutil.copy2(args.run / "losses.png", args.out / "losses.png")
    (args.out / CARD).write_text(json.dumps(asdict(card), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps({"bytes": len(content), "sha256": card.sha256}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
