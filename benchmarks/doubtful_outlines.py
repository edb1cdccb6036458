"""What is seen of a wrong outline: how much do a kept shadow and the choice of the background hide of it?

    python -m benchmarks.doubtful_outlines --renders DIR... [--rows rows.jsonl] [--count N]

DIR holds <product>/{white,plain}.jpg with alpha.png (`benchmarks.render_products`). Each is cut out by the segment
stage, and studio candidates are painted around it as the night does: in the light of the original, and with painted
shadows alone. What is seen of a candidate is the distance in Oklab between the composite and what the exact matte would
have given before it, over a strip along the outline, where more than a pixel's width of the matte is wrong. Rows go to
a file while it runs, and a second call adds what is missing.
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
from transforms.background import BackgroundSettings, best_candidate, told
from transforms.inference.contracts import bucket_of
from transforms.inference.interface import InferenceClient
from transforms.laying import Laid, lay_original, lay_product
from transforms.ops.compositing import compose_over
from transforms.ops.framing import FramingLimits, place_product
from transforms.ops.geometry import lay, resample_matte
from transforms.ops.mask_metrics import iou
from transforms.ops.matting import estimate_foreground
from transforms.ops.oklab import to_oklab
from transforms.ops.ranking import rank_candidates
from transforms.prompts import prompts_of
from transforms.records import Cutout, Job, Mask, Matte, Pixels, Size
from transforms.seeds import seeds_of
from transforms.segment import cut_out

_SEED, _MOST = 3, 8
_WEIGHTS = (0.0, 2.0, 6.0, 12.0)
_POOR = 0.9  # IoU
_STRIP = 6  # pixels, a candidate's
_PAINTER = "studio"
_SHADOWS = ("kept", "painted")
_FRAMING = FramingLimits(max_upscale=8.0)  # renders of some 500 pixels are stretched over the placement here
_SETTINGS = BackgroundSettings(min_reward=0.0, framing=_FRAMING)


def measured(picture: Path, models: InferenceClient, painters: LocalClient) -> dict[str, Any] | None:
    """A row: the mask's IoU, and by shadow of every candidate its reward, its visible doubt, and what is seen.

    None where the stage refuses the mask.
    """
    pixels, truth = read_render(picture, picture.with_name("alpha.png"))
    job = product_job(picture, "", _SEED)
    assert job.image is not None
    job = replace(job, cutout=cut_out(replace(job.image, alpha=None), models))
    assert job.cutout is not None
    if not job.cutout.mask.any():
        return None
    exact = replace(job.cutout, foreground=estimate_foreground(pixels, truth), alpha=truth)
    figures = {shadow: _candidates(job, exact, painters, shadow == "kept") for shadow in _SHADOWS}
    key = f"{picture.parent.name}/{picture.stem}"
    return {"key": key, "iou": iou(job.cutout.mask, truth >= 0.5), **figures}


def _candidates(job: Job, exact: Cutout, painters: LocalClient, kept: bool) -> dict[str, list[float]]:
    assert job.image is not None and job.cutout is not None and job.placement is not None
    size, pixels = job.placement.size, job.image.pixels
    transform = place_product(job.image.size, job.cutout.box, job.placement, _FRAMING)
    laid, ideal = (lay_product(cutout, transform, size) for cutout in (job.cutout, exact))
    originals = [lay_original(pixels, c, transform, each, kept) for c, each in ((job.cutout, laid), (exact, ideal))]
    words, seeds = prompts_of(job.product).prompts, seeds_of(job.product, _MOST, ())
    words = tuple(told(word, originals[0], _SETTINGS) for word in words)
    briefs = tuple((words[index % len(words)], seed) for index, seed in enumerate(seeds))
    painters.candidates.clear()
    best_candidate(painters, _PAINTER, laid, briefs, _SETTINGS, originals[0])
    bucket, candidates = bucket_of(Size(*size)), list(painters.candidates)
    small, ideal, around, ideal_around = (each.shrunk(bucket) for each in (laid, ideal, *originals))
    shaded = [around.over(candidate) for candidate in candidates]
    ranked = sorted(rank_candidates(small.image, small.product, shaded, around.doubt))
    share, _ = lay(resample_matte(errors_of(job.cutout, exact.alpha), transform.scaled), transform, size, 0.0)
    wrong = cv2.resize(share, bucket[::-1], interpolation=cv2.INTER_AREA) > 0
    pairs = zip(shaded, map(ideal_around.over, candidates), strict=True)
    return {
        "rewards": [entry.reward for entry in ranked],
        "doubts": [entry.visible_doubt for entry in ranked],
        "seen": [shown(over(small, backdrop), over(ideal, true), wrong, small.product) for backdrop, true in pairs],
    }


def errors_of(cutout: Cutout, truth: Matte) -> Matte:
    """How far the matte is from the exact one, float32 [H, W], where more than a pixel's width is wrong."""
    wrong = (cutout.mask != (truth >= 0.5)).astype(np.uint8)
    opened = cv2.morphologyEx(wrong, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    return np.where(opened, np.abs(cutout.alpha - truth), 0).astype(np.float32)


def over(laid: Laid, backdrop: Pixels) -> Pixels:
    """A laid product before a backdrop, uint8 [h, w, 3]."""
    alpha = laid.product.astype(np.float32) / np.float32(255)
    return compose_over(laid.image, laid.image, alpha, backdrop, alpha >= 1)


def shown(picture: Pixels, true: Pixels, wrong: Mask, product: Pixels) -> float:
    """How far a picture is from the true one where the matte is wrong: mean Oklab distance over a strip, in 100ths."""
    solid = (product > 127).astype(np.uint8)
    length = float((solid - cv2.erode(solid, np.ones((3, 3), np.uint8))).sum())
    apart = np.linalg.norm(to_oklab(picture[wrong]) - to_oklab(true[wrong]), axis=1)
    return float(100 * apart.sum() / max(1.0, _STRIP * length))


def chosen(row: dict[str, Any], weight: float, count: int) -> int:
    """The candidate that would win among the first `count`; `row`: a row's figures with one kind of shadow."""
    merits = np.array(row["rewards"][:count]) - weight * np.array(row["doubts"][:count])
    return int(np.argmax(merits))


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    """By shadow, number of candidates and weight: what is seen, and what it costs in reward."""
    good = np.array([row["iou"] >= _POOR for row in rows], bool)
    print(
        f"| shadow | candidates | weight | seen: {good.sum()} good masks | their worst tenth "
        f"| {(~good).sum()} poor masks | reward |"
    )
    print(f"|{'---|' * 7}")
    for shadow in reversed(_SHADOWS):
        for count in (4, _MOST):
            for weight in _WEIGHTS:
                picks = [(row[shadow], chosen(row[shadow], weight, count)) for row in rows]
                seen, reward = (np.array([row[name][i] for row, i in picks]) for name in ("seen", "rewards"))
                worst = np.percentile(seen[good], 90) if good.any() else np.nan
                means = (float(part.mean()) if part.size else np.nan for part in (seen[good], seen[~good]))
                first, second = means
                figures = f"{first:.2f} | {worst:.2f} | {second:.2f} | {reward.mean():.3f}"
                print(f"| {shadow} | {count} | {weight:g} | {figures} |")


def pictures_of(folders: Sequence[Path]) -> Iterator[Path]:
    """Every finished render before a white or plain backdrop."""
    for folder in folders:
        for alpha in sorted(folder.glob("*/alpha.png")):
            if alpha.parent.suffix != ".partial":
                yield from (path for name in ("white", "plain") if (path := alpha.with_name(f"{name}.jpg")).exists())


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
