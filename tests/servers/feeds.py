"""Small feeds of cutouts: PNG files with an alpha of their own, and a manifest that groups them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def write_product(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (120, 80), side: int = 400) -> None:
    """A mottled, rounded block of `size` (height, width) in the middle of a clear picture of `side` pixels."""
    rng = np.random.default_rng(sum(colour))
    pixels = np.clip(np.array(colour) + rng.normal(0, 5, (side, side, 3)), 0, 255).astype(np.uint8)
    rows, columns = np.mgrid[:side, :side] - side / 2 + 0.5
    inside = (np.abs(rows) / size[0]) ** 6 + (np.abs(columns) / size[1]) ** 6 <= 1
    Image.fromarray(np.dstack([pixels, np.where(inside, 255, 0).astype(np.uint8)])).save(path)


def write_feed(folder: Path, rows: Sequence[Mapping[str, object]], name: str = "manifest.parquet") -> Path:
    """A manifest in `folder`, a row for each mapping; what a row does not say is null."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = {column: [row.get(column) for row in rows] for column in columns}
    pq.write_table(pa.table(table), folder / name)
    return folder / name
