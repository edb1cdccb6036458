"""Fits how the network's word and the colours of a plain backdrop are weighed: the literal `_FUSION` of ops/masks.py.

    python -m benchmarks.fit_colour_evidence --renders DIR [--composed DIR]

Logistic regression on pixels of the tuning half, half of them drawn near the edges of the truth and of what the
networks saw. Pixels where the networks err are not sought out: a fit to those distrusts networks that are mostly right.
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
from transforms.looks import look
from transforms.ops.backdrop import describe_backdrop
from transforms.ops.mask_metrics import iou
from transforms.ops.masks import dilated, eroded, fusion_terms, gather_evidence, resized
from transforms.records import Mask, Pixels, Size

_FAR, _NEAR = 1000, 1000  # pixels drawn of each picture: anywhere, and near an edge
_REACH = 3  # of "near", in pixels at half the working size
_COMPOSED = 220  # pictures


class Taken(NamedTuple):
    """A picture's terms [h, w, T], the network's word [h, w], the truth [h, w], at half the working size."""

    split: str
    terms: NDArray[np.float16]
    coarse: NDArray[np.float32]
    truth: Mask


def main() -> None:
    """Fit, and print the coefficients with the IoU before and after."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--renders", type=Path, required=True, help="folder of rendered products")
    parser.add_argument("--composed", type=Path, help="cutouts of products of the tuning half, see `segmentation`")
    args = parser.parse_args()
    samples = [*rendered(args.renders), *(composed(args.composed, _COMPOSED) if args.composed else ())]
    takes = list(_takes(samples, local_client()))
    weights = fit_takes(takes)
    print(", ".join(f"{weight:.3f}" for weight in weights))
    for split in ("tuning", "held_out"):
        _report(split, [take for take in takes if take.split == split], weights)


def fit_takes(takes: list[Taken]) -> NDArray[np.float64]:
    """The terms' weights from the tuning half; the first term is the constant."""
    rng = np.random.Generator(np.random.Philox(0))
    drawn = [_draw(take, rng) for take in takes if take.split == "tuning"]
    table = np.concatenate([terms for terms, _ in drawn]).astype(np.float64)
    product = np.concatenate([truth for _, truth in drawn])
    bias, weights = fit(table[:, 1:], product, ridge=1e-4)
    return np.concatenate([[bias], weights])


def _takes(samples: Iterable[Sample], client: InferenceClient) -> Iterator[Taken]:
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
        terms = fusion_terms(coarse, gather_evidence(small, coarse, backdrop)).astype(np.float16)
        # every second row and column: 300 pictures' terms in full would fill 6 GB
        part = (slice(None, None, 2), slice(None, None, 2))
        yield Taken(split_of(sample.group), terms[part].copy(), coarse[part].copy(), truth[part].copy())


def _draw(take: Taken, rng: np.random.Generator) -> tuple[NDArray[np.float16], Mask]:
    edge = _ring(take.coarse > 0.5) | _ring(take.truth)
    chosen = rng.integers(0, edge.size, _FAR)
    if edge.any():
        chosen = np.concatenate([chosen, rng.choice(np.flatnonzero(edge), _NEAR)])
    return take.terms.reshape(-1, take.terms.shape[-1])[chosen], take.truth.ravel()[chosen]


def _ring(mask: Mask) -> Mask:
    return dilated(mask, _REACH) & ~eroded(mask, _REACH)


def _report(split: str, takes: list[Taken], weights: NDArray[np.float64]) -> None:
    before = [iou(take.coarse > 0.5, take.truth) for take in takes]
    after = [iou(take.terms.astype(np.float32) @ weights.astype(np.float32) > 0, take.truth) for take in takes]
    poor = f"{np.mean(np.less(before, 0.9)):.1%} -> {np.mean(np.less(after, 0.9)):.1%}"
    print(f"{split}: {len(takes)} pictures, IoU {np.mean(before):.4f} -> {np.mean(after):.4f}, poor {poor}")


if __name__ == "__main__":
    main()
