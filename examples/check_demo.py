"""Hold a run over the example catalog against its table of expected outcomes, and draw a contact sheet.

    python -m examples.check_demo --output demo --expected examples/catalog/expected.csv

The newest run of OUTPUT counts. Prints every difference; the exit code is 1 if there is one.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from PIL import Image, ImageDraw, ImageOps

from transforms.ledger import read_index
from transforms.storage.store import open_store

Rows = list[dict[str, Any]]
_CELL, _GAP, _TEXT, _GREY = 240, 8, 26, "#f4f4f4"


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
    """A line for each enhanced product: the original, then its creatives, or why there is none."""
    products: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for row in rows:
        products.setdefault((row["advertiser_id"], row["product_id"]), {})[row["placement"]] = row
    shown = sorted(key for key, own in products.items() if any(row["outcome"] == "enhanced" for row in own.values()))
    step = _CELL + _GAP
    sheet = Image.new("RGB", (step * (len(placements) + 1) + _GAP, (step + _TEXT) * len(shown) + _GAP + _TEXT), _GREY)
    draw = ImageDraw.Draw(sheet)
    for column, heading in enumerate(("original", *placements)):
        draw.text((_GAP + column * step, _GAP), heading, fill="black")
    for line, key in enumerate(shown):
        top, own = _GAP + _TEXT + line * (step + _TEXT), products[key]
        draw.text((_GAP, top), _plain(key[1]), fill="black")
        _paste(sheet, next(row["source_uri"] for row in own.values()), _GAP, top + _TEXT)
        for column, placement in enumerate(placements, 1):
            row, left = own.get(placement), _GAP + column * step
            if row and row["outcome"] == "enhanced":
                _paste(sheet, row["creative_uri"], left, top + _TEXT)
            elif row:
                draw.text((left, top + _TEXT), f"{row['outcome']}: {row['reason']}", fill="#8a1c1c")
    return sheet


def _plain(text: str) -> str:
    """`text` in the letters that Pillow's own font has."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


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
