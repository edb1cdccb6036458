"""What real photographs show where nothing was joined: seam scores and colour steps along their own rows and columns.

    python benchmarks/seam_variation.py DIR [--limit N] [--size 1200]

Every photograph of DIR is resampled as an extended frame would be, then measured along lines across it, each as if
the frame ended there. The percentiles are what the limits of `transforms.verify` stand on: a limit that rejects real
photographs is wrong.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from transforms.ops.seams import Line, line_delta_e, strangeness, window_ratios

PLACES = (0.12, 0.25, 0.75, 0.88)


def measure(pixels: NDArray[np.uint8]) -> list[tuple[float, float, float]]:
    """(mean ratio, 90th percentile of the ratios, colour step) along rows and columns of one photograph."""
    height, width = pixels.shape[:2]
    lines = [Line(0, int(place * height), 0, width) for place in PLACES]
    lines += [Line(1, int(place * width), 0, height) for place in PLACES]
    found = []
    for line in lines:
        ratios = window_ratios(pixels, line)
        found.append((float(ratios.mean()), float(np.percentile(ratios, 90)), line_delta_e(pixels, line)))
    return found


def surprises(pixels: NDArray[np.uint8]) -> list[float]:
    """Strangeness of a photograph's own outer bands: above and below, and at the sides, a quarter of it in all."""
    found = []
    for axis in (0, 1):
        known = np.zeros(pixels.shape[:2], bool)
        view = known if axis == 0 else known.T
        band = len(view) // 8
        view[band:-band] = True
        found.append(strangeness(pixels, known))
    return found


def main() -> None:
    """Print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--size", type=int, default=1200)
    args = parser.parse_args()
    paths = sorted(path for path in args.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    rows: list[tuple[float, float, float]] = []
    strange: list[float] = []
    for path in paths[: args.limit]:
        image = Image.open(path).convert("RGB")
        scale = args.size / max(image.size)
        pixels = np.asarray(image.resize([max(1, round(side * scale)) for side in image.size], 1))
        rows += measure(pixels)
        strange += surprises(pixels)
    table = np.array(rows)
    print(f"{min(len(paths), args.limit)} photographs, {len(table)} lines at {args.size} px")
    columns = (*table.T, np.array(strange))
    names = ("seam_score", "seam_window", "seam_delta_e", "strangeness")
    for name, column in zip(names, columns, strict=True):
        values = "  ".join(f"p{p:g} {np.percentile(column, p):.2f}" for p in (50, 90, 95, 99, 99.5))
        print(f"{name:22s} {values}  max {column.max():.2f}")


if __name__ == "__main__":
    main()
