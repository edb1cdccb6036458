"""Looking more than once without fooling oneself.

Two ways, both on the estimate and standard error of each look:

- Group-sequential boundaries by alpha spending, for looks that are planned (Lan, DeMets, "Discrete sequential
  boundaries for clinical trials", Biometrika 70, 1983, spending by calendar time as in their 1989 paper). Crossing
  probabilities by the recursion of Armitage, McPherson, Rowe (J. R. Statist. Soc. A 132, 1969); intervals are the
  repeated confidence intervals of Jennison, Turnbull ("Group Sequential Methods", 2000, chapter 9).
- Always-valid intervals, for whoever looks at any time: the normal-mixture sequential probability ratio test inverted
  (Johari, Koomen, Pekelis, Walsh, "Always Valid Inference", Operations Research 70, 2022, section 4; asymptotic
  validity as in Waudby-Smith et al., "Time-uniform central limit theory and asymptotic confidence sequences", 2021).

Both rest on increments of information being independent, which holds approximately for ratios over growing data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtr, roots_legendre

_REAL = NDArray[np.float64]
_NODES, _WEIGHTS = roots_legendre(192)
_WIDEST = 10.0
_LEAST_STEP = 0.01  # of the information; narrower, the quadrature fails. Taking more for new widens the boundaries


def obrien_fleming(share: float, alpha: float) -> float:
    """Alpha spent at a share of the planned time: little early, most at the end (Lan, DeMets 1983, half on a side)."""
    return float(4 * stats.norm.sf(stats.norm.isf(alpha / 4) / np.sqrt(share))) if share > 0 else 0.0


def pocock(share: float, alpha: float) -> float:
    """Alpha spent nearly evenly over the planned time (Lan, DeMets 1983)."""
    return float(alpha * np.log(1 + (np.e - 1) * share))


SPENDING: Mapping[str, Callable[[float, float], float]] = {"obrien_fleming": obrien_fleming, "pocock": pocock}


def boundaries(
    shares: Sequence[float], alpha: float, spending: str = "obrien_fleming", information: _REAL | None = None
) -> _REAL:
    """Two-sided critical values of |z| for each look.

    Args:
        shares: of the planned time, growing, the last at most 1.
        alpha: the chance, over all looks, to cross without an effect.
        spending: a name of `SPENDING`.
        information: 1 / variance at each look, up to a factor; None takes `shares`.
    """
    info = _growing(np.asarray(information if information is not None else shares, float))
    spent, found = 0.0, []
    nodes, density = np.zeros(1), np.ones(1)  # of the score at the last look, times the quadrature's weight
    for at, share in enumerate(shares):
        step = float(np.sqrt(info[at] - (info[at - 1] if at else 0.0)))
        target = SPENDING[spending](min(share, 1.0), alpha) - spent
        bound = _bound(nodes, density, step, float(np.sqrt(info[at])), target)
        found.append(bound)
        spent += target
        edge = bound * np.sqrt(info[at])
        following = _NODES * edge
        kernel = np.exp(-0.5 * ((following[:, None] - nodes) / step) ** 2) / (step * np.sqrt(2 * np.pi))
        nodes, density = following, (kernel @ density) * _WEIGHTS * edge
    return np.array(found)


def _growing(information: _REAL) -> _REAL:
    """Estimated information may stand still or fall by chance; then little was learned, not nothing."""
    ramp = _LEAST_STEP * np.arange(len(information))
    return np.maximum.accumulate(information / information.max() - ramp) + ramp


def _bound(nodes: _REAL, density: _REAL, step: float, root: float, target: float) -> float:
    def excess(z: float) -> float:
        edge = z * root
        beyond = ndtr((nodes - edge) / step) + ndtr((-edge - nodes) / step)
        return float(density @ beyond) - target

    return float(brentq(excess, 1e-3, _WIDEST)) if excess(_WIDEST) < 0 else _WIDEST


def always_valid_half_width(se: _REAL, alpha: float, mixing_sd: float) -> _REAL:
    """Half the width of an interval that holds at all times together with a chance of 1 - alpha.

    Args:
        se: standard errors of the log ratio.
        mixing_sd: the size of log ratio for which it is tightest, chosen before the data are seen.
    """
    variance, prior = se**2, mixing_sd**2
    grown = variance + prior
    half: _REAL = np.sqrt(variance * grown / prior * np.log(grown / (variance * alpha**2)))
    return half


def normal_equivalent(t: _REAL, df: _REAL) -> _REAL:
    """The z of the same tail as Student's `t`, so that boundaries for normal scores apply to few products."""
    tails = stats.t.logsf(np.abs(t), df)
    z: _REAL = np.sign(t) * stats.norm.isf(np.exp(np.maximum(tails, -700.0)))
    return z


def student_equivalent(z: _REAL, df: _REAL) -> _REAL:
    """The critical value of Student's t with the tail of a normal `z`: the inverse of `normal_equivalent`."""
    critical: _REAL = stats.t.isf(np.maximum(stats.norm.sf(z), 1e-300), df)
    return critical
