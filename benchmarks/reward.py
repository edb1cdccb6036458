"""How well the reward tells defects, on products that it has not seen, and on kinds of defect that it has not seen.

    python -m benchmarks.reward --run DIR --weights DIR [--json FILE]

RUN is the training run, for its held-out products; kinds that the run was trained without are marked. A kind's AUC is
that of its pictures against clean ones, by its own head; weak, middle and strong are thirds of strength. Of each head,
all its kinds together are held against as many clean pictures ("alone": what it was trained and calibrated for), and
against those and as many with the other head's defects ("among the other's": sound to this head, which never learnt
them). The calibration error is expected calibration error over ten bins.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from models.data.defects import HEADS, KINDS
from models.data.reward_bank import Sample, each_kind
from models.export.reward import halves
from models.reward import calibration_error
from models.serving.engines import load_engine, run_fixed

_SEED = 9_001
Reals = NDArray[np.float64]


def auc(bad: Reals, good: Reals) -> float:
    """The chance that a bad one scores above a good one."""
    ranks = rankdata(np.concatenate([bad, good]))[: len(bad)]
    return float((ranks.sum() - len(bad) * (len(bad) + 1) / 2) / (len(bad) * len(good)))


def rows_of(samples: Sequence[Sample], chances: Reals, unseen: Sequence[str]) -> list[dict[str, Any]]:
    """One row a kind: AUC over all strengths and by thirds, and the mean probability."""
    kinds = np.array([sample.kind for sample in samples])
    strengths = np.array([sample.strength for sample in samples])
    rows = []
    for kind, (head, _) in KINDS.items():
        own = chances[:, HEADS.index(head)]
        bad, good, strong = own[kinds == kind], own[kinds == "clean"], strengths[kinds == kind]
        edges = np.quantile(strong, [0, 1 / 3, 2 / 3, 1])
        thirds = [auc(bad[(strong >= low) & (strong <= high)], good) for low, high in pairwise(edges)]
        row = {"kind": kind, "head": head, "unseen": kind in unseen, "auc": auc(bad, good), "thirds": thirds}
        rows.append({**row, "mean": float(bad.mean()), "clean": float(good.mean())})
    return rows


def heads_of(samples: Sequence[Sample], chances: Reals, unseen: Sequence[str]) -> list[dict[str, Any]]:
    """One row a head, over its seen kinds and, where there are any, its unseen ones: AUC and calibration error."""
    kinds = np.array([sample.kind for sample in samples])
    rows = []
    for at, head in enumerate(HEADS):
        own = [kind for kind, (name, _) in KINDS.items() if name == head]
        others = np.flatnonzero(np.isin(kinds, [kind for kind in KINDS if kind not in own]))
        clean = np.flatnonzero(kinds == "clean")
        for label, chosen in (("seen", set(own) - set(unseen)), ("unseen", set(own) & set(unseen))):
            bad = np.flatnonzero(np.isin(kinds, list(chosen)))
            if len(bad):
                alone = np.resize(clean, len(bad))
                among = np.concatenate([alone, np.resize(others, len(bad))])
                row = {"head": head, "kinds": label, **against(chances[:, at], bad, alone)}
                rows.append({**row, "among": against(chances[:, at], bad, among)})
    return rows


def against(chances: Reals, bad: NDArray[np.intp], good: NDArray[np.intp]) -> dict[str, float]:
    """AUC and expected calibration error of the rows `bad` against the rows `good`."""
    truth = np.concatenate([np.ones(len(bad)), np.zeros(len(good))])
    both = np.concatenate([chances[bad], chances[good]])
    return {"auc": auc(chances[bad], chances[good]), "ece": calibration_error(both, truth)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reward", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--weights", type=Path, required=True, help="folder that models.export.reward wrote")
    parser.add_argument("--count", type=int, default=150, help="pictures of each kind (default %(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    args = parser.parse_args()
    unseen = json.loads((args.run / "recipe.json").read_text(encoding="utf-8"))["without"]
    samples = list(each_kind(halves(args.run)[1], _SEED, args.count))
    engine = load_engine(args.weights / "reward.onnx", "onnxruntime", "fp32", 1)
    chances = run_fixed(engine, np.stack([sample.planes for sample in samples]), 1).astype(np.float64)
    rows, heads = rows_of(samples, chances, unseen), heads_of(samples, chances, unseen)
    print("| defect | head | AUC | weak | middle | strong | mean p | clean p |\n|---|---|---|---|---|---|---|---|")
    for row in rows:
        thirds = " | ".join(f"{value:.3f}" for value in row["thirds"])
        mark = " (unseen)" if row["unseen"] else ""
        means = f"{row['mean']:.2f} | {row['clean']:.2f}"
        print(f"| {row['kind']}{mark} | {row['head']} | {row['auc']:.3f} | {thirds} | {means} |")
    print("\n| head | kinds | AUC alone | calibration error | AUC among the other's | calibration error |")
    print("|---|---|---|---|---|---|")
    for row in heads:
        figures = (row["auc"], row["ece"], row["among"]["auc"], row["among"]["ece"])
        print(f"| {row['head']} | {row['kinds']} | {' | '.join(f'{value:.3f}' for value in figures)} |")
    if args.json:
        told = json.loads(json.dumps({"kinds": rows, "heads": heads}), parse_float=lambda text: round(float(text), 4))
        args.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
