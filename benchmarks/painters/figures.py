"""What the rows of all entrants come to, over the inputs that all of them painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.painters.measures import seam_shows
from benchmarks.painters.run import Row, picture_of
from models.evaluation.agreement import ColorAgreement, color_agreement, told_apart
from models.evaluation.intervals import Mean, mean_of
from models.evaluation.kernel_distance import kernel_distance, subset_distances

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Figures:
    """One entrant's, over `count` inputs; None where a task has no such figure.

    Attributes:
        distance: kernel distance to real pictures, times 1000, and `spread`, its standard deviation over subsets.
        subsets: the distances over the subsets that all entrants share.
        grown: object expansion in % of the product's area, and `grew`, the share of pictures beyond 1 %.
        seam: medians and 95th percentiles of the seam score, and `hidden`, the share without a visible seam.
        surface: see `told_apart`.
        shipped: share that the stages' limits would let through.
    """

    name: str
    count: int
    distance: float
    spread: float
    subsets: NDArray[np.float64]
    grown: Mean
    grew: float
    shipped: float
    variety: Mean
    seconds: Mean
    halo: Mean | None = None
    colour: ColorAgreement | None = None
    surface: float | None = None
    seam: tuple[float, float] | None = None
    hidden: float | None = None
    strange: float | None = None


def complete(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by entrant, of the inputs that every entrant painted, in the same order."""
    by: dict[str, dict[str, Row]] = {}
    for row in rows:
        by.setdefault(row["entrant"], {})[row["input"]] = row
    shared = set.intersection(*(set(found) for found in by.values())) if by else set()
    order = [row["input"] for row in next(iter(by.values()), {}).values() if row["input"] in shared]
    return {name: [found[key] for key in order] for name, found in by.items()}


def figures_of(by: Mapping[str, list[Row]], real: Features, out: Path, *, paired: bool, seed: int) -> list[Figures]:
    """The figures of every entrant.

    Args:
        by: see `complete`.
        real: features of real pictures [M, D]; where `paired`, those of the inputs' originals in the rows' order.
        out: where the pictures' features are.
    """
    features = [np.stack([np.load(picture_of(out, row, "npy")) for row in rows]) for rows in by.values()]
    subsets = subset_distances(features, real, paired=paired, seed=seed) * 1000
    return [
        _figures(name, rows, 1000 * kernel_distance(each, real, paired=paired), drawn)
        for (name, rows), each, drawn in zip(by.items(), features, subsets, strict=True)
    ]


def _figures(name: str, rows: Sequence[Row], distance: float, subsets: NDArray[np.float64]) -> Figures:
    special = _of_outpaint(rows) if rows[0]["task"] == "outpaint" else _of_background(rows)
    return Figures(
        name=name,
        count=len(rows),
        distance=distance,
        spread=float(subsets.std()),
        subsets=subsets,
        grown=mean_of([100 * row["expansion"] for row in rows]),
        grew=float(np.mean([row["expansion"] > 0.01 for row in rows])),
        shipped=float(np.mean([row["shipped"] for row in rows])),
        variety=mean_of([row["variety"] for row in rows]),
        seconds=mean_of([row["seconds"] for row in rows]),
        **special,  # type: ignore[arg-type]
    )


def _of_background(rows: Sequence[Row]) -> dict[str, object]:
    measured, asked = (np.array([row[name] for row in rows]) for name in ("colour", "asked"))
    rough = [row["rough"] for row in rows]
    return {
        "halo": mean_of([row["halo"] for row in rows]),
        "colour": color_agreement(measured, asked),
        "surface": told_apart([row["roughness"] for row in rows], rough) if any(rough) else None,
    }


def _of_outpaint(rows: Sequence[Row]) -> dict[str, object]:
    scores = [row["seam_score"] for row in rows]
    return {
        "seam": (float(np.median(scores)), float(np.percentile(scores, 95))),
        "hidden": float(np.mean([not seam_shows(row) for row in rows])),
        "strange": float(np.median([row["strangeness"] for row in rows])),
    }
