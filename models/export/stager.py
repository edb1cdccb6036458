"""Writes a trained stager as the ONNX file that is served, with its card.

    python -m models.export.stager --run DIR --out models/weights/stager [--metrics FILE]

The file holds the averaged weights in half precision, each widened where it is used. Input `shown`: the planes of
`transforms.ops.staging`, float32 [B, 13, h, w] in [0, 255], sides divisible by 16; output `change`: float32
[B, 3, h, w]. `--metrics` names held-out figures, a JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch

from models.command import told
from models.export.cards import deliver
from models.export.torch_graph import graph_of
from models.serving.stager import FILE
from models.stager import Stager
from transforms.ops.staging import SHOWN, SIDE


def load_average(checkpoint: Path) -> Stager:
    """The averaged network of a checkpoint, ready to answer."""
    network = Stager()
    network.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["average"])
    return network.eval()


def exported(network: Stager) -> onnx.ModelProto:
    """`network` as ONNX with weights in half precision."""
    sizes = {0: "batch", 2: "height", 3: "width"}
    # odd grids, so that what halves and doubles sizes is kept in the graph
    inputs = {"shown": torch.zeros(1, SHOWN, SIDE, SIDE - 96)}
    return graph_of(network, inputs, ("change",), {"shown": sizes, "change": sizes})


def card_of(run: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """What `card.json` says beside the digests."""
    told = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    return {
        "name": "stager",
        "purpose": "the light of an empty set with a product put into it: shadows, reflections, glow",
        "data": {
            "scenes": "rendered by models/data/scenes.py of Sweet Home 3D's models (CC0 and CC-BY-3.0), with and"
            " without their products; none that a benchmark shows",
            "sets": "the same command with --sets: single products in the studio's own sets",
        },
        "licence": "Apache-2.0; trained from nothing; none of the pictures is part of it",
        "recipe": {**told, "command": "python -m models.training.train_stager"},
        "seed": told["seed"],
        "metrics": metrics,
        "limits": "304 pixels a side; light comes from where it is told; a product is known by its silhouette and its"
        " front alone",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.export.stager", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--metrics", type=Path, help="figures for the card")
    args = parser.parse_args(arguments)
    content = exported(load_average(args.run / "checkpoint.pt")).SerializeToString(deterministic=True)
    sys.stdout.write(deliver(args, card_of, {FILE: content}))
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
