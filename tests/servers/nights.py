"""Finished runs made without a server: real index tables and real creatives, in the layout that a run leaves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from transforms.index import index_row, index_table
from transforms.ledger import parquet_bytes
from transforms.records import Outcome, Product


@dataclass(frozen=True)
class Row:
    """One row of an index that is to be."""

    product: str
    placement: str | None = "pmax_square"
    outcome: str = "enhanced"
    reason: str = "ok"
    advertiser: str = "acme"
    hue: int = 0
    scores: dict[str, float] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)


def picture(product: str, hue: int, side: int = 160, *, staged: bool) -> Image.Image:
    """A round vase, on white or on a coloured stage; the same names give the same pixels."""
    noise = np.random.default_rng(int(sha256(product.encode()).hexdigest()[:8], 16))
    color = tuple(int(c) for c in noise.integers(30, 200, 3))
    stage = Image.new("HSV", (side, side), (hue % 256, 90, 225)).convert("RGB")
    image = stage if staged else Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(image)
    if staged:
        draw.rectangle((0, side * 0.7, side, side), fill=tuple(int(c * 0.85) for c in stage.getpixel((0, 0))))
        draw.ellipse(
            (side * 0.3, side * 0.76, side * 0.75, side * 0.84),
            fill=tuple(int(c * 0.6) for c in stage.getpixel((0, 0))),
        )
        image = image.filter(ImageFilter.GaussianBlur(side / 60))
        draw = ImageDraw.Draw(image)
    draw.ellipse((side * 0.3, side * 0.35, side * 0.7, side * 0.82), fill=color)
    draw.rectangle((side * 0.42, side * 0.15, side * 0.58, side * 0.5), fill=color)
    draw.ellipse((side * 0.38, side * 0.12, side * 0.62, side * 0.19), fill=tuple(max(c - 30, 0) for c in color))
    return image


def write_run(output: Path, run_id: str, rows: Iterable[Row], side: int = 160, minute: int = 0) -> Path:
    """Write the run below `output` and return its folder."""
    table = [_row(output, run_id, number, row, side, minute) for number, row in enumerate(rows)]
    folder = output / "runs" / run_id
    (folder / "index").mkdir(parents=True)
    (folder / "index" / "part-00000.parquet").write_bytes(parquet_bytes(index_table(table)))
    return folder


def _row(output: Path, run_id: str, number: int, row: Row, side: int, minute: int) -> dict[str, Any]:
    source = output / "shots" / f"{row.product}.png"
    if not source.exists():
        source.parent.mkdir(parents=True, exist_ok=True)
        picture(row.product, 0, side, staged=False).save(source)
    columns: dict[str, Any] = {
        "task": "background",
        "painter": "studio",
        "source_uri": str(source),
        "source_height": side,
        "source_width": side,
        "source_bytes": source.stat().st_size,
        "source_format": "png",
        "source_mode": "RGB",
        "scores": row.scores,
        "timings_msec": {"load": 4.0, "verify": 30.0},
        **(_creative(output, run_id, row, side) if row.outcome == "enhanced" else {}),
        **row.columns,
    }
    product = Product("m", number, row.advertiser, row.product, str(source), product_category="vases")
    stage = "write" if row.outcome == "enhanced" else "verify"
    ended = Outcome(product, row.placement, row.outcome, stage, row.reason, "", columns=columns)
    at = datetime(2026, 11, 1, 2, minute, 30, tzinfo=UTC)
    return index_row(ended, run_id, f"{number:032x}", at)


def _creative(output: Path, run_id: str, row: Row, side: int) -> dict[str, Any]:
    path = output / "creatives" / row.advertiser / row.product / f"{row.placement}-{run_id}-{row.hue}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(row.product, row.hue, side, staged=True).save(path, quality=92)
    data = path.read_bytes()
    return {
        "creative_uri": str(path),
        "creative_digest": sha256(data).hexdigest(),
        "creative_bytes": len(data),
        "creative_format": "jpeg",
        "creative_height": side,
        "creative_width": side,
        "content_key": sha256(str(path).encode()).hexdigest()[:32],
    }
