"""How often a contestant was the better of two, with Wilson intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipelines.rating.rates import design_effect, wilson
from pipelines.rating.strengths import Choice


class WinRate(NamedTuple):
    """A contestant's share of wins; no difference is half of one.

    Attributes:
        low, high: Wilson's 95 % interval, its sample reduced by the design effect of several comparisons of one
            original, as in `rates.Rate`.
    """

    contestant: str
    comparisons: int
    rate: float
    low: float
    high: float


def win_rates(choices: Sequence[Choice]) -> list[WinRate]:
    """Of every contestant that was compared, the best first."""
    names = sorted({name for choice in choices for name in choice[:2]})
    return sorted((_rate(name, choices) for name in names), key=lambda found: -found.rate)


def _rate(name: str, choices: Sequence[Choice]) -> WinRate:
    mine = [choice for choice in choices if name in choice[:2]]
    shares = np.array([choice.share if choice.first == name else 1 - choice.share for choice in mine])
    sample = len(mine) / design_effect(shares, [choice.subject for choice in mine])
    return WinRate(name, len(mine), float(shares.mean()), *wilson(float(shares.mean()), sample))
