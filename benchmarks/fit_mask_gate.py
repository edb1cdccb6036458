"""Fits the mask gate on `segmentation`'s rows, writes its coefficients, and tells how it judges products unseen.

    python -m benchmarks.fit_mask_gate ROWS.jsonl ... [--known ROWS.jsonl ...] [--judged ROWS.jsonl ...] --plain \
        --out transforms/data/mask_gate.json

Ridge regression of the log error of a mask (its IoU says more than good or poor) on spread-out measures, over the masks
that are not refused for their shape anyway; made a probability by a logistic fit to answers for products that a fit had
not seen (every fifth product is judged by a fit to the others). Then the bias is moved so that at quality 0.5 the
wanted share of such unseen poor masks is caught. Rows of `--known` are of products that our network was trained on:
gates are fitted to them too, and never judged by them; rows of `--judged` are judged alone.

What is printed, and kept as `unseen`, is said of no product that it was fitted on: every tenth of the products is
judged, at the limit that is served, by a gate whose every number was fitted to the others. What ships is fitted to all.
"""

from __future__ import annotations

import argparse
import json
from hashlib import sha1
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.segmentation import GOOD_IOU
from transforms.ops.mask_gate import spread_out
from transforms.segment import SegmentLimits

Row = dict[str, Any]

_ROUNDS, _FOLDS, _JUDGED_FOLDS = 40, 5, 10
_PLAIN = ("white", "plain")
_BAD_IOU = 0.85


def main() -> None:
    """Fit, write, and print how such gates judge what they were not fitted on."""
    args = _arguments()
    rows, known = (_read(paths, plain=args.plain) for paths in (args.rows, args.known))
    judged = _read(args.judged, plain=False)
    names = tuple(rows[0]["measures"])
    how = {"ridge": args.ridge, "recall": args.recall}
    bias, weights = fit_gate([*rows, *known], names, **how)
    everything = [*rows, *judged]
    refused = judge_unseen(rows, known, everything, names, **how)
    content = {
        "fitted_by": "benchmarks/fit_mask_gate.py",
        "target": f"IoU >= {GOOD_IOU}",
        "data": args.data,
        "pictures": len(rows),
        "known": len(known),
        **how,
        "unseen": _figures(rows, refused[: len(rows)]),
        "bias": round(bias, 4),
        "weights": {name: round(float(weight), 4) for name, weight in zip(names, weights, strict=True)},
    }
    args.out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print_table(everything, refused)


def print_table(rows: list[Row], refused: NDArray[np.bool_]) -> None:
    """The table of docs/segmentation.md, as Markdown."""
    print("| not fitted on | pictures | poor caught | of them below 0.85 | good rejected |")
    print("|---|---|---|---|---|")
    kinds = {"white and plain": _PLAIN, **{name: (name,) for name in (*_PLAIN, "scene", "composed", "street")}}
    overlap = np.asarray([row["stage"]["iou"] for row in rows])
    for label, backdrops in kinds.items():
        chosen = np.asarray([row["backdrop"] in backdrops for row in rows])
        if chosen.any():
            groups = (overlap < GOOD_IOU, overlap < _BAD_IOU, overlap >= GOOD_IOU)
            cells = " | ".join(_share(refused[chosen & group]) for group in groups)
            print(f"| {label} | {chosen.sum()} | {cells} |")


def _share(refused: NDArray[np.bool_]) -> str:
    return f"{refused.sum()} of {len(refused)} ({refused.mean():.1%})" if len(refused) else "-"


def judge_unseen(
    rows: list[Row], known: list[Row], judged: list[Row], names: tuple[str, ...], *, ridge: float, recall: float
) -> NDArray[np.bool_]:
    """What the stage would refuse of `judged`, each by a gate that saw no picture of its product, [judged]."""
    own, asked = (np.asarray([_fold(row, 2, _JUDGED_FOLDS) for row in some]) for some in (rows, judged))
    refused = np.zeros(len(judged), np.bool_)
    for fold in np.unique(asked):
        others = [row for row, at in zip(rows, own, strict=True) if at != fold]
        gate = fit_gate([*others, *known], names, ridge=ridge, recall=recall)
        chosen = [row for row, at in zip(judged, asked, strict=True) if at == fold]
        refused[asked == fold] = _refused(chosen, names, *gate)
    return refused


def _fold(row: Row, byte: int, folds: int) -> int:
    """Which fold a picture's product belongs to, by a byte of its name's digest."""
    return sha1(row["group"].encode()).digest()[byte] % folds


def _read(paths: list[Path], *, plain: bool) -> list[Row]:
    rows = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["measures"]["plain"] or not plain]


