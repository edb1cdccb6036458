"""Plots of an experiment as SVG text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from pipelines.report.plots import svg_text

_INK, _BLUE, _ORANGE, _GREEN = "#333333", "#4c72b0", "#c46a1b", "#2a9d5c"
TITLES: Mapping[str, str] = {
    "ctr": "Click rate",
    "long_click_rate": "Long clicks (30 s and more) per impression",
    "click_volume": "Click volume",
}


def forest(lifts: Sequence[Mapping[str, Any]], confidence: float) -> str:
    """Each metric's lift with its interval."""
    figure = Figure(figsize=(8, 0.9 + 0.55 * len(lifts)), layout="constrained")
    axes = figure.add_subplot()
    for at, lift in enumerate(lifts):
        high = lift["high"] if lift["high"] is not None else lift["lift"] * 3 + 1
        clear = lift["low"] > 0 or high < 0
        color = (_GREEN if lift["lift"] > 0 else _ORANGE) if clear else "#8d99ae"
        axes.plot([lift["low"], high], [at, at], color=color, linewidth=3, solid_capstyle="butt")
        axes.plot(lift["lift"], at, "o", color=color, markersize=8)
        axes.annotate(
            f"{lift['lift']:+.1%}", (lift["lift"], at), (0, 8), textcoords="offset points", ha="center", fontsize=9
        )
    axes.axvline(0, color=_INK, linewidth=0.8)
    axes.set_yticks(range(len(lifts)), [TITLES[lift["metric"]] for lift in lifts], fontsize=9)
    axes.set_ylim(len(lifts) - 0.5, -0.7)
    axes.set_xlabel(f"lift, {confidence:.0%} interval clustered by product", fontsize=9)
    _percent(axes.xaxis)
    _bare(axes)
    return svg_text(figure)


def over_days(looks: Sequence[Mapping[str, Any]], title: str) -> str:
    """The lift after every day with its three intervals."""
    if len(looks) < 2:
        return ""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.add_subplot()
    days = np.arange(1, len(looks) + 1)
    lift = np.array([look["lift"] for look in looks])
    low, high = (_values(looks, f"fixed_{end}") for end in ("low", "high"))
    axes.fill_between(days, low, high, color=_BLUE, alpha=0.25, linewidth=0, label="one look only")
    for name, color, label in (("repeated", _ORANGE, "group-sequential"), ("always", _GREEN, "always valid")):
        for end in ("low", "high"):
            text = label if end == "low" else None
            axes.plot(days, _values(looks, f"{name}_{end}"), color=color, linewidth=1.3, label=text)
    axes.plot(days, lift, "o-", color=_INK, markersize=3.5, linewidth=1.2, label="lift so far")
    axes.axhline(0, color=_INK, linewidth=0.8)
    middle, reach = lift[-1], max(4 * (high[-1] - low[-1]), 1.5 * float(np.ptp(lift)), 0.02)
    axes.set_ylim(max(min(middle - reach, -0.1 * reach), -1), max(middle + reach, 0.1 * reach))
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel("days of traffic", fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _percent(axes.yaxis)
    axes.tick_params(labelsize=8)
    _bare(axes)
    axes.legend(fontsize=8, frameon=False, ncols=4, loc="upper right")
    return svg_text(figure)


def _values(looks: Sequence[Mapping[str, Any]], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([np.inf if look[name] is None else look[name] for look in looks]).clip(-1, 1e3)


def _percent(axis: Any) -> None:
    axis.set_major_formatter(PercentFormatter(1, decimals=0))
    axis.set_tick_params(labelsize=8)


def _bare(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="both", color="#eeeeee", linewidth=0.7)
    axes.set_axisbelow(True)
