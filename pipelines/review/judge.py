"""From what a page asks to decisions that can be recorded: which rows, which columns, and what is not possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from pipelines.review.items import can_retry
from pipelines.review.pages import creative_key
from pipelines.review.runs import Row
from transforms.decisions import REFUSALS, SCENE, Standing, slot_of, standings

MAX_NOTE = 500
MAX_ITEMS = 20_000
_ON_CREATIVES = ("accept", "refuse", "withdraw", "retry", "flag")
_SCOPES = ("product", "product_feature", "feature")
Entry = dict[str, Any]


class Impossible(ValueError):
    """What was asked cannot be done; the message is for the one who asked."""


def entries_for(asked: Mapping[str, Any], rows: Mapping[str, Row], decided: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """The decisions that a page's request stands for.

    Args:
        asked: `action`, `ids`, and by action `reason`, `note`, `scope`.
        rows: item id -> row, of one advertiser: other ids are unknown.
        decided: this advertiser's decisions so far.

    Raises:
        Impossible: it cannot be done, and nothing is.
    """
    action, note = asked.get("action"), _note(asked)
    chosen = _chosen(asked, rows)
    if action == "opt_out":
        return [_opt_out(chosen[0], asked.get("scope"), note)]
    if action not in _ON_CREATIVES:
        raise Impossible("unknown action")
    reason = asked.get("reason") if action == "refuse" else None
    if action == "refuse" and reason not in REFUSALS:
        raise Impossible(f"a refusal needs a reason out of {', '.join(REFUSALS)}")
    if action == "flag" and not note:
        raise Impossible("a flag says what is wrong")
    standing = standings(decided)
    for row in chosen:
        _check(action, row, standing.get((slot_of(row), creative_key(row)), Standing()))
    return [{**entry_of(row), "reason": reason, "note": note} for row in chosen]


def _note(asked: Mapping[str, Any]) -> str:
    note = asked.get("note") or ""
    if not isinstance(note, str) or len(note) > MAX_NOTE:
        raise Impossible(f"a note has {MAX_NOTE} characters at most")
    if not is_text(note):
        raise Impossible("a note holds half a character; write it again")
    return note.strip()


def is_text(value: Any) -> TypeGuard[str]:
    """Whether `value` is text that can be kept: JSON may hold one half of a character that takes two."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _chosen(asked: Mapping[str, Any], rows: Mapping[str, Row]) -> list[Row]:
    ids = asked.get("ids")
    if not isinstance(ids, list) or not ids or len(ids) > MAX_ITEMS or not all(isinstance(name, str) for name in ids):
        raise Impossible(f"ids: expected a list of 1 to {MAX_ITEMS} items")
    unknown = [name for name in ids if name not in rows]
    if unknown:
        raise Impossible("unknown creative; load the page again")
    return [rows[name] for name in dict.fromkeys(ids)]


def _check(action: str, row: Row, standing: Standing) -> None:
    verdict = standing.verdict["action"] if standing.verdict else ""
    if action in ("accept", "refuse", "withdraw") and row["outcome"] != "enhanced":
        raise Impossible("there is no creative to decide on")
    if action == "accept" and standing.pruned:
        raise Impossible("its files were deleted; ask for another candidate")
    if action == "withdraw" and verdict != "accept":
        raise Impossible("only an accepted creative can be withdrawn")
    if action == "retry" and not can_retry(row):
        raise Impossible("another candidate would end the same way: the photo itself is the cause")


def entry_of(row: Row) -> Entry:
    """The columns of a decision that say which creative it is about."""
    names = ("advertiser_id", "product_id", "placement", "image_uri", "creative_uri", "evidence_uri")
    found = {name: row[name] for name in names}
    return {
        **found,
        "advertiser_id": row["advertiser_id"] or "",
        "feature": row["task"],
        "creative_key": creative_key(row),
    }


def _opt_out(row: Row, scope: Any, note: str) -> Entry:
    if scope not in _SCOPES or (scope != "product" and not row["task"]):
        raise Impossible(f"an opt-out has a scope out of {', '.join(_SCOPES)}")
    if scope != "feature" and not row["product_id"]:
        # without a product an opt-out holds for all of the advertiser's
        raise Impossible("the row names no product to opt out; correct it in your feed")
    if row["task"] == SCENE and scope == "product":
        raise Impossible("a group is opted out of scenes; its products, where they are reviewed")
    product = None if scope == "feature" else row["product_id"]
    feature = None if scope == "product" else row["task"]
    return {"advertiser_id": row["advertiser_id"] or "", "product_id": product, "feature": feature, "note": note}
