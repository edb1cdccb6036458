"""Do raters agree? Cohen's kappa of each two, Fleiss' kappa of all, through statsmodels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa


class Agreement(NamedTuple):
    """Of two raters, or of all (`raters` is empty).

    Attributes:
        items: that they both rated.
        agreed: share of items with the same flag.
        kappa: None where all flags are alike, and chance alone would agree as much.
        low, high: its 95 % interval; None where it is not known.
    """

    head: str
    raters: tuple[str, ...]
    items: int
    agreed: float
    kappa: float | None
    low: float | None
    high: float | None


Flags = Mapping[str, Mapping[str, int]]  # item -> rater -> flag, or which of several answers


def of_two(head: str, flags: Flags, one: str, other: str) -> Agreement | None:
    """Cohen's kappa of two raters over the items that both rated; None where there is none."""
    table = np.zeros([_kinds(flags)] * 2, int)
    for given in flags.values():
        if one in given and other in given:
            table[given[one], given[other]] += 1
    items = int(table.sum())
    if not items:
        return None
    agreed = float(np.trace(table)) / items
    if (table.sum(axis=0) * table.sum(axis=1)).max() == items**2:
        return Agreement(head, (one, other), items, agreed, None, None, None)
    found = cohens_kappa(table)
    # the interval is a normal one, and of few items it goes beyond what a kappa can be
    low, high = (
        None if math.isnan(end) else min(max(float(end), -1.0), 1.0) for end in (found.kappa_low, found.kappa_upp)
    )
    return Agreement(head, (one, other), items, agreed, float(found.kappa), low, high)


def of_all(head: str, flags: Flags) -> Agreement | None:
    """Fleiss' kappa over items with two raters, whoever they were; None where there is none."""
    kinds = _kinds(flags)
    counts = np.array([np.bincount([*given.values()], minlength=kinds) for given in flags.values() if len(given) == 2])
    if not len(counts):
        return None
    agreed = float((counts != 1).all(axis=1).mean())
    constant = counts.sum(axis=0).max() == counts.sum()
    kappa = None if constant else float(fleiss_kappa(counts))
    return Agreement(head, (), len(counts), agreed, kappa, None, None)


def _kinds(flags: Flags) -> int:
    return max(2, 1 + max((flag for given in flags.values() for flag in given.values()), default=0))


def agreements(flags_by_head: Mapping[str, Flags]) -> Iterable[Agreement]:
    """Every head: all raters together, then each two that share items."""
    for head, flags in flags_by_head.items():
        raters = sorted({rater for given in flags.values() for rater in given})
        together = of_all(head, flags)
        if together:
            yield together
        for one, other in combinations(raters, 2):
            found = of_two(head, flags, one, other)
            if found:
                yield found
