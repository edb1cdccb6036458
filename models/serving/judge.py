"""The shipped reward without torch: how likely a painted background is defective.

judge = load_judge()
product, background = judge(image, matte, candidate)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from models.export.cards import WEIGHTS, check_files
from models.serving.engines import Engine, load_engine
from transforms.ops.pairs import pair_of
from transforms.records import Pixels


class Verdict(NamedTuple):
    """Probabilities of a defect, in [0, 1]: of the product, and of its background."""

    product: float
    background: float


@dataclass(frozen=True)
class Judge:
    """A loaded reward; call it with a product's foreground, its alpha, and a backdrop, as `pair_of` takes them."""

    engine: Engine

    def __call__(self, image: Pixels, product: Pixels, candidate: Pixels) -> Verdict:
        """Judge one candidate."""
        scores = self.engine(pair_of(image, product, candidate)[None])[0]
        return Verdict(float(scores[0]), float(scores[1]))


def load_judge(folder: Path = WEIGHTS / "reward", threads: int = 1) -> Judge:
    """The reward of a folder with reward.onnx and card.json.

    Raises:
        ConfigError: a file is missing, or not the one that the card names.
    """
    check_files(folder)
    return Judge(load_engine(folder / "reward.onnx", "onnxruntime", "fp32", threads))
