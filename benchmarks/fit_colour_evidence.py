"""Fits how the network's word and the colours of a plain backdrop are weighed: the literal `_FUSION` of ops/masks.py.

    python -m benchmarks.fit_colour_evidence --renders DIR [--composed DIR]

Logistic regression on pixels of the tuning half (half of them drawn near the edge or where the network errs). Every
picture comes twice: as it is, and with the network's answer faded in smooth patches, as it fades white goods on white.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.fit_mask_gate import fit
from benchmarks.local_models import local_client
from benchmarks.segmentation import Sample, composed, rendered, split_of
from transforms.inference.interface import InferenceClient
from transforms.ops.backdrop import describe_backdrop
from transforms.ops.mask_metrics import iou
from transforms.ops.masks import FLAT, dilated, eroded, fusion_terms, gather_evidence, resized
from transforms.records import Mask, Pixels, Size
from transforms.segment import look

_FAR, _NEAR = 500, 1500  # pixels drawn of each picture: anywhere, and where it matters
_DISTANCE = 2  # which of the terms is log(1 + dE)
_COMPOSED = 90  # pictures
_FADED = 10  # of a faded picture, one in so many


class Taken(NamedTuple):
    """A picture's terms [h, w, T], the network's word [h, w], the truth [h, w], at half the working size."""

    split: str
    faded: bool
    terms: NDArray[np.float16]
    coarse: NDArray[np.float32]
    truth: Mask


def main() -> None:
    """Fit, and print the coefficients with the IoU before and after."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--renders", type=Path, required=True, help="folder of rendered products")
    parser.add_argument(
        "--shadows", type=float, default=1.0, help="share of shadow pixels kept, where shadows are hard"
    )
    parser.add_argument("--composed", type=Path, help="cutouts of products of the tuning half, see `segmentation`")
    args = parser.parse_args()
    samples = [*rendered(args.renders), *(composed(args.composed, _COMPOSED) if args.composed else ())]
    takes = list(_takes(samples, local_client()))
    weights = fit_takes(takes, args.shadows)
    print(", ".join(f"{weight:.3f}" for weight in weights))
    for split in ("tuning", "held_out"):
        for faded in (False, True):
            _report(split, faded, [take for take in takes if (take.split, take.faded) == (split, faded)], weights)


def fit_takes(takes: list[Taken], shadows: float = 1.0) -> NDArray[np.float64]:
    """The terms' weights from the tuning half; the first term is the constant.

    Rasterised shadows fall in hard steps, as an outline does; `shadows` < 1 keeps them from teaching that.
    """
    rng = np.random.Generator(np.random.Philox(0))
    drawn = [_draw(take, rng, shadows) for take in takes if take.split == "tuning"]
    table = np.concatenate([terms for terms, _ in drawn]).astype(np.float64)
    product = np.concatenate([truth for _, truth in drawn])
    bias, weights = fit(table[:, 1:], product, ridge=1e-5)
    return np.concatenate([[bias], weights])


def _takes(samples: Iterable[Sample], client: InferenceClient) -> Iterator[Taken]:
    rng = np.random.Generator(np.random.Philox(1))
    for sample in samples:
        if sample.backdrop == "scene":
            continue
        pixels, alpha = sample.read()
        backdrop = describe_backdrop(pixels)
        if not backdrop.plain:
            continue
        coarse = look(pixels, client).merged()
        size = Size(*coarse.shape)
        small: Pixels = cv2.resize(pixels, (size.width, size.height), interpolation=cv2.INTER_AREA)
        truth = resized(alpha, size) > 0.5
        for faded in (False, True):
            word = _fade(coarse, rng) if faded else coarse
            terms = fusion_terms(word, gather_evidence(small, word, backdrop)).astype(np.float16)
            # every second row and column: 300 pictures' terms in full would fill 6 GB
            part = (slice(None, None, 2), slice(None, None, 2))
            yield Taken(split_of(sample.group), faded, terms[part].copy(), word[part].copy(), truth[part].copy())


def _fade(coarse: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """`coarse` faded to between a tenth and all of itself in patches of about an eighth of the side."""
    knots = rng.random((9, 9), dtype=np.float32)
    field = cv2.resize(knots, coarse.shape[::-1], interpolation=cv2.INTER_CUBIC)
    keep = np.clip((field - 0.35) * 4, 0.1, 1.0)
    faded: NDArray[np.float32] = (coarse * keep).astype(np.float32)
    return faded


def _draw(take: Taken, rng: np.random.Generator, shadows: float) -> tuple[NDArray[np.float16], Mask]:
    guess = take.coarse > 0.5
    hard = np.flatnonzero((np.abs(take.coarse - take.truth) > 0.2) | (dilated(guess, 3) & ~eroded(guess, 3)))
    part = _FADED if take.faded else 1
    chosen = rng.integers(0, guess.size, _FAR // part)
    if hard.size:
        chosen = np.concatenate([chosen, rng.choice(hard, _NEAR // part)])
    terms, truth = take.terms.reshape(-1, take.terms.shape[-1])[chosen], take.truth.ravel()[chosen]
    kept = truth | (terms[:, _DISTANCE] < np.log1p(FLAT)) | (rng.random(len(truth)) < shadows)
    return terms[kept], truth[kept]


def _report(split: str, faded: bool, takes: list[Taken], weights: NDArray[np.float64]) -> None:
    before = [iou(take.coarse > 0.5, take.truth) for take in takes]
    after = [iou(take.terms.astype(np.float32) @ weights.astype(np.float32) > 0, take.truth) for take in takes]
    poor = f"{np.mean(np.less(before, 0.9)):.1%} -> {np.mean(np.less(after, 0.9)):.1%}"
    what = "faded" if faded else "as it is"
    print(f"{split} {what}: {len(takes)} pictures, IoU {np.mean(before):.4f} -> {np.mean(after):.4f}, poor {poor}")


if __name__ == "__main__":
    main()
