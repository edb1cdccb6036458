"""Hold a run over the example catalog against its table of expected outcomes, and draw a contact sheet.

    python -m examples.check_demo --output demo --expected examples/catalog/expected.csv

The newest run of OUTPUT counts. Prints every difference; the exit code is 1 if there is one.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from PIL import Image, ImageDraw, ImageOps

from transforms.ledger import read_index
from transforms.storage.store import open_store

Rows = list[dict[str, Any]]
_CELL, _GAP, _TEXT = 240, 8, 26


class Expected(NamedTuple):
    """What should become of a product: its outcome and reason in every placement but those of `instead`."""

    outcome: str
    reason: str
    instead: dict[str, tuple[str, str]]


def read_expected(path: Path) -> dict[tuple[str, str], Expected]:
    """(advertiser, product) -> what is expected; `except` is `placement=outcome:reason` separated by blanks."""
    expected = {}
    for row in csv.DictReader(path.open(newline="")):
        pairs = (part.split("=") for part in (row.get("except") or "").split())
        instead = {placement: (what.split(":")[0], what.split(":")[1]) for placement, what in pairs}
        expected[row["advertiser_id"], row["product_id"]] = Expected(row["outcome"], row["reason"] or "ok", instead)
    return expected


def newest_index(output: str) -> Rows:
    """The index of the newest finished run."""
    runs = sorted(path.name for path in (Path(output) / "runs").iterdir() if (path / "report.json").exists())
    return list(pa.concat_tables(read_index(open_store(output), f"{output}/runs/{runs[-1]}")).to_pylist())


def differences(rows: Rows, expected: dict[tuple[str, str], Expected]) -> list[str]:
    """Every row that ended otherwise, and every product without a row."""
    found = []
    for row in rows:
        want = expected.get((row["advertiser_id"], row["product_id"]))
        if want is None:
            found.append(f"{row['product_id']}: no expected outcome")
            continue
        outcome, reason = want.instead.get(row["placement"], (want.outcome, want.reason))
        if (row["outcome"], row["reason"]) != (outcome, reason):
            found.append(
                f"{row['product_id']} {row['placement']}: {row['outcome']} ({row['reason']}, {row['value']}, "
                f"limit {row['limit']}), expected {outcome} ({reason}): {row['detail']}"
            )
    present = {(row["advertiser_id"], row["product_id"]) for row in rows}
    return found + [f"{product}: missing from the index" for _, product in expected.keys() - present]


def contact_sheet(rows: Rows, placements: list[str]) -> Image.Image:
    """A line for each enhanced product: the original, then its creatives."""
    products = {}
    for row in rows:
        if row["outcome"] == "enhanced":
            products.setdefault((row["advertiser_id"], row["product_id"]), {})[row["placement"]] = row
    step = _CELL + _GAP
    sheet = Image.new("RGB", (step * (len(placements) + 1) + _GAP, (step + _TEXT) * len(products) + _GAP), "#f4f4f4")
    draw = ImageDraw.Draw(sheet)
    for line, ((_, product), creatives) in enumerate(sorted(products.items())):
        top = _GAP + line * (step + _TEXT)
        draw.text((_GAP, top), product, fill="black")
        first = next(iter(creatives.values()))
        _paste(sheet, first["source_uri"], _GAP, top + _TEXT)
        for column, placement in enumerate(placements, 1):
            if placement in creatives:
                _paste(sheet, creatives[placement]["creative_uri"], _GAP + column * step, top + _TEXT)
    return sheet


def _paste(sheet: Image.Image, path: str, left: int, top: int) -> None:
    with Image.open(path) as image:
        small = ImageOps.exif_transpose(image).convert("RGBA")
        small.thumbnail((_CELL, _CELL))
        sheet.paste(small, (left, top), small)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True)
    parser.add_argument("--expected", type=Path, required=True)
    options = parser.parse_args()
    output = str(Path(options.output).absolute())
    rows = newest_index(output)
    placements = list(dict.fromkeys(row["placement"] for row in rows if row["placement"]))
    sheet = Path(output) / "contact_sheet.png"
    contact_sheet(rows, placements).save(sheet)
    enhanced = {(row["advertiser_id"], row["product_id"]) for row in rows if row["outcome"] == "enhanced"}
    print(f"{len(enhanced)} products enhanced, in {len(placements)} placements; outcomes "
          f"{json.dumps(Counter(row['outcome'] for row in rows))}; sheet: {sheet}")  # fmt: skip
    wrong = differences(rows, read_expected(options.expected))
    for line in wrong:
        print(f"unexpected: {line}")
    print("every outcome is as expected" if not wrong else f"{len(wrong)} outcomes differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
