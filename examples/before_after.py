"""The README's picture: originals of the example catalog beside what the job made of them.

python -m examples.before_after --output demo --to docs/images/before_after.jpg
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image, ImageOps

from examples.check_demo import newest_index

_SHOWN = (
    ("armchair-green", "pinterest_standard"),
    ("coffee-01", "pmax_square"),
    ("boots-01", "pmax_landscape"),
    ("table-round", "pinterest_standard"),
    ("cactus-01", "meta_stories"),
    ("guitar-01", "pmax_square"),
)
_HEIGHT, _GAP, _COLUMNS = 300, 12, 3


def main() -> None:
    """Draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="a demo's output")
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    rows = {(row["product_id"], row["placement"]): row for row in newest_index(str(options.output.absolute()))}
    pairs = [_pair(rows[key]["source_uri"], rows[key]["creative_uri"]) for key in _SHOWN if key in rows
             and rows[key]["creative_uri"]]  # fmt: skip
    lines = [pairs[start : start + _COLUMNS] for start in range(0, len(pairs), _COLUMNS)]
    widths = [sum(pair.width + 3 * _GAP for pair in line) for line in lines]
    sheet = Image.new("RGB", (max(widths), len(lines) * (_HEIGHT + _GAP) + _GAP), "white")
    for number, line in enumerate(lines):
        left = _GAP
        for pair in line:
            sheet.paste(pair, (left, _GAP + number * (_HEIGHT + _GAP)))
            left += pair.width + 3 * _GAP
    options.to.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(options.to, quality=88)


def _pair(before: str, after: str) -> Image.Image:
    small = [_at_height(path) for path in (before, after)]
    pair = Image.new("RGB", (sum(image.width for image in small) + _GAP // 2, _HEIGHT), "white")
    pair.paste(small[0], (0, 0))
    pair.paste(small[1], (small[0].width + _GAP // 2, 0))
    return pair


def _at_height(path: str) -> Image.Image:
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    return upright.resize((round(upright.width * _HEIGHT / upright.height), _HEIGHT), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
