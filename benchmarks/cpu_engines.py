"""Which CPU engine serves which model: ONNX Runtime or OpenVINO, fp32 or bf16.

For each engine model: wall and CPU milliseconds an image (the least of several rounds; CPU time is the reliable
figure on a shared machine), and how far the answer is from ONNX Runtime's in fp32: the largest difference over all
values, their mean, and for the segmenter the least IoU of the masks at 0.5. Then the segmenter at
other batch sizes::

    python benchmarks/cpu_engines.py --images FOLDER [--threads 2] [--rounds 5]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray

from models.export.onnx import GRAPHS
from models.export.parity import load_images, parity_of
from models.serving.engines import Engine, load_engine, run_fixed
from transforms.inference.contracts import CONTRACTS

ENGINES = (("onnxruntime", "fp32"), ("openvino", "fp32"), ("openvino", "bf16"))


class Cost(NamedTuple):
    """Milliseconds an image."""

    wall_msec: float
    cpu_msec: float


def cost_of(run: Callable[[], object], images: int, rounds: int) -> Cost:
    """The least cost of `rounds` runs over `images` images."""
    costs = []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        costs.append((time.perf_counter() - wall, time.process_time() - cpu))
    return Cost(*(1000 * min(values) / images for values in zip(*costs, strict=True)))


def compare(model: str, folder: Path, threads: int, rounds: int, limit: int) -> None:
    """Print the engines' figures for one model."""
    side, _, channels = CONTRACTS[model].inputs[0].shape
    images = load_images(folder, side, limit, channels)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.onnx"
        onnx.save(GRAPHS[model](1), path)
        reference = run_fixed(load_engine(path, "onnxruntime", "fp32", threads), images, 1)
        for engine, precision in ENGINES:
            _tell(model, engine, precision, load_engine(path, engine, precision, threads), images, reference, rounds)


def _tell(
    model: str,
    name: str,
    precision: str,
    engine: Engine,
    images: NDArray[np.uint8],
    reference: NDArray[np.float32],
    rounds: int,
) -> None:
    answer = run_fixed(engine, images, 1)
    cost = cost_of(lambda: run_fixed(engine, images[:4], 1), len(images[:4]), rounds)
    far = parity_of(answer, reference)
    iou = f"{far.least_iou:.4f}" if answer.ndim == 4 else "-"
    figures = f"{cost.wall_msec:.0f} | {cost.cpu_msec:.0f} | {far.largest:.2g} | {far.mean:.2g} | {iou}"
    print(f"| {model} ({len(images)} images) | {name} {precision} | {figures} |", flush=True)


def compare_batches(folder: Path, threads: int, rounds: int) -> None:
    """Print what larger fixed batches of the segmenter save, with its chosen engine."""
    contract = CONTRACTS["segmenter"]
    for batch in (1, 2, 4, 8):
        images = load_images(folder, 320, batch)
        images = np.resize(images, (batch, *images.shape[1:]))
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "model.onnx"
            onnx.save(GRAPHS["segmenter"](batch), path)
            engine = load_engine(path, contract.cpu_engine, contract.cpu_precision, threads)
            engine(images)
            cost = cost_of(lambda engine=engine, images=images: engine(images), batch, rounds)
        print(f"| {batch} | {cost.wall_msec:.0f} | {cost.cpu_msec:.0f} |", flush=True)


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, default=Path("examples/catalog/images"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=24, help="images compared (default %(default)s)")
    options = parser.parse_args()
    print("| model | engine | ms | CPU ms | max difference | mean | least IoU |\n|---|---|---|---|---|---|---|")
    for model in GRAPHS:
        compare(model, options.images, options.threads, options.rounds, options.limit)
    print("\n| segmenter, batch | ms an image | CPU ms an image |\n|---|---|---|")
    compare_batches(options.images, options.threads, options.rounds)


if __name__ == "__main__":
    main()
