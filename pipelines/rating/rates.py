"""How often nothing is wrong: no-defect rates by contestant and head, with Wilson intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from pipelines.rating.study import RATERS
from pipelines.rating.units import Answer, Item

OVERALL = "overall"


class Rate(NamedTuple):
    """A contestant's no-defect rate for one head.

    Attributes:
        items: with two raters; only those count.
        clean: of these, those that neither rater flagged.
        low, high: Wilson's 95 % interval, its sample reduced by the design effect of several outputs for one original
            (Franco et al., "Comparative study of confidence intervals for proportions in complex sample surveys",
            J. Survey Statistics and Methodology 7, 2019).
    """

    contestant: str
    task: str
    head: str
    items: int
    clean: int
    rate: float
    low: float
    high: float


def flags_by_head(answers: Sequence[Answer]) -> dict[str, dict[str, dict[str, int]]]:
    """Flags as head -> item id -> rater."""
    result: dict[str, dict[str, dict[str, int]]] = {}
    for given in answers:
        for head, flag in given.answer.items():
            if head != "choice":
                result.setdefault(head, {}).setdefault(given.first, {})[given.rater] = int(flag)
    return result


def rates(items: Sequence[Item], answers: Sequence[Answer]) -> list[Rate]:
    """Rates by contestant and task: each head, then overall. An item is defective if either rater flags it."""
    flags = flags_by_head(answers)
    found = []
    for contestant, task in sorted({(item.contestant, item.task) for item in items}):
        mine = [item for item in items if (item.contestant, item.task) == (contestant, task)]
        heads = {head: _worst(mine, given) for head, given in flags.items()}
        heads = {head: defective for head, defective in heads.items() if defective}
        overall = {
            item.id: max(defective[item.id] for defective in heads.values())
            for item in mine
            if heads and all(item.id in defective for defective in heads.values())
        }
        subjects = {item.id: item.original_digest for item in mine}
        for head, defective in {**heads, OVERALL: overall}.items():
            if defective:
                found.append(_rate(contestant, task, head, defective, subjects))
    return found


def _worst(items: Sequence[Item], given: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Items with two raters and whether either of them flagged."""
    return {
        item.id: max(given[item.id].values()) for item in items if item.id in given and len(given[item.id]) >= RATERS
    }


def _rate(contestant: str, task: str, head: str, defective: Mapping[str, int], subjects: Mapping[str, str]) -> Rate:
    clean = np.array([1 - flag for flag in defective.values()], float)
    effect = design_effect(clean, [subjects[item] for item in defective])
    low, high = wilson(float(clean.mean()), len(clean) / effect)
    return Rate(contestant, task, head, len(clean), int(clean.sum()), float(clean.mean()), low, high)


def wilson(share: float, sample: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; the sample may be a fraction."""
    low, high = proportion_confint(share * sample, sample, method="wilson")
    return float(low), float(high)


def design_effect(values: np.ndarray[tuple[int], np.dtype[np.float64]], subjects: Sequence[str]) -> float:
    """How many times the variance of a mean is that of independent values, subjects being alike; at least 1."""
    names, at = np.unique(np.array(subjects), return_inverse=True)
    independent = float(((values - values.mean()) ** 2).sum())
    if len(names) < 2 or len(names) == len(values) or not independent:
        return 1.0
    clustered = float((np.bincount(at, values - values.mean()) ** 2).sum()) * len(names) / (len(names) - 1)
    return max(clustered / independent, 1.0)
