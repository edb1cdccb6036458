"""Plots of a comparison as SVG text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from pipelines.report.plots import OUTCOME_COLORS, svg_text

_SHOWN = 8


def outcome_shares(runs: Sequence[Mapping[str, Any]]) -> str:
    """Shares of outcomes, a bar for each run."""
    figure = Figure(figsize=(8, 0.7 + 0.36 * len(runs)), layout="constrained")
    axes = figure.add_subplot()
    names = [str(run["run_id"]) for run in runs]
    left = [0.0] * len(runs)
    for outcome, color in OUTCOME_COLORS.items():
        widths = [float(run[outcome]) for run in runs]
        axes.barh(range(len(runs)), widths, left=left, color=color, label=outcome)
        for at, width in enumerate(widths):
            if width > 0.06:
                axes.text(left[at] + width / 2, at, f"{width:.0%}", ha="center", va="center", fontsize=8, color="white")
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(runs)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.tick_params(axis="x", labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(fontsize=8, ncols=4, frameon=False, loc="lower right", bbox_to_anchor=(1, 1))
    return svg_text(figure)


def nightly_drift(nights: Mapping[str, Mapping[str, float]], limit: float) -> str:
    """The columns that drift most, over nights; nothing for less than two nights after the first."""
    if not nights or max(len(series) for series in nights.values()) < 2:
        return ""
    chosen = sorted(nights, key=lambda name: -max(nights[name].values()))[:_SHOWN]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for name in chosen:
        axes.plot(list(nights[name]), list(nights[name].values()), "o-", markersize=3.5, linewidth=1.2, label=name)
    axes.axhline(limit, color="#c8443a", linewidth=1, linestyle="--", label="limit")
    axes.set_ylabel("PSI against the first run", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.tick_params(axis="x", rotation=20)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return svg_text(figure)
