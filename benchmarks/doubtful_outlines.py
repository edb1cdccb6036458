"""Does it pay to choose backgrounds before which a doubtful outline shows least? Exact mattes say what is seen.

    python -m benchmarks.doubtful_outlines --renders DIR... [--rows rows.jsonl] [--count N]

DIR holds <product>/{white,plain}.jpg with alpha.png (`benchmarks.render_products`). Each is cut out by the segment
stage, and studio candidates are painted around it as the night does. What is seen of a candidate is the distance in
Oklab between the composite and what the exact matte would have given, over a strip along the outline; errors of a
pixel's width are nobody's. Rows go to a file while it runs, and a second call adds what is missing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.local_models import local_client
from benchmarks.local_painters import LocalClient
from benchmarks.painters.products import product_job
from benchmarks.segmentation import read_render
from transforms.background import BackgroundSettings, best_candidate, lay_doubt, lay_product
from transforms.inference.contracts import bucket_of
from transforms.inference.interface import InferenceClient
from transforms.ops.doubt import Doubt, visible_doubt
from transforms.ops.framing import FramingLimits, place_product
from transforms.ops.mask_metrics import iou
from transforms.ops.ranking import rank_candidates
from transforms.prompts import prompts_of
from transforms.records import Cutout, Job, Matte, Pixels, Size
from transforms.seeds import seeds_of
from transforms.segment import cut_out

_SEED, _MOST = 3, 8
_WEIGHTS = (0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0)
_POOR = 0.9  # IoU
_FRAMING = FramingLimits(max_upscale=8.0)  # renders of some 500 pixels are stretched over the placement here
_SETTINGS = BackgroundSettings(min_reward=0.0, framing=_FRAMING)


def measured(picture: Path, models: InferenceClient, painters: LocalClient) -> dict[str, Any] | None:
    """A row: the mask's IoU, and of every candidate its reward, its visible doubt, and what is seen; None: no mask."""
    pixels, truth = read_render(picture, picture.with_name("alpha.png"))
    job = product_job(picture.with_name("white.jpg"), "", _SEED)
    assert job.image is not None
    job = replace(job, image=replace(job.image, pixels=pixels))
    job = replace(job, cutout=cut_out(replace(job.image, alpha=None), models))
    assert job.cutout is not None
    if not job.cutout.mask.any():  # refused by the stage
        return None
    rewards, doubts, seen = _candidates(job, truth, painters)
    key = f"{picture.parent.name}/{picture.stem}"
    return {
        "key": key,
        "iou": iou(job.cutout.mask, truth >= 0.5),
        "rewards": rewards,
        "doubts": doubts,
        "seen": seen,
    }


def _candidates(job: Job, truth: Matte, painters: LocalClient) -> tuple[list[float], list[float], list[float]]:
    assert job.image is not None and job.cutout is not None and job.placement is not None
    prompts, seeds = prompts_of(job.product).prompts, seeds_of(job.product, _MOST, ())
    briefs = tuple((prompts[index % len(prompts)], seed) for index, seed in enumerate(seeds))
    size = job.placement.size
    transform = place_product(job.image.size, job.cutout.box, job.placement, _FRAMING)
    laid, bucket = lay_product(job.cutout, transform, size), bucket_of(Size(*size))
    doubt = lay_doubt(job.image.pixels, job.cutout, transform, size)
    wrong = lay_doubt(job.image.pixels, replace(job.cutout, doubt=errors_of(job.cutout, truth)), transform, size)
    assert doubt is not None and wrong is not None
    painters.candidates.clear()
    best_candidate(painters, "studio", laid, briefs, _SETTINGS, doubt)
    small, pixels = laid.shrunk(bucket), list(painters.candidates)
    ranked = sorted(rank_candidates(small.image, small.product, pixels, doubt.shrunk(bucket)))
    return (
        [entry.reward for entry in ranked],
        [entry.visible_doubt for entry in ranked],
        shown(wrong.shrunk(bucket), pixels, small.product),
    )


def errors_of(cutout: Cutout, truth: Matte) -> Pixels:
    """How far the matte is from the exact one, uint8 [H, W] in 255ths, where more than a pixel's width is wrong."""
    wrong = (cutout.mask != (truth >= 0.5)).astype(np.uint8)
    opened = cv2.morphologyEx(wrong, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    return np.rint(np.where(opened, np.abs(cutout.alpha - truth), 0) * 255).astype(np.uint8)


def shown(wrong: Doubt, candidates: Sequence[Pixels], product: Pixels) -> list[float]:
    """What is seen of these errors before each candidate: mean Oklab distance over a strip of 6 pixels, in 100ths."""
    solid = (product > 127).astype(np.uint8)
    length = float((solid - cv2.erode(solid, np.ones((3, 3), np.uint8))).sum())
    # `visible_doubt` reads shares as twice a probability; an error is certain
    return [200 * visible_doubt(wrong, candidate, 6 * length) for candidate in candidates]


def chosen(row: dict[str, Any], weight: float, count: int) -> int:
    """The candidate that would win among the first `count`."""
    merits = np.array(row["rewards"][:count]) - weight * np.array(row["doubts"][:count])
    return int(np.argmax(merits))


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    """By weight and number of candidates: what is seen, and what it costs in reward."""
    good = [row for row in rows if row["iou"] >= _POOR]
    poor = [row for row in rows if row["iou"] < _POOR]
    print(
        f"| candidates | weight | seen: {len(good)} good masks | their worst tenth | {len(poor)} poor masks | reward |"
    )
    print(f"|{'---|' * 6}")
    for count in (4, _MOST):
        for weight in _WEIGHTS:
            picks = [(row, chosen(row, weight, count)) for row in rows]
            seen = [
                np.array([r["seen"][i] for r, i in picks if (r["iou"] >= _POOR) == is_good])
                for is_good in (True, False)
            ]
            reward = np.mean([r["rewards"][i] for r, i in picks])
            figures = f"{seen[0].mean():.2f} | {np.percentile(seen[0], 90):.2f} | {seen[1].mean():.2f} | {reward:.3f}"
            print(f"| {count} | {weight:g} | {figures} |")


def pictures_of(folders: Sequence[Path]) -> Iterator[Path]:
    """Every finished render before a white or plain backdrop."""
    for folder in folders:
        for alpha in sorted(folder.glob("*/alpha.png")):
            if alpha.parent.suffix != ".partial" and alpha.with_name("white.jpg").exists():
                yield from (
                    alpha.with_name(f"{name}.jpg")
                    for name in ("white", "plain")
                    if alpha.with_name(f"{name}.jpg").exists()
                )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doubtful_outlines", description=__doc__)
    parser.add_argument("--renders", type=Path, nargs="+", required=True, help="folders of renders")
    parser.add_argument("--rows", type=Path, default=Path("rows.jsonl"), help="rows so far (default %(default)s)")
    parser.add_argument("--count", type=int, help="pictures at most (default all)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    lines = args.rows.read_text(encoding="utf-8").splitlines() if args.rows.exists() else []
    rows = [json.loads(line) for line in lines]
    known, models, painters = {row["key"] for row in rows}, local_client(), LocalClient()
    with args.rows.open("a", encoding="utf-8") as file:
        for picture in list(pictures_of(args.renders))[: args.count]:
            if f"{picture.parent.name}/{picture.stem}" not in known:
                row = measured(picture, models, painters)
                models.requests.clear()
                if row is not None:
                    rows.append(row)
                    print(json.dumps(row), file=file, flush=True)
    print_table(rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
