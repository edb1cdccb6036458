"""Drift of inputs and scores over nights.

Two figures for each column. The population stability index says how far two distributions lie apart (0.1 is little,
0.25 much, by the rule of credit scoring: Siddiqi, "Credit Risk Scorecards", 2006); it has no p-value and is large by
chance for few rows. The two-sample Kolmogorov-Smirnov test (for words: chi-square) says whether that can be chance;
with many rows it finds differences that matter to nobody. So drift is called where the index is large *and* the test is
sure, after Benjamini and Hochberg's control over all columns (J. R. Statist. Soc. B 57, 1995).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import stats

from pipelines.compare.runs import Run, map_values

_NUMBERS = ("source_height", "source_width", "source_bytes")
_WORDS = ("source_format", "source_mode", "product_category", "advertiser_id", "task")
_BINS = 10
_LEAST = 20  # products on each side; fewer say nothing
_REAL = NDArray[np.float64]
Column = NDArray[np.float64] | NDArray[np.str_]


class Drift(NamedTuple):
    """A column of the last run against the earlier ones.

    Attributes:
        kind: `input` or `score`.
        psi: population stability index.
        p_value: of the test, `adjusted` for all columns together.
        before, after: medians of numbers; the most frequent word.
        counts: products before and after.
    """

    name: str
    kind: str
    psi: float
    p_value: float
    adjusted: float
    before: str
    after: str
    counts: tuple[int, int]


def columns_of(run: Run) -> dict[str, Column]:
    """What can drift: one value for each product, as placements of a product are no independent witnesses.

    Names begin with `input ` or `score `; a product's score is the mean over its placements. Of scenes an input is a
    product's and a score is a group's.
    """
    result: dict[str, Column] = {}
    _, first, _ = _products(run.photos)
    for name in _NUMBERS:
        values = pc.cast(run.photos.column(name), pa.float64()).to_numpy(zero_copy_only=False)[first]
        result[f"input {name}"] = values[np.isfinite(values)]
    for name in _WORDS:
        cells = run.photos.column(name).take(pa.array(first)).drop_null()
        result[f"input {name}"] = cells.to_numpy(zero_copy_only=False).astype(str)
    names, _, at = _products(run.index)
    for name, (rows, values) in map_values(run.index, "scores").items():
        result[f"score {name}"] = _means(at[rows], values, len(names))
    return result


def _products(table: pa.Table) -> tuple[NDArray[np.str_], NDArray[np.int64], NDArray[np.int64]]:
    """The products of a table, the first row of each, and the product of each row."""
    products = pc.binary_join_element_wise(
        pc.fill_null(table.column("advertiser_id"), ""), pc.fill_null(table.column("product_id"), ""), "\0"
    )
    names = products.to_numpy(zero_copy_only=False).astype(str)
    return np.unique(names, return_index=True, return_inverse=True)


def _means(groups: NDArray[np.int64], values: _REAL, count: int) -> _REAL:
    finite = np.isfinite(values)
    counts = np.bincount(groups[finite], minlength=count)
    sums = np.bincount(groups[finite], values[finite], minlength=count)
    means: _REAL = sums[counts > 0] / counts[counts > 0]
    return means


def pooled(columns: Sequence[Mapping[str, Column]]) -> dict[str, Column]:
    """The columns of several runs as one; of earlier nights together."""
    names = dict.fromkeys(name for run in columns for name in run)
    return {name: np.concatenate([run[name] for run in columns if name in run]) for name in names}


def drift(before: Mapping[str, Column], after: Mapping[str, Column]) -> list[Drift]:
    """Every column that both sides have at least 20 products for, the largest index first."""
    found = []
    for name in sorted(before.keys() & after.keys()):
        one, other = before[name], after[name]
        if min(len(one), len(other)) < _LEAST:
            continue
        bins = _binned(one, other)
        p_value = _words_p(bins) if one.dtype.kind == "U" else float(stats.ks_2samp(one, other, method="asymp").pvalue)
        kind, _, short = name.partition(" ")
        found.append(Drift(short, kind, psi(bins), p_value, 1.0, _middle(one), _middle(other), (len(one), len(other))))
    if not found:
        return []
    adjusted = stats.false_discovery_control([each.p_value for each in found])
    found = [each._replace(adjusted=float(value)) for each, value in zip(found, adjusted, strict=True)]
    return sorted(found, key=lambda each: -each.psi)


def _binned(one: Column, other: Column) -> _REAL:
    """Counts [2, bins]: by word, or by tenths of the first column's values."""
    if one.dtype.kind == "U":
        words, at = np.unique(np.concatenate([one, other]), return_inverse=True)
        sides = np.repeat([0, 1], [len(one), len(other)])
        counts: _REAL = np.zeros((2, len(words)))
        np.add.at(counts, (sides, at), 1)
        return counts
    edges = np.unique(np.quantile(one.astype(float), np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.stack(
        [
            np.bincount(np.searchsorted(edges, side.astype(float), "left"), minlength=len(edges) + 1)
            for side in (one, other)
        ]
    ).astype(float)


def psi(counts: _REAL) -> float:
    """The population stability index of counts [2, bins], half a row added to each bin for empty ones."""
    shares = (counts + 0.5) / (counts + 0.5).sum(axis=1, keepdims=True)
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def _words_p(counts: _REAL) -> float:
    seen = counts[:, counts.sum(axis=0) > 0]
    return float(stats.chi2_contingency(seen).pvalue) if seen.shape[1] > 1 else 1.0


def _middle(values: Column) -> str:
    if values.dtype.kind == "U":
        words, counts = np.unique(values, return_counts=True)
        return str(words[np.argmax(counts)])
    return f"{float(np.median(values.astype(float))):.4g}"
