"""An index row as the page shows it: a short item for the list, and its details."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.review.reasons import words_for
from pipelines.review.runs import Row
from pipelines.review.scenes import members_of
from transforms.errors import redact
from transforms.placements import EXTENSIONS, Placement

# Scores that the list can be filtered by: name in the index, name on the page, whether more is better.
HEADLINE_SCORES: tuple[tuple[str, str, bool], ...] = (
    ("background_reward", "Background rank", True),
    ("segment_mask_quality", "Outline quality", True),
    ("background_visible_doubt", "Doubtful outline that shows", False),
    ("background_kept_shadow", "Own shadow kept", True),
    ("contrast", "Stands out", True),
    ("product_height", "Product height", True),
    ("halo", "Rim of the old background", False),
    ("seam_score", "Seam", False),
    ("strangeness", "Strangeness of bands", False),
    ("expansion", "Growth of the product", False),
    ("painted_share", "Painted share", False),
)
DETAILS_PER_FILE = 100
_PAINTED = frozenset({"background", "outpaint", "compose", "verify", "write"})


def list_items(rows: Iterable[Row], placements: Mapping[str, Placement]) -> list[dict[str, Any]]:
    """The short items of one advertiser, in order; short names, since there may be ten thousand."""
    firsts: dict[str, str] = {}
    items = []
    for row in rows:
        source = row["source_digest"]
        first = firsts.setdefault(source, row["item_id"]) if source else ""
        items.append(_item(row, first, placements))
    return items


def _item(row: Row, first: str, placements: Mapping[str, Placement]) -> dict[str, Any]:
    scores = dict(row["scores"] or ())
    placement = placements.get(row["placement"] or "")
    return {
        "i": row["item_id"],
        "p": row["product_id"] or "",
        "t": row["title"] or "",
        "c": row["product_category"] or "",
        "s": row["placement"] or "",
        "o": row["outcome"],
        "r": row["reason"],
        "k": row["task"] or "",
        "h": row["creative_height"] or (placement.size.height if placement else 1),
        "w": row["creative_width"] or (placement.size.width if placement else 1),
        "x": EXTENSIONS.get(row["creative_format"] or "", ""),
        "b": first,
        "y": int(can_retry(row)),
        **({"m": row["member"] or ""} if members_of(row) else {}),
        **({"d": _exact(row["shown_seed"])} if row.get("shown_seed") is not None else {}),
        "z": [_rounded(scores.get(name)) for name, _, _ in HEADLINE_SCORES],
    }


def can_retry(row: Row) -> bool:
    """Whether another seed could give another result: something was painted."""
    return bool(row["outcome"] == "enhanced" or (row["outcome"] == "rejected" and row["stage"] in _PAINTED))


def _rounded(value: float | None) -> float | None:
    return None if _known(value) is None else float(f"{value:.3g}")


def _known(value: float | None) -> float | None:
    """JSON has neither NaN nor infinity, and a page that finds one shows nothing."""
    return value if value is not None and math.isfinite(value) else None


def _exact(seed: int | None) -> str | None:
    """A browser's numbers are rounded from 2**53 on, and a seed names a scene."""
    return None if seed is None else str(seed)


def details_of(row: Row) -> dict[str, Any]:
    """Everything else that the page shows of an item."""
    words = words_for(row["reason"])
    return {
        "why": words._asdict(),
        "stage": row["stage"],
        "wrong": _wrong_of(row),
        "measured": _known(row["value"]),
        "limit": _known(row["limit"]),
        "prompt": row["prompt"],
        "seed": _exact(row["seed"]),
        "candidate_seed": _exact(row["candidate_seed"]),
        "painter": row["painter"],
        "models": dict(row["models"] or ()),
        "engine": row["engine_fingerprint"],
        "label": (row["label"] or "").rsplit("/", 1)[-1],
        "key": row["content_key"],
        "digest": row["creative_digest"],
        "bytes": row["creative_bytes"],
        "quality": row["creative_quality"],
        "source": {"height": row["source_height"], "width": row["source_width"], "format": row["source_format"]},
        "scale": row["transform_scale"],
        "products": [each["product_id"] or "" for each in members_of(row)],
        "kernel": row["transform_kernel"],
        "run": row["decided_in_run"],
        "finished": row["finished_at"].isoformat(timespec="seconds") if row["finished_at"] else None,
        "scores": {name: _rounded(value) for name, value in sorted(dict(row["scores"] or ()).items())},
    }


def _wrong_of(row: Row) -> str | None:
    """What is wrong in a row of the feed, without the place of the feed, which is not the advertiser's to know.

    >>> _wrong_of({"reason": "bad_row", "detail": "s3://feeds/a.parquet row 7: column 'seed' is negative"})
    "column 'seed' is negative"
    """
    found = re.search(r" row \d+: (.*)", row["detail"] or "", re.DOTALL) if row["reason"] == "bad_row" else None
    return redact(found[1]) if found else None


def reasons_of(rows: Iterable[Row]) -> dict[str, dict[str, str]]:
    """The words of the reasons that occur."""
    return {reason: words_for(reason)._asdict() for reason in sorted({row["reason"] for row in rows})}


def placements_of(rows: Iterable[Row], table: Mapping[str, Placement]) -> dict[str, dict[str, Any]]:
    """The placements that occur: size, and the safe zone as margins."""
    names = sorted({row["placement"] for row in rows if row["placement"]})
    return {
        name: {"h": table[name].size.height, "w": table[name].size.width, "safe": list(table[name].safe_margins)}
        for name in names
        if name in table
    }
