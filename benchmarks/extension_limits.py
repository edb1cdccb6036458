"""Do the limits of extensions refuse what raters refuse? A run's scores held against what raters say of its bands.

    python benchmarks/product_pixels.py --images DIR --count 230 --output OUT          # extends, whatever it looks like
    python -m pipelines.rating sheets --side 640 --db FIT.sqlite ... ; answers ; export --out FIT.parquet
    python -m benchmarks.extension_limits --run OUT/runs/photographs --ratings FIT.parquet [MORE.parquet]
    python -m benchmarks.extension_limits --scores OUT/extensions.csv --ratings FIT.parquet --visible 0.28 0.32

An extension is sound where no rater calls its band defective. Prints, for each file of ratings, how well each score
tells sound from flawed, and what the job's limits let through: all of them, each one left out, and each one alone; then
the same with other limits of visible tears. Scores are a run's, or those of `benchmarks.extended_scenes`.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from pipelines.rating.rates import wilson
from transforms.ledger import read_index
from transforms.outpaint import OutpaintSettings
from transforms.storage.store import open_store
from transforms.verify import VerifyLimits


class Extension(NamedTuple):
    """A rated extension: its scores by name, and whether no rater found its band defective."""

    scores: dict[str, float]
    sound: bool


def job_limits() -> dict[str, float]:
    """The job's own limits, by the score that each is held against; more than the limit is refused."""
    outpaint, verify = OutpaintSettings(), VerifyLimits()
    return {
        "outpaint_incoherence": outpaint.max_incoherence,
        "outpaint_tears": outpaint.max_tears,
        "outpaint_visible_tears": outpaint.max_visible_tears,
        "seam_score": verify.max_seam_score,
        "seam_window": verify.max_seam_window,
        "seam_delta_e": verify.max_seam_delta_e,
        "strangeness": verify.max_strangeness,
    }


def read_extensions(run: str, ratings: Path) -> list[Extension]:
    """The extensions of a run's folder that two raters have judged, in a file of `pipelines.rating export`."""
    index = [row for table in read_index(open_store(run), run) for row in table.to_pylist()]
    return rated(index, pq.read_table(ratings).to_pylist())


def scored(path: Path) -> list[dict[str, Any]]:
    """Rows of `benchmarks.extended_scenes` as rows of an index: what is a number is a score."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    words = ("image", "original", "task", "placement", "output_digest")
    return [
        {
            "task": row["task"],
            "creative_digest": row["output_digest"],
            "scores": {name: float(value) for name, value in row.items() if name not in words},
        }
        for row in rows
    ]


def rated(index: Sequence[Mapping[str, Any]], ratings: Sequence[Mapping[str, Any]]) -> list[Extension]:
    """The extensions among the rows of an index that two raters have judged."""
    scores = {row["creative_digest"]: dict(row["scores"]) for row in index if row["task"] == "outpaint"}
    for found in scores.values():  # of runs before the score had a name of its own
        found.setdefault("outpaint_visible_tears", found.get("outpaint_tears", 0.0) * found.get("painted_share", 0.0))
    judged = [row for row in ratings if row["complete"] and row["output_digest"] in scores]
    return [Extension(scores[row["output_digest"]], row["p_band_defect"] == 0) for row in judged]


def auc_of(values: Sequence[float], sound: Sequence[bool]) -> float:
    """The chance that a flawed extension scores higher than a sound one; equal ones count half."""
    flawed, good = (np.array([v for v, s in zip(values, sound, strict=True) if s is kind]) for kind in (False, True))
    if not len(flawed) or not len(good):
        return float("nan")
    ahead = flawed[:, None] - good[None, :]
    return float((ahead > 0).mean() + 0.5 * (ahead == 0).mean())


def passing(extensions: Sequence[Extension], limits: dict[str, float], names: Collection[str]) -> list[Extension]:
    """Those within the limits that are named."""
    return [one for one in extensions if all(one.scores[name] <= limits[name] for name in names)]


def table_of(extensions: Sequence[Extension], limits: dict[str, float]) -> list[str]:
    """Lines of a table: every limit, its AUC, and what goes through without it and by it alone; the whole job first."""
    sound = sum(one.sound for one in extensions)
    lines = [
        f"{len(extensions)} extensions, {sound} of them sound; the job's limits let "
        f"{_told(passing(extensions, limits, limits))} through",
        "",
        "| score | limit | AUC | let through by it alone | by the others alone |",
        "|---|---|---|---|---|",
    ]
    flags = [one.sound for one in extensions]
    for name, limit in limits.items():
        alone, others = (
            passing(extensions, limits, [name]),
            passing(extensions, limits, [n for n in limits if n != name]),
        )
        auc = auc_of([one.scores[name] for one in extensions], flags)
        lines.append(f"| `{name}` | {limit:g} | {auc:.2f} | {_told(alone)} | {_told(others)} |")
    return lines


def _told(extensions: Sequence[Extension]) -> str:
    return f"{len(extensions)} ({sum(one.sound for one in extensions)} sound)"


def lines_of_limits(
    extensions: Sequence[Extension],
    limits: dict[str, float],
    values: Sequence[float],
    clean: Mapping[str, float] | None = None,
) -> list[str]:
    """Lines of a table: what goes through by all limits, that of visible tears being each of `values` in turn.

    Those beyond the job's own limit of visible tears must keep the stricter limits `clean` as well.
    """
    lines = ["", "| limit of visible tears | let through | sound | 95 % interval |", "|---|---|---|---|"]
    for value in values:
        strict = {**limits, **(clean or {}), "outpaint_visible_tears": value}
        through = [one for one in extensions if passing([one], limits, limits) or passing([one], strict, strict)]
        within = [one for one in through if one.scores["outpaint_visible_tears"] <= value]
        sound = sum(one.sound for one in within)
        told = "{:.0%} to {:.0%}".format(*wilson(sound / len(within), len(within))) if within else "-"
        lines.append(f"| {value:g} | {len(within)} | {sound} | {told} |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extension_limits", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", help="folder of a run of benchmarks/product_pixels.py")
    source.add_argument("--scores", type=Path, help="extensions.csv of benchmarks.extended_scenes")
    parser.add_argument("--ratings", type=Path, nargs="+", required=True, help="files of `pipelines.rating export`")
    parser.add_argument("--visible", type=float, nargs="*", default=[], help="other limits of visible tears")
    parser.add_argument(
        "--clean", nargs="*", default=[], metavar="SCORE=LIMIT", help="that those beyond the job's keep"
    )
    args = parser.parse_args()
    for path in args.ratings:
        limits = job_limits()
        found = rated(scored(args.scores), pq.read_table(path).to_pylist()) if args.scores else None
        found = read_extensions(args.run, path) if found is None else found
        values = sorted({limits["outpaint_visible_tears"], *args.visible})
        clean = {name: float(limit) for name, _, limit in (each.partition("=") for each in args.clean)}
        print("\n".join([f"\n{path}", *table_of(found, limits), *lines_of_limits(found, limits, values, clean)]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
