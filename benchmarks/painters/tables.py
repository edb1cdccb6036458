"""The figures as Markdown tables, and who leads by which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.painters.figures import Figures
from models.evaluation.intervals import Mean


class Rank(NamedTuple):
    """A figure that entrants are ranked by; `value` is None where one has none."""

    title: str
    value: Callable[[Figures], float | None]
    form: str
    most: bool = False


BACKGROUND = (
    Rank("kernel distance", lambda one: one.distance, "{:.1f}"),
    Rank("object expansion", lambda one: one.grown.value, "{:.1f} %"),
    Rank("halo", lambda one: one.halo.value if one.halo else None, "{:.3f}"),
    Rank("let through", lambda one: one.shipped, "{:.0%}", most=True),
    Rank("colour as asked", lambda one: one.colour.right if one.colour else None, "{:.0%}", most=True),
    Rank("variety over seeds", lambda one: one.variety.value, "{:.3f}", most=True),
    Rank("CPU seconds", lambda one: one.seconds.value, "{:.2f}"),
)
OUTPAINT = (
    Rank("kernel distance", lambda one: one.distance, "{:.1f}"),
    Rank("object expansion", lambda one: one.grown.value, "{:.1f} %"),
    Rank("seam not seen", lambda one: one.hidden, "{:.0%}", most=True),
    Rank("let through", lambda one: one.shipped, "{:.0%}", most=True),
    Rank("variety over seeds", lambda one: one.variety.value, "{:.3f}", most=True),
    Rank("CPU seconds", lambda one: one.seconds.value, "{:.2f}"),
)
RANKS = {"background": BACKGROUND, "outpaint": OUTPAINT}


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n"


def background_table(found: Sequence[Figures], absent: Sequence[str]) -> str:
    """The two tables of backgrounds: what a picture is like, and what it owes to its prompt."""
    looks = table(
        ("painter", "kernel distance", "product grown, %", "grown > 1 %", "halo", "let through", "CPU s"),
        [
            (
                f"`{one.name}`",
                f"{one.distance:.1f} ± {one.spread:.1f}",
                _mean(one.grown, 1),
                f"{one.grew:.0%}",
                _mean(one.halo, 3),
                f"{one.shipped:.0%}",
                f"{one.seconds.value:.2f}",
            )
            for one in found
        ]
        + [_absent(name, 7) for name in absent],
    )
    words = table(
        ("painter", "colour from the one asked for, CIEDE2000", "from others'", "right colour", "under others' prompts",
         "rough told from smooth, AUC", "variety over seeds"),
        [
            (
                f"`{one.name}`",
                f"{one.colour.difference:.1f}",
                f"{one.colour.shuffled:.1f}",
                f"{one.colour.right:.0%}",
                f"{one.colour.by_chance:.0%}",
                "" if one.surface is None else f"{one.surface:.2f}",
                _mean(one.variety, 3),
            )
            for one in found
            if one.colour is not None
        ]
        + [_absent(name, 7) for name in absent],
    )  # fmt: skip
    return f"{looks}\n{words}"


def outpaint_table(
    found: Sequence[tuple[str, Figures]], real: Sequence[tuple[str, Figures]], absent: Sequence[str]
) -> str:
    """One table: entrants by direction, then real photographs at a random place."""
    rows = [
        (
            f"`{one.name}`",
            direction.replace("_", " "),
            f"{one.distance:.1f} ± {one.spread:.1f}",
            _mean(one.grown, 1),
            *_seams(one),
            f"{one.shipped:.0%}",
            _mean(one.variety, 3),
            f"{one.seconds.value:.2f}",
        )
        for direction, one in found
    ]
    rows += [(one.name, direction.replace("_", " "), "0", "", *_seams(one), "", "", "") for direction, one in real]
    heads = ("painter", "direction", "kernel distance", "product grown, %", "seam score, median / p95", "seam not seen",
             "strangeness", "let through", "variety over seeds", "CPU s")  # fmt: skip
    return table(heads, [*rows, *(_absent(name, 10) for name in absent)])


def leaders(task: str, found: Sequence[Figures]) -> list[str]:
    """A plain sentence for each figure: who leads, by what, before whom."""
    return [sentence for rank in RANKS[task] if (sentence := _leader(task, rank, found))]


def _leader(task: str, rank: Rank, found: Sequence[Figures]) -> str:
    have = [(value, one) for one in found if (value := rank.value(one)) is not None]
    if len(have) < 2:
        return ""
    have.sort(key=lambda pair: -pair[0] if rank.most else pair[0])
    (best, first), (second, other) = have[:2]
    shown, after = rank.form.format(best), rank.form.format(second)
    if shown == after:
        ties = ", ".join(f"`{one.name}`" for value, one in have if rank.form.format(value) == shown)
        return f"{task}, {rank.title}: {ties} are level at {shown}"
    sure = f", nearer in {np.mean(first.subsets < other.subsets):.0%} of subsets" if "kernel" in rank.title else ""
    return f"{task}, {rank.title}: `{first.name}` leads with {shown}, then `{other.name}` with {after}{sure}"


def _mean(mean: Mean | None, digits: int) -> str:
    if mean is None:
        return ""
    return f"{mean.value:.{digits}f} ({mean.low:.{digits}f} to {mean.high:.{digits}f})"


def _seams(one: Figures) -> tuple[str, str, str]:
    if one.seam is None or one.hidden is None or one.strange is None:
        return "", "", ""
    return f"{one.seam[0]:.2f} / {one.seam[1]:.2f}", f"{one.hidden:.0%}", f"{one.strange:.1f}"


def _absent(name: str, columns: int) -> tuple[str, ...]:
    return (f"`{name}`", "no weights here", *("" for _ in range(columns - 2)))
