"""Writes a trained text encoder as the files that are served, with their card.

    python -m models.export.text_encoder --run DIR --out models/weights/text_encoder [--metrics FILE]

The graph takes tokens int64 [B, 32] and mask float32 [B, 32] and answers sequence float32 [B, 32, 128] and sentence
float32 [B, 128]. `--metrics` is what `python -m benchmarks.text_encoder --json` wrote: it becomes the card's figures.
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
from models.serving.text import MAX_TOKENS
from models.text_encoder import Distilled, TextEncoder, TextEncoderSpec


def load_average(run: Path) -> TextEncoder:
    """The averaged encoder of a run, ready to answer."""
    spec = TextEncoderSpec(**json.loads((run / "recipe.json").read_text(encoding="utf-8"))["spec"])
    model = Distilled(spec)
    model.load_state_dict(torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)["average"])
    return model.encoder.eval()


def exported(encoder: TextEncoder) -> onnx.ModelProto:
    """`encoder` as ONNX with weights in half precision."""
    inputs = {"tokens": torch.zeros(2, MAX_TOKENS, dtype=torch.int64), "mask": torch.ones(2, MAX_TOKENS)}
    sizes = {0: "batch"}
    dynamic = dict.fromkeys((*inputs, "sequence", "sentence"), sizes)
    return graph_of(encoder, inputs, ("sequence", "sentence"), dynamic)


def card_of(run: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """What `card.json` says beside the digests."""
    told = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    return {
        "name": "text_encoder",
        "purpose": "conditions the project's generators on prompts: a vector a token and one a sentence",
        "data": f"{told['sentences']} sentences written from word lists (models/data/sentences.py) and the names of "
        "Sweet Home 3D's furniture; no other text",
        "licence": "Apache-2.0; distilled from sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)",
        "recipe": {**told["recipe"], **told["spec"], "command": "python -m models.training.train_text_encoder"},
        "seed": told["recipe"]["seed"],
        "metrics": metrics,
        "limits": "English, of products, rooms, surfaces, colours and light; other words are spelled piece by piece "
        "and mean little; 32 tokens",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.export.text_encoder", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--metrics", type=Path, help="figures for the card")
    args = parser.parse_args(arguments)
    files = {
        "text_encoder.onnx": exported(load_average(args.run)).SerializeToString(deterministic=True),
        "tokenizer.json": (args.run / "tokenizer.json").read_bytes(),
    }
    sys.stdout.write(deliver(args, card_of, files))
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
