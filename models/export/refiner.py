"""Writes a trained mask refiner as the ONNX file that is served, with its card.

    python -m models.export.refiner --run DIR --out models/weights/mask_refiner [--metrics FILE]

The file holds the averaged weights in half precision, each widened where it is used. Input: RGB and clues in [0, 255],
float32 [B, 8, 512, 512]; output: the probability of "product", float32 [B, 1, 512, 512]. `--metrics` names held-out
figures, a JSON object.
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
from torch import Tensor, nn

from models.command import told
from models.export.cards import deliver
from models.export.torch_graph import graph_of
from models.refiner import Refiner
from transforms.ops.clues import CLUES

_SIDE = 512


class _Chance(nn.Module):
    def __init__(self, network: Refiner) -> None:
        super().__init__()
        self.network = network

    def forward(self, shown: Tensor) -> Tensor:
        return torch.sigmoid(self.network(shown))


def load_average(checkpoint: Path) -> Refiner:
    """The averaged network of a checkpoint, ready to answer."""
    network = Refiner()
    network.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["average"])
    return network.eval()


def exported(network: Refiner) -> onnx.ModelProto:
    """`network` as ONNX with weights in half precision."""
    sizes = {0: "batch"}
    inputs = {"shown": torch.zeros(1, 3 + CLUES, _SIDE, _SIDE)}
    return graph_of(_Chance(network).eval(), inputs, ("chance",), {"shown": sizes, "chance": sizes})


def card_of(run: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """What `card.json` says beside the digests."""
    told = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    return {
        "name": "mask_refiner",
        "purpose": "corrects a product's probability along its edges, before a smooth backdrop",
        "data": {
            "renders": "Sweet Home 3D's models (CC0 and CC-BY-3.0) before sweeps, by benchmarks/render_products.py, "
            "as the segment stage sees them (models/data/clues.py); none that a benchmark shows",
            "compositions": "the same before drawn sweeps",
        },
        "licence": "Apache-2.0; trained from nothing; none of the pictures is part of it",
        "recipe": {**told, "command": "python -m models.training.train_refiner"},
        "seed": told["seed"],
        "metrics": metrics,
        "limits": "512 pixels a side; sees nothing that the networks and colour together gave no hint of",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.export.refiner", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--metrics", type=Path, help="figures for the card")
    args = parser.parse_args(arguments)
    content = exported(load_average(args.run / "checkpoint.pt")).SerializeToString(deterministic=True)
    sys.stdout.write(deliver(args, card_of, {"mask_refiner.onnx": content}))
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
