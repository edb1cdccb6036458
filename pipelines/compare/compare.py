"""Two runs and the nights before them, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.compare.alerts import AlertLimits, alerts, drifts_beyond, shares
from pipelines.compare.changes import OUTCOMES, balance, by_column, moved, reasons, score_moves, transitions
from pipelines.compare.drift import columns_of, drift, pooled
from pipelines.compare.images import changed_rows, measure, sample
from pipelines.compare.runs import Run, check_comparable, pair
from transforms.storage.store import StoreConfig

_SHOWN = 24


def compare(
    runs: Sequence[Run], limits: AlertLimits, config: StoreConfig, max_images: int, shown: int = _SHOWN
) -> dict[str, Any]:
    """The last run against the one before it, and its drift against all runs before it together.

    Args:
        runs: in the order of their nights, two at least.
        limits: what is let pass.
        config: how creatives are read.
        max_images: creatives to look at, at most; which ones is decided by their digests.
        shown: of the most changed.

    Raises:
        ConfigError: see `check_comparable`.
    """
    check_comparable(runs)
    *earlier, last = runs
    before, after = earlier[-1].index, last.index
    pairing = pair(before, after)
    changed = changed_rows(before, after, pairing)
    looked_at = sample(changed, max_images)
    images, unread = measure(looked_at, config, shown)
    columns = [columns_of(run) for run in runs]
    drifts = drift(pooled(columns[:-1]), columns[-1])
    lost = balance(before, after, pairing)
    return {
        "runs": [{"run_id": run.name, "rows": len(run.index), **shares(run.index, OUTCOMES)} for run in runs],
        "words": last.words._asdict(),
        "in_both": len(pairing.before),
        "gone": len(pairing.gone),
        "new": len(pairing.new),
        "transitions": transitions(before, after, pairing),
        "moved": [each._asdict() for each in moved(before, after, pairing)],
        "reasons": reasons(before, after),
        "placements": by_column(before, after, "placement"),
        "products": {**lost._asdict(), "lost_share": lost.lost_share},
        "scores": [each._asdict() for each in score_moves(before, after, pairing)],
        "creatives_changed": len(changed),
        "creatives_looked_at": len(looked_at),
        "creatives_unread": unread,
        "images": [each._asdict() for each in images],
        "drift": [{**each._asdict(), "beyond": drifts_beyond(each, limits)} for each in drifts],
        "nights": _nights(columns, [run.name for run in runs]),
        "alerts": alerts(before, after, lost, drifts, images, limits, last.words.owners),
    }


def _nights(columns: Sequence[dict[str, Any]], names: Sequence[str]) -> dict[str, dict[str, float]]:
    """The stability index of each column for each night against the first, by column and run."""
    result: dict[str, dict[str, float]] = {}
    for name, night in zip(names[1:], columns[1:], strict=True):
        for each in drift(columns[0], night):
            result.setdefault(f"{each.kind} {each.name}", {})[name] = each.psi
    return result
