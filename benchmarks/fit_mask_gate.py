"""Fits the mask gate on the tuning half of `segmentation`'s rows and writes its coefficients with their provenance.

    python -m benchmarks.fit_mask_gate rows.jsonl [more.jsonl ...] --out transforms/data/mask_gate.json

Ridge regression of the log error of a mask (its IoU says more than good or poor) on spread-out measures, over the masks
that are not refused for their shape anyway; made a probability by a logistic fit to answers for products that a fit had
not seen (every fifth of the tuning half's is judged by a fit to the others). Then the bias is moved so that at quality
0.5 the wanted share of such unseen poor masks is caught. `crossed` tells what both halves say of each other: every
picture is judged, at the served limit, by a gate that was fitted to the other half's products.
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

_ROUNDS, _FOLDS = 40, 5


def main() -> None:
    """Fit, write, and print how the gate does on both halves."""
    args = _arguments()
    rows = [json.loads(line) for path in args.rows for line in path.read_text(encoding="utf-8").splitlines()]
    if args.plain:
        rows = [row for row in rows if row["measures"]["plain"]]
    tuning = [row for row in rows if row["split"] == "tuning"]
    held_out = [row for row in rows if row["split"] == "held_out"]
    names = tuple(tuning[0]["measures"])
    bias, weights = fit_gate(tuning, names, ridge=args.ridge, recall=args.recall)
    content = {
        "fitted_by": "benchmarks/fit_mask_gate.py",
        "target": f"IoU >= {GOOD_IOU}",
        "data": args.data,
        "tuning": _summary(tuning, names, bias, weights),
        "held_out": _summary(held_out, names, bias, weights),
        "crossed": _crossed(tuning, held_out, names, ridge=args.ridge, recall=args.recall),
        "bias": round(bias, 4),
        "weights": {name: round(float(weight), 4) for name, weight in zip(names, weights, strict=True)},
    }
    text = json.dumps(content, indent=2) + "\n"
    print(text)
    args.out.write_text(text, encoding="utf-8")


def fit_gate(
    rows: list[dict[str, Any]], names: tuple[str, ...], *, ridge: float, recall: float
) -> tuple[float, NDArray[np.float64]]:
    """(bias, weights) for spread-out measures from the rows of the tuning half."""
    shapely = [row for row in rows if not row["shapeless"]]
    table, good = _table(shapely, names)
    unseen = out_of_fold(shapely, names, ridge=ridge)
    offset, slope = fit(unseen[:, None], good, ridge=1e-4)
    bias, weights = regress(table, _log_error(shapely), ridge=ridge)
    caught = float(np.quantile(unseen[~good], share_to_catch(rows, recall)))
    odds_at_limit = max(0.0, offset + slope[0] * caught)
    return slope[0] * bias + offset - odds_at_limit, slope[0] * weights


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("rows", type=Path, nargs="+", help="rows of benchmarks.segmentation")
    parser.add_argument("--out", type=Path, required=True, help="where the coefficients go")
    parser.add_argument("--data", default="", help="what the rows were measured on, for the record")
    parser.add_argument("--plain", action="store_true", help="plain backdrops only: where cutouts are pasted")
    parser.add_argument("--recall", type=float, default=0.95, help="share of poor tuning masks to catch")
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


def out_of_fold(rows: list[dict[str, Any]], names: tuple[str, ...], *, ridge: float) -> NDArray[np.float64]:
    """What a regression on the rows of other products says of each row, [rows]."""
    table, target = _table(rows, names)[0], _log_error(rows)
    folds = np.asarray([sha1(row["group"].encode()).digest()[1] % _FOLDS for row in rows])
    answers = np.zeros(len(rows))
    for fold in range(_FOLDS):
        bias, weights = regress(table[folds != fold], target[folds != fold], ridge=ridge)
        answers[folds == fold] = bias + table[folds == fold] @ weights
    return answers


def _log_error(rows: list[dict[str, Any]]) -> NDArray[np.float64]:
    """-ln(1 - IoU), with errors below 2 % taken for equal."""
    return -np.log(1.02 - np.asarray([row["stage"]["iou"] for row in rows]))


def share_to_catch(rows: list[dict[str, Any]], recall: float) -> float:
    """What share of the poor masks that are not refused for their shape must be caught, for `recall` of all poor."""
    poor = [row for row in rows if row["stage"]["iou"] < GOOD_IOU]
    left = sum(not row["shapeless"] for row in poor)
    return max(0.0, 1 - (1 - recall) * len(poor) / max(1, left))


def _table(rows: list[dict[str, Any]], names: tuple[str, ...]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    table = np.asarray([[spread_out(name, row["measures"][name]) for name in names] for row in rows], np.float64)
    return table, np.asarray([row["stage"]["iou"] >= GOOD_IOU for row in rows])


def _crossed(
    first: list[dict[str, Any]], second: list[dict[str, Any]], names: tuple[str, ...], *, ridge: float, recall: float
) -> dict[str, float]:
    """How each half is judged by a gate that was fitted to the other, together."""
    refused, good = [], []
    for known, unseen in ((first, second), (second, first)):
        refused.append(_refused(unseen, names, *fit_gate(known, names, ridge=ridge, recall=recall)))
        good.append(_table(unseen, names)[1])
    return _shares(np.concatenate(refused), np.concatenate(good))


def _summary(
    rows: list[dict[str, Any]], names: tuple[str, ...], bias: float, weights: NDArray[np.float64]
) -> dict[str, float]:
    return _shares(_refused(rows, names, bias, weights), _table(rows, names)[1])


def _refused(
    rows: list[dict[str, Any]], names: tuple[str, ...], bias: float, weights: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """What the stage refuses, with this gate at the limit that is served."""
    limit = SegmentLimits().min_mask_quality
    odds = bias + _table(rows, names)[0] @ weights
    return (odds < np.log(limit / (1 - limit))) | np.asarray([row["shapeless"] for row in rows])


def _shares(refused: NDArray[np.bool_], good: NDArray[np.bool_]) -> dict[str, float]:
    return {
        "pictures": len(good),
        "poor": int((~good).sum()),
        "poor_caught": round(float(refused[~good].mean()), 4),
        "good_rejected": round(float(refused[good].mean()), 4),
    }


if __name__ == "__main__":
    main()
