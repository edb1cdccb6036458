"""What became otherwise from one run to the next: outcomes, reasons, placements, scores."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import stats

from pipelines.compare.runs import Pairing, map_values

OUTCOMES = ("enhanced", "skipped", "rejected", "failed")


class Moved(NamedTuple):
    """Rows that were in both runs and ended otherwise, by outcome and reason."""

    before: str
    after: str
    rows: int
    example: str


class ScoreMove(NamedTuple):
    """A score of creatives that both runs made.

    Attributes:
        pairs: creatives.
        before, after: medians.
        change: median of the pairs' differences.
        p_value: Wilcoxon's signed ranks over products (each product's mean difference), 1 where nothing differs.
    """

    name: str
    pairs: int
    before: float
    after: float
    change: float
    p_value: float


class Balance(NamedTuple):
    """Products that lost and that won creatives among those in both runs, and the exact sign test of the two."""

    products: int
    lost: int
    won: int
    p_value: float

    @property
    def lost_share(self) -> float:
        """Net share of products that lost creatives."""
        return (self.lost - self.won) / self.products if self.products else 0.0


def transitions(before: pa.Table, after: pa.Table, pairing: Pairing) -> dict[str, dict[str, int]]:
    """How many pairs went from which outcome to which."""
    one, other = (_taken(table, "outcome", rows) for table, rows in ((before, pairing.before), (after, pairing.after)))
    counts = Counter(zip(one, other, strict=True))
    return {old: {new: counts[old, new] for new in OUTCOMES} for old in OUTCOMES}


def moved(before: pa.Table, after: pa.Table, pairing: Pairing) -> list[Moved]:
    """Pairs whose outcome or reason changed, most frequent first."""
    old, new = _ends(before, pairing.before), _ends(after, pairing.after)
    names, places = (_taken(after, column, pairing.after) for column in ("product_id", "place"))
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    for was, became, name, place in zip(old, new, names, places, strict=True):
        if was != became:
            counts[was, became] += 1
            examples.setdefault((was, became), f"{name} · {place}" if place else str(name))
    return [Moved(*ends, count, examples[ends]) for ends, count in counts.most_common()]


def _ends(table: pa.Table, rows: NDArray[np.int64]) -> list[str]:
    outcomes, reasons = _taken(table, "outcome", rows), _taken(table, "reason", rows)
    return [
        outcome if outcome == "enhanced" else f"{outcome}: {reason}"
        for outcome, reason in zip(outcomes, reasons, strict=True)
    ]


def _taken(table: pa.Table, column: str, rows: NDArray[np.int64]) -> list[Any]:
    return table.column(column).take(pa.array(rows)).to_pylist()


def by_column(before: pa.Table, after: pa.Table, column: str) -> dict[str, dict[str, list[int]]]:
    """Outcomes by a column's values: counts [before, after]."""
    result: dict[str, dict[str, list[int]]] = {}
    for at, table in enumerate((before, after)):
        for row in table.group_by([column, "outcome"]).aggregate([([], "count_all")]).to_pylist():
            counts = result.setdefault(str(row[column] or "(none)"), {})
            counts.setdefault(row["outcome"], [0, 0])[at] = row["count_all"]
    return dict(sorted(result.items()))


def reasons(before: pa.Table, after: pa.Table) -> dict[str, list[int]]:
    """Counts [before, after] of each outcome and reason, enhanced left out."""
    result: dict[str, list[int]] = {}
    for at, table in enumerate((before, after)):
        other = table.filter(pc.not_equal(table.column("outcome"), "enhanced"))
        for row in other.group_by(["outcome", "reason"]).aggregate([([], "count_all")]).to_pylist():
            result.setdefault(f"{row['outcome']}: {row['reason']}", [0, 0])[at] = row["count_all"]
    return dict(sorted(result.items(), key=lambda entry: -max(entry[1])))


def balance(before: pa.Table, after: pa.Table, pairing: Pairing) -> Balance:
    """Did products lose creatives? A product counts once, whatever its placements."""
    had = np.array(_taken(before, "outcome", pairing.before)) == "enhanced"
    has = np.array(_taken(after, "outcome", pairing.after)) == "enhanced"
    names, at = _products(after, pairing.after)
    change = np.bincount(at, has.astype(int) - had.astype(int), minlength=len(names)) if len(at) else np.zeros(0)
    lost, won = int((change < 0).sum()), int((change > 0).sum())
    p_value = float(stats.binomtest(lost, lost + won, alternative="greater").pvalue) if lost + won else 1.0
    return Balance(len(names), lost, won, p_value)


def _products(table: pa.Table, rows: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    advertisers, products = (_taken(table, name, rows) for name in ("advertiser_id", "product_id"))
    names = [f"{advertiser}\0{product}" for advertiser, product in zip(advertisers, products, strict=True)]
    unique, at = np.unique(np.array(names, object).astype(str), return_inverse=True)
    return unique.tolist(), at.astype(np.int64)


def score_moves(before: pa.Table, after: pa.Table, pairing: Pairing) -> list[ScoreMove]:
    """Every score of creatives that both runs made, the surest change first."""
    _, product = _products(after, pairing.after)
    made = np.array(_taken(before, "outcome", pairing.before)) == "enhanced"
    made &= np.array(_taken(after, "outcome", pairing.after)) == "enhanced"
    old, new = _dense(before, pairing.before), _dense(after, pairing.after)
    moves = []
    for name in sorted(old.keys() & new.keys()):
        both = made & np.isfinite(old[name]) & np.isfinite(new[name])
        if both.any():
            moves.append(_move(name, old[name][both], new[name][both], product[both]))
    return sorted(moves, key=lambda move: (move.p_value, move.name))


def _dense(table: pa.Table, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Scores by name, one for each of `rows`, NaN where a row has none."""
    result = {}
    for name, (at, values) in map_values(table, "scores").items():
        column = np.full(len(table), np.nan)
        column[at] = values
        result[name] = column[rows]
    return result


def _move(name: str, old: NDArray[np.float64], new: NDArray[np.float64], product: NDArray[np.int64]) -> ScoreMove:
    change = new - old
    counts = np.bincount(product)
    means = np.bincount(product, change)[counts > 0] / counts[counts > 0]
    p_value = float(stats.wilcoxon(means, method="approx").pvalue) if (means != 0).any() else 1.0
    return ScoreMove(name, len(old), float(np.median(old)), float(np.median(new)), float(np.median(change)), p_value)