def fit_gate(
    rows: list[Row], names: tuple[str, ...], *, ridge: float, recall: float
) -> tuple[float, NDArray[np.float64]]:
    """(bias, weights) for spread-out measures from rows of `segmentation`."""
    shapely = [row for row in rows if not row["shapeless"]]
    table, good = _table(shapely, names)
    unseen = out_of_fold(shapely, names, ridge=ridge)
    offset, slope = fit(unseen[:, None], good, ridge=1e-4)
    bias, weights = regress(table, _log_error(shapely), ridge=ridge)
    caught = float(np.quantile(unseen[~good], share_to_catch(rows, recall)))
    odds_at_limit = offset + slope[0] * caught
    return slope[0] * bias + offset - odds_at_limit, slope[0] * weights


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("rows", type=Path, nargs="+", help="rows of benchmarks.segmentation")
    parser.add_argument("--known", type=Path, nargs="+", default=[], help="rows of products our network was trained on")
    parser.add_argument("--judged", type=Path, nargs="+", default=[], help="rows that no gate is fitted to")
    parser.add_argument("--out", type=Path, required=True, help="where the coefficients go")
    parser.add_argument("--data", default="", help="what the rows were measured on, for the record")
    parser.add_argument("--plain", action="store_true", help="plain backdrops only: where cutouts are pasted")
    parser.add_argument("--recall", type=float, default=0.95, help="share of poor masks to catch")
    parser.add_argument("--ridge", type=float, default=0.1, help="weight of the penalty, per row")
    return parser.parse_args()


def fit(table: NDArray[np.float64], good: NDArray[np.bool_], *, ridge: float) -> tuple[float, NDArray[np.float64]]:
    """(bias, weights) for raw measures [rows, measures], by Newton's method on standardised ones."""
    centre, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    design = np.hstack([np.ones((len(table), 1)), (table - centre) / spread])
    weight = np.where(good, 0.5 / max(1, good.sum()), 0.5 / max(1, (~good).sum()))
    penalty = ridge * np.diag([0.0, *np.ones(table.shape[1])])
    beta = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-design @ beta))
        slope = design.T @ (weight * (chance - good)) + penalty @ beta
        bend = (design * (weight * chance * (1 - chance))[:, None]).T @ design + penalty + 1e-9 * np.eye(len(beta))
        beta -= np.linalg.solve(bend, slope)
    weights = beta[1:] / spread
    return float(beta[0] - weights @ centre), weights


def regress(
    table: NDArray[np.float64], target: NDArray[np.float64], *, ridge: float
) -> tuple[float, NDArray[np.float64]]:
    """(bias, weights) of a ridge regression on standardised columns, for raw ones."""
    centre, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    design = (table - centre) / spread
    square = design.T @ design + ridge * len(table) * np.eye(table.shape[1])
    weights = np.linalg.solve(square, design.T @ (target - target.mean())) / spread
    return float(target.mean() - weights @ centre), weights


def out_of_fold(rows: list[Row], names: tuple[str, ...], *, ridge: float) -> NDArray[np.float64]:
    """What a regression on the rows of other products says of each row, [rows]."""
    table, target = _table(rows, names)[0], _log_error(rows)
    folds = np.asarray([_fold(row, 1, _FOLDS) for row in rows])
    answers = np.zeros(len(rows))
    for fold in range(_FOLDS):
        bias, weights = regress(table[folds != fold], target[folds != fold], ridge=ridge)
        answers[folds == fold] = bias + table[folds == fold] @ weights
    return answers


def _log_error(rows: list[Row]) -> NDArray[np.float64]:
    """-ln(1 - IoU), with errors below 2 % taken for equal."""
    return -np.log(1.02 - np.asarray([row["stage"]["iou"] for row in rows]))


def share_to_catch(rows: list[Row], recall: float) -> float:
    """What share of the poor masks that are not refused for their shape must be caught, for `recall` of all poor."""
    poor = [row for row in rows if row["stage"]["iou"] < GOOD_IOU]
    left = sum(not row["shapeless"] for row in poor)
    return max(0.0, 1 - (1 - recall) * len(poor) / max(1, left))


def _table(rows: list[Row], names: tuple[str, ...]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    table = np.asarray([[spread_out(name, row["measures"][name]) for name in names] for row in rows], np.float64)
    return table, np.asarray([row["stage"]["iou"] >= GOOD_IOU for row in rows])


def _refused(rows: list[Row], names: tuple[str, ...], bias: float, weights: NDArray[np.float64]) -> NDArray[np.bool_]:
    """What the stage refuses, with this gate at the limit that is served."""
    limit = SegmentLimits().min_mask_quality
    odds = bias + _table(rows, names)[0] @ weights
    return (odds < np.log(limit / (1 - limit))) | np.asarray([row["shapeless"] for row in rows])


def _figures(rows: list[Row], refused: NDArray[np.bool_]) -> dict[str, float]:
    good = np.asarray([row["stage"]["iou"] >= GOOD_IOU for row in rows])
    return {
        "pictures": len(good),
        "poor": int((~good).sum()),
        "poor_caught": round(float(refused[~good].mean()), 4),
        "good_rejected": round(float(refused[good].mean()), 4),
    }


if __name__ == "__main__":
    main()
