"""Plots of a run as SVG text."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

_INK, _BAR = "#333333", "#4c72b0"
OUTCOME_COLORS: Mapping[str, str] = {
    "enhanced": "#2a9d5c",
    "skipped": "#8d99ae",
    "rejected": "#e0a030",
    "failed": "#c8443a",
}


def histograms(values: Mapping[str, Sequence[float]], unit: str = "", columns: int = 4) -> str:
    """A small histogram for each name, in a grid."""
    names = sorted(name for name in values if len(values[name]))
    if not names:
        return ""
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(3.0 * columns, 1.9 * rows), layout="constrained")
    for number, name in enumerate(names, 1):
        axes = figure.add_subplot(rows, columns, number)
        axes.hist(list(values[name]), bins=24, color=_BAR)
        axes.set_title(name, fontsize=8, color=_INK)
        axes.tick_params(labelsize=6)
        axes.set_xlabel(unit, fontsize=6)
    return svg_text(figure)


def stacked_outcomes(groups: Mapping[str, Mapping[str, int]]) -> str:
    """Outcomes by group as stacked horizontal bars."""
    if not groups:
        return ""
    figure = Figure(figsize=(9, 0.6 + 0.34 * len(groups)), layout="constrained")
    axes = figure.add_subplot()
    left = dict.fromkeys(groups, 0)
    labels = [name.replace("$", r"\$") for name in groups]  # what stands between two of them would be set as a formula
    for outcome, color in OUTCOME_COLORS.items():
        widths = [groups[name].get(outcome, 0) for name in groups]
        axes.barh(labels, widths, left=[left[name] for name in groups], color=color, label=outcome)
        left = {name: left[name] + width for name, width in zip(groups, widths, strict=True)}
    axes.invert_yaxis()
    axes.tick_params(labelsize=8)
    axes.legend(fontsize=7, ncols=4, frameon=False, loc="lower right", bbox_to_anchor=(1, 1))
    return svg_text(figure)


def svg_text(figure: Figure) -> str:
    """`figure` as an SVG element without a date, to be put into a page."""
    sink = io.StringIO()
    figure.savefig(sink, format="svg", metadata={"Date": None})
    text = sink.getvalue()
    return text[text.index("<svg") :]
