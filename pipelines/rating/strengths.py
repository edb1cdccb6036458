"""Bradley-Terry strengths from choices between two (Bradley, Terry, Biometrika 39, 1952).

Fitted as a binomial regression without intercept in statsmodels; errors are clustered by original where one was
compared more than once. No difference counts
as half a win for both.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import statsmodels.api as sm
from scipy import stats
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from transforms.errors import TableError


class Choice(NamedTuple):
    """One comparison: `share` is 1 where `first` won, 0.5 for a tie, 0 where `second` won."""

    first: str
    second: str
    share: float
    subject: str


class Strength(NamedTuple):
    """A contestant's log strength against the mean of all, with its 95 % interval.

    Attributes:
        wins: of its comparisons; a tie counts half.
        chance: to win against a contestant of mean strength.
    """

    contestant: str
    comparisons: int
    wins: float
    strength: float
    low: float
    high: float
    chance: float


def strengths(choices: Sequence[Choice], prior_ties: int = 1) -> list[Strength]:
    """Every contestant's strength, the strongest first.

    Args:
        choices: comparisons.
        prior_ties: put on top for each two that met, so that one who never lost has a finite strength; 0 for maximum
            likelihood.

    Raises:
        TableError: nothing was compared, or contestants fall into groups that never met.
    """
    names = sorted({name for choice in choices for name in (choice.first, choice.second)})
    if len(names) < 2:
        raise TableError("nothing was compared: strengths need choices between two contestants")
    _require_connected(names, choices)
    met = sorted({tuple(sorted((choice.first, choice.second))) for choice in choices})
    added = [Choice(one, other, 0.5, f"\0{one}\0{other}") for one, other in met] * prior_ties
    rows = [*choices, *added]
    design = np.zeros((len(rows), len(names)))
    for at, row in enumerate(rows):
        design[at, names.index(row.first)], design[at, names.index(row.second)] = 1, -1
    # Strengths sum to zero: the last one is minus the sum of the others.
    basis = np.vstack([np.eye(len(names) - 1), -np.ones(len(names) - 1)])
    groups = np.unique([row.subject for row in rows], return_inverse=True)[1]
    won = np.array([row.share for row in rows])
    model = sm.GLM(won, design @ basis, family=sm.families.Binomial())
    repeated = len({choice.subject for choice in choices}) < len(choices)
    kind = {"cov_type": "cluster", "cov_kwds": {"groups": groups}} if repeated else {}
    with warnings.catch_warnings():
        # Nothing but ties fits perfectly as well, and what a rater's wins separate the prior's ties hold together.
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        fitted = model.fit(**kind)
    values = basis @ fitted.params
    errors = np.sqrt(np.diag(basis @ fitted.cov_params() @ basis.T))
    found = [
        _strength(name, choices, float(value), float(error))
        for name, value, error in zip(names, values, errors, strict=True)
    ]
    return sorted(found, key=lambda strength: -strength.strength)


def _strength(name: str, choices: Sequence[Choice], value: float, error: float) -> Strength:
    wins = [choice.share if choice.first == name else 1 - choice.share for choice in choices if name in choice[:2]]
    half = float(stats.norm.isf(0.025)) * error
    return Strength(
        name, len(wins), float(sum(wins)), value, value - half, value + half, float(1 / (1 + np.exp(-value)))
    )


def _require_connected(names: Sequence[str], choices: Sequence[Choice]) -> None:
    reached, grown = {names[0]}, True
    while grown:
        more = {name for choice in choices for name in choice[:2] if reached & set(choice[:2])} - reached
        reached, grown = reached | more, bool(more)
    apart = sorted(set(names) - reached)
    if apart:
        raise TableError(f"{', '.join(apart)} never met {names[0]}: their strengths cannot be compared")
