"""The card of a training set: what is in it, whose work, on what terms, what was left out and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from models.data.examples import Example
from models.data.opt_out import OptOut

CARD = "card.json"
READABLE = "card.md"


class Tally:
    """Counts examples as they pass."""

    def __init__(self) -> None:
        self.buckets: Counter[str] = Counter()
        self.sources: Counter[tuple[str, str]] = Counter()
        self.authors: Counter[str] = Counter()
        self.categories: Counter[str] = Counter()
        self.captions = 0
        self.later = 0

    def add(self, example: Example) -> None:
        """Count one example."""
        self.buckets[f"{example.split}/{example.bucket}"] += 1
        self.sources[example.source, example.licence] += 1
        self.authors.update(example.authors)
        self.categories[str(example.words.get("category", "unknown"))] += 1
        self.captions += len(example.captions)
        self.later += example.later is not None


def card_of(
    tally: Tally, products: Mapping[str, int], refused: Mapping[str, int], opt_out: OptOut, matched: Sequence[str]
) -> dict[str, Any]:
    """The card as plain JSON values.

    Args:
        tally: of what is in the set.
        products: how many different products each split shows.
        refused: how many pairs were left out, by reason.
        opt_out: the list.
        matched: its keys that some pair had.
    """
    return {
        "examples": sum(tally.buckets.values()),
        "by_bucket": dict(sorted(tally.buckets.items())),
        "by_source": [
            {"source": source, "licence": licence, "examples": count}
            for (source, licence), count in sorted(tally.sources.items())
        ],
        "authors": dict(sorted(tally.authors.items())),
        "products": dict(sorted(products.items())),
        "categories": dict(tally.categories.most_common()),
        "captions": tally.captions,
        "with_a_later_frame": tally.later,
        "left_out": dict(refused),
        "opt_out": {
            "keys": len(opt_out.keys),
            "matched": sorted(matched),
            "unknown": sorted(opt_out.keys - set(matched)),
            "digest": opt_out.digest,
        },
    }


def write_card(card: dict[str, Any], folder: Path) -> None:
    """Write the card into a folder of shards, with the shards' digests."""
    shards = {
        str(path.relative_to(folder)): {"bytes": path.stat().st_size, "sha256": sha256(path.read_bytes()).hexdigest()}
        for path in sorted(folder.glob("*/*.tar"))
    }
    whole = card | {"shards": shards}
    (folder / CARD).write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    (folder / READABLE).write_text(readable(whole))


def readable(card: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    held = card["products"]
    size = sum(shard["bytes"] for shard in card["shards"].values())
    parts = [
        f"# Training set of {card['examples']} examples\n",
        f"{len(card['shards'])} shards, {size / 1e6:.1f} MB; {card['captions']} captions; "
        f"{card['with_a_later_frame']} examples with a frame two seconds later. Different products and senders: "
        + ", ".join(f"{count} in {split}" for split, count in held.items())
        + ". None is in both.\n",
        "## Splits and sizes\n",
        _table(("split/bucket", "examples"), card["by_bucket"].items()),
        "## Sources and licences\n",
        _table(
            ("source", "licence", "examples"),
            [(row["source"], row["licence"], row["examples"]) for row in card["by_source"]],
        ),
        "## Left out\n",
        _table(("reason", "pairs"), card["left_out"].items()),
        "## Opted out\n",
        _opted_out(card["opt_out"]),
        "## Categories\n",
        ", ".join(f"{name} {count}" for name, count in card["categories"].items()) + "\n",
        "## Authors\n",
        "Of works under CC-BY-3.0 and of public-domain works alike: "
        + ", ".join(f"{name} ({count})" for name, count in card["authors"].items())
        + "\n",
    ]
    return "\n".join(parts)


def _opted_out(known: Mapping[str, Any]) -> str:
    if known["digest"] is None:
        return "No list was given.\n"
    return (
        f"{known['keys']} keys on the list (SHA-256 {known['digest']}), {len(known['matched'])} of them matched; "
        f"unknown here: {', '.join(known['unknown']) or 'none'}. The set was checked, after it was written, to hold "
        "none of them.\n"
    )


def _table(names: Sequence[str], rows: Any) -> str:
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(str(cell) for cell in row) for row in rows]
    return "".join(f"| {line} |\n" for line in lines)
