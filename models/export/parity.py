"""How far an engine's answers are from ONNX Runtime's in fp32.

Run as a script against any server::

    python -m models.export.parity --triton HOST:PORT --images FOLDER
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from PIL import Image

from models.command import told
from models.export.onnx import GRAPHS
from models.serving.engines import load_engine, run_fixed
from transforms.inference.client import TritonClient
from transforms.inference.config import ServingConfig
from transforms.inference.contracts import CONTRACTS

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class Parity(NamedTuple):
    """How far answers are from their reference.

    Attributes:
        largest, mean: absolute difference over all values.
        least_iou: the least IoU of an item's map at 0.5, over items whose reference is not empty; 1 without maps.
    """

    largest: float
    mean: float
    least_iou: float


def parity_of(answer: NDArray[np.float32], reference: NDArray[np.float32]) -> Parity:
    """Compare two batches of one shape, batch dimension first."""
    difference = np.abs(answer - reference)
    iou = _least_iou(answer > 0.5, reference > 0.5) if answer.ndim == 4 else 1.0
    return Parity(float(difference.max()), float(difference.mean()), iou)


def _least_iou(masks: NDArray[np.bool_], truths: NDArray[np.bool_]) -> float:
    axes = tuple(range(1, masks.ndim))
    held = truths.any(axes)
    ratios = (masks & truths).sum(axes)[held] / (masks | truths).sum(axes)[held]
    return float(ratios.min(initial=1.0))


def load_images(folder: Path, side: int, limit: int, channels: int = 3) -> NDArray[np.uint8]:
    """Up to `limit` images below `folder`, uint8 [N, side, side, channels]; what Pillow cannot read is left out.

    Channels beyond the third, where a model takes clues beside a picture, are the picture's own again.
    """
    images: list[NDArray[np.uint8]] = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES):
        try:
            with Image.open(path) as image:
                images.append(np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)))
        except (OSError, ValueError, Image.DecompressionBombError):
            continue
        if len(images) == limit:
            break
    return np.stack(images)[..., np.arange(channels) % 3]


def reference_answers(model: str, images: NDArray[np.uint8], threads: int = 2) -> NDArray[np.float32]:
    """What ONNX Runtime answers in fp32, one image at a time."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.onnx"
        onnx.save(GRAPHS[model](1), path)
        return run_fixed(load_engine(path, "onnxruntime", "fp32", threads), images, 1)


def served_answers(client: TritonClient, model: str, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a server answers, one image at a time."""
    output = CONTRACTS[model].outputs[0].name
    return np.concatenate([client.infer(model, {"IMAGE": image[None]})[output] for image in images])


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.export.parity", description=__doc__)
    parser.add_argument("--triton", required=True, help="host:port of a server's gRPC service")
    parser.add_argument("--images", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--limit", type=int, default=24, help="pictures at most (default %(default)s)")
    options = parser.parse_args(arguments)
    client = TritonClient(ServingConfig((options.triton,)))
    for model in GRAPHS:
        side, _, channels = CONTRACTS[model].inputs[0].shape
        images = load_images(options.images, side, options.limit, channels)
        parity = parity_of(served_answers(client, model, images), reference_answers(model, images))
        sys.stdout.write(f"{model}: {parity}\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
