"""What does the whole cascade cost, on one core? Candidates, reward, the winner at full size, the cutout over it.

    python -m benchmarks.cascade --products DIR... [--canvas DIR] [--count 12] [--placement pinterest_standard]

DIR holds <product>/white.jpg with alpha.png (`benchmarks.render_products`) or RGBA cutouts. The served painters run in
this process, behind their contracts; networks and arithmetic have one thread each. Seconds are CPU, the mean of the
products.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.local_painters import LocalClient, Outputs, exported
from benchmarks.painters.products import drawn, product_job, products_of
from benchmarks.painters.prompts import plain_prompt, room_prompt
from models.serving.items import Answer, Item, answer_items
from models.serving.judge import Judge, load_judge
from transforms.background import BackgroundSettings, paint_background
from transforms.compose import ComposeSettings, compose_job
from transforms.errors import Rejected, Skipped
from transforms.inference.contracts import CONTRACTS
from transforms.inference.interface import Tensors
from transforms.judgement import JudgementSettings
from transforms.ops.backdrop import describe_backdrop
from transforms.ops.doubt import doubt_of
from transforms.ops.framing import FramingLimits
from transforms.ops.kept_shadow import bare_backdrop
from transforms.placements import PLACEMENTS
from transforms.records import Job

_STEPS = ("candidates", "reward", "upscale", "client", "whole")
_SEED = 5
# Renders of some 500 pixels are stretched over the placement here: what is painted does not depend on it.
_SETTINGS = BackgroundSettings(
    min_reward=0.0, framing=FramingLimits(max_upscale=8.0), judgement=JudgementSettings(True, 1.0, 1.0)
)


class TimedClient(LocalClient):
    """Real painters, and the CPU seconds that each served model took since `seconds` was emptied."""

    def __init__(self, canvas: Path | None, judge: Judge) -> None:
        answer = partial(_verdict, judge)
        super().__init__(canvas, {"reward": partial(answer_items, CONTRACTS["reward"], answer=answer)})
        self.seconds: Counter[str] = Counter()

    def infer(self, model: str, inputs: Tensors, *, deadline_sec: float | None = None) -> Outputs:
        """See `InferenceClient.infer`."""
        started = time.process_time()
        outputs = super().infer(model, inputs, deadline_sec=deadline_sec)
        self.seconds[model] += time.process_time() - started  # type: ignore[assignment]
        return outputs


def _verdict(judge: Judge, item: Item) -> Answer:
    said = judge(item["IMAGE"], item["PRODUCT"], item["CANDIDATE"])
    return {"PRODUCT_DEFECT": said.product, "BACKGROUND_DEFECT": said.background}


def cascade(job: Job, painter: str, client: TimedClient) -> dict[str, float]:
    """CPU seconds of one background by its steps; `client` is framing, laying, ranking and composing."""
    client.seconds.clear()
    client.candidates.clear()
    started = time.process_time()
    compose_job(paint_background(job, client, replace(_SETTINGS, painters=(painter,))), settings=ComposeSettings())
    whole = time.process_time() - started
    served = [float(client.seconds[name]) for name in (painter, "reward", f"{painter}_upscale")]
    return dict(zip(_STEPS, (*served, whole - sum(served), whole), strict=True))


def jobs_of(paths: Iterator[Path], placement: str, *, room: bool) -> Iterator[Job]:
    """The products, to be painted at a placement's full size, before a plain set or in a room."""
    for number, path in enumerate(paths):
        job = product_job(path, "", _SEED)
        asked = room_prompt(job.product.title, number, _SEED) if room else plain_prompt(number, _SEED)
        assert job.cutout is not None and job.image is not None
        pixels, alpha = job.image.pixels, job.cutout.alpha
        bare = bare_backdrop(pixels, alpha, describe_backdrop(pixels))
        cutout = replace(job.cutout, doubt=doubt_of(alpha), bare=bare)  # as the segment stage brings them along
        product = replace(job.product, prompt=asked.words)
        yield replace(job, product=product, cutout=cutout, placement=PLACEMENTS[placement])


def measured(folders: list[Path], painter: str, client: TimedClient, args: argparse.Namespace, *, room: bool) -> str:
    """A row of the table."""
    paths = drawn(products_of(folders), _SEED)
    rows: list[dict[str, float]] = []
    for job in jobs_of(paths, args.placement, room=room):
        try:
            rows.append(cascade(job, painter, client))
        except (Skipped, Rejected):
            continue
        if len(rows) == args.count + 1:
            break
    warm = rows[1:]  # the first one loads what is kept
    name = f"`{painter}`, {'rooms' if room else 'plain sets'}"
    means = (np.mean([row[step] for row in warm]) for step in _STEPS)
    return f"| {name} | {len(warm)} | " + " | ".join(f"{mean:.2f}" for mean in means) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cascade", description=__doc__)
    parser.add_argument("--products", type=Path, nargs="+", required=True, help="folders of products")
    parser.add_argument("--canvas", type=Path, help="folder of exported Canvas weights")
    parser.add_argument("--count", type=int, default=12, help="products (default %(default)s)")
    parser.add_argument("--placement", default="pinterest_standard", choices=sorted(PLACEMENTS))
    args = parser.parse_args()
    cv2.setNumThreads(1)
    client = TimedClient(args.canvas, load_judge())
    diffusion = [name for name in exported(args.canvas) if name == "canvas_background"]
    print(f"| painter | products | {' | '.join(_STEPS)} |\n|{'---|' * (len(_STEPS) + 2)}")
    with threadpool_limits(1):
        for painter in ("studio", "canvas_staging", *diffusion):
            for room in (False, True):
                print(measured(args.products, painter, client, args, room=room), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
