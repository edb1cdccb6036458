"""What it brings that different products share a Canvas painter's batches, and whether larger batches would pay.

    python benchmarks/canvas_batching.py --weights DIR [--candidates 1,2,4] [--clients 1,4] [--height 96 --width 80]
    python benchmarks/canvas_batching.py --weights DIR --batches 1,2,4,8

The first line starts two servers with the same weights (a folder of `models.export.canvas`), one of which keeps
requests apart, and asks both in turn: requests a second, the median over rounds, and their ratio. The second needs no
server: CPU seconds a candidate where the networks always run so many at once. Weights and pictures may be small: read
the ratios.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tritonclient.grpc as triton
from google.protobuf import text_format
from numpy.typing import NDArray

from models.export.repository import SOURCE, read_config
from models.serving.painter import load_painter
from pipelines.embedded import EmbeddedServer
from transforms.inference.client import TritonClient
from transforms.inference.config import ServingConfig

MODEL = "canvas_background"
Tensors = dict[str, NDArray[Any]]


class Served(NamedTuple):
    """A server and its client."""

    server: EmbeddedServer
    client: TritonClient

    def executions(self) -> int:
        """How often the model ran so far."""
        with triton.InferenceServerClient(self.server.address) as asking:
            return int(asking.get_inference_statistics(MODEL).model_stats[0].execution_count)


def build(target: Path, weights: Path, *, shared: bool) -> Path:
    """A repository of the painter alone under `target`; where not `shared`, each request is a batch of its own."""
    shutil.copytree(SOURCE / MODEL, target / MODEL, ignore=shutil.ignore_patterns("weights"))
    shutil.copytree(weights, target / MODEL / "1" / "weights")
    if not shared:
        path = target / MODEL / "config.pbtxt"
        config = read_config(path)
        config.ClearField("dynamic_batching")
        path.write_text(text_format.MessageToString(config))
    return target


def request_of(product: int, candidates: int, height: int, width: int) -> Tensors:
    """The candidates of one product."""
    rng = np.random.Generator(np.random.Philox(product))
    known = np.zeros((height, width, 1), np.uint8)
    known[height // 4 : -height // 4, width // 4 : -width // 4] = 255
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    planes = {"IMAGE": image, "PRODUCT": known, "KNOWN": known}
    return {
        **{name: np.repeat(plane[None], candidates, axis=0) for name, plane in planes.items()},
        "PROMPT": np.array([["oak floor, soft light"]] * candidates, object),
        "SEED": rng.integers(0, 2**31, (candidates, 1)),
    }


def rate(served: Served, requests: Sequence[Tensors], clients: int) -> tuple[float, float]:
    """(requests a second, requests an execution) where `clients` threads ask."""
    before, began = served.executions(), time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda request: served.client.infer(MODEL, request), requests))
    sec = time.monotonic() - began
    return len(requests) / sec, len(requests) / (served.executions() - before)


def compare(weights: Path, args: argparse.Namespace) -> None:
    """Print the table of the first line."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        both = []
        for shared in (False, True):
            source = build(Path(folder) / f"shared-{shared}", weights, shared=shared)
            server = stack.enter_context(EmbeddedServer(source, cache=Path(folder) / "cache", instance_factor=1))
            both.append(Served(server, TritonClient(ServingConfig((server.address,)))))
        print("| candidates a request | clients | apart, requests/s | shared | ratio | requests a batch |")
        print("|---|---|---|---|---|---|")
        for candidates in args.candidates:
            requests = [request_of(product, candidates, args.height, args.width) for product in range(args.requests)]
            for served in both:
                served.client.infer(MODEL, requests[0])  # compiles the graphs for this size
            for clients in args.clients:
                rounds = [[rate(served, requests, clients) for served in both] for _ in range(args.rounds)]
                apart, shared = (statistics.median(pair[side][0] for pair in rounds) for side in (0, 1))
                ratio = statistics.median(pair[1][0] / pair[0][0] for pair in rounds)
                joined = statistics.median(pair[1][1] for pair in rounds)
                print(f"| {candidates} | {clients} | {apart:.2f} | {shared:.2f} | {ratio:.2f} | {joined:.2f} |")


def sizes(weights: Path, args: argparse.Namespace) -> None:
    """Print the table of the second line."""
    print("| fixed batch | CPU s a candidate |\n|---|---|")
    for batch in args.batches:
        paint = load_painter(weights, batch, threads=1)
        asked = request_of(0, batch, args.height, args.width)
        prompts, seeds = ["oak floor, soft light"] * batch, list(range(batch))
        costs = []
        for _ in range(args.rounds + 1):  # the first compiles
            began = time.process_time()
            paint(asked["IMAGE"], asked["KNOWN"][..., 0], prompts, seeds)
            costs.append((time.process_time() - began) / batch)
        print(f"| {batch} | {min(costs[1:]):.4f} |")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=SOURCE / MODEL / "1" / "weights", help="an exported variant")
    parser.add_argument("--candidates", type=_numbers, default=(1, 2, 4), help="of a request, comma-separated")
    parser.add_argument("--clients", type=_numbers, default=(1, 4), help="threads that ask, comma-separated")
    parser.add_argument("--batches", type=_numbers, default=(), help="fixed batches to run without a server")
    parser.add_argument("--requests", type=int, default=24, help="of a round (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="default %(default)s")
    parser.add_argument("--height", type=int, default=608)
    parser.add_argument("--width", type=int, default=416)
    args = parser.parse_args()
    (sizes if args.batches else compare)(args.weights, args)


if __name__ == "__main__":
    main()
