"""How good are the masks of real photographs? Files with alpha, laid before a sheet with the shadow in that alpha.

    python -m benchmarks.shop_photos --photos DIR --rows rows.jsonl

`--photos` holds PNG files whose alpha is solid on the product and faint in its shadow: so are the placeholders of
saleor (github.com/saleor/saleor, BSD-3, saleor/static/placeholders). Each is shown at 1000 pixels as JPEG before pure
white and before a pale sheet, and measured as `benchmarks.segmentation` does; how many the gate takes is printed too.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from benchmarks.local_models import local_client
from benchmarks.segmentation import GOOD_IOU, Sample, measured, print_tables
from transforms.ops.mask_gate import load_gate
from transforms.ops.masks import dilated
from transforms.records import Matte, Pixels
from transforms.segment import SegmentLimits

_SIDE, _QUALITY = 1000, 92  # pixels, and of JPEG
_SHEETS = {"white": (255, 255, 255), "plain": (232, 219, 205)}
_SOLID, _EDGE = (
    0.8,
    2,
)  # alpha from which a pixel is no shadow, and how far a product's soft edge reaches beyond, pixels
_FULL = 0.85  # alpha from which glass counts as solid


def photographs(folder: Path) -> Iterator[Sample]:
    """The files under `folder` that have colours and alpha, before each sheet."""
    for path in sorted(folder.glob("*.png")):
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if picture is not None and picture.ndim == 3 and picture.shape[2] == 4:
            for name, color in _SHEETS.items():
                yield Sample(f"{path.stem}/{name}", path.stem, name, lambda p=path, c=color: laid(_read(p), c))  # type: ignore[misc]


def laid(picture: Pixels, color: tuple[int, int, int]) -> tuple[Pixels, Matte]:
    """`picture` (uint8 RGBA [H, W, 4]) before a sheet of `color`, and its product's true matte, at 1000 pixels.

    What is faint and further than an edge from what is solid is shadow: it darkens the sheet and is no product.
    """
    shares = picture.astype(np.float32) / np.float32(255)
    alpha = shares[..., 3:]
    size = (_SIDE, _SIDE * picture.shape[0] // picture.shape[1])
    small = cv2.resize(np.concatenate([shares[..., :3] * alpha, alpha], axis=2), size, interpolation=cv2.INTER_AREA)
    laid_on = small[..., :3] + (1 - small[..., 3:]) * np.asarray(color, np.float32) / np.float32(255)
    own = np.where(dilated(alpha[..., 0] >= _SOLID, _EDGE), alpha[..., 0], np.float32(0))
    truth = cv2.resize(own, size, interpolation=cv2.INTER_AREA)
    return _compressed(np.rint(np.clip(laid_on, 0, 1) * 255).astype(np.uint8)), np.where(
        truth > _FULL, 1, truth
    ).astype(np.float32)


def _compressed(pixels: Pixels) -> Pixels:
    _, coded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])


def _read(path: Path) -> Pixels:
    return cast(Pixels, cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA))


def taken(row: dict[str, Any]) -> bool:
    """True where the stage would let a measured mask through."""
    return not row["shapeless"] and load_gate().quality(row["measures"]) >= SegmentLimits().min_mask_quality


def print_gate(rows: list[dict[str, Any]]) -> None:
    """How many good masks are refused, and how many poor ones taken, before each sheet."""
    for name in _SHEETS:
        good, poor = (
            [row for row in rows if row["backdrop"] == name and (row["stage"]["iou"] >= GOOD_IOU) is kind]
            for kind in (True, False)
        )
        refused, slipped = sum(not taken(row) for row in good), sum(taken(row) for row in poor)
        print(f"{name}: {refused} of {len(good)} good masks refused, {slipped} of {len(poor)} poor ones taken")


def main() -> None:
    """Measure what is not measured yet, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of PNG files with alpha")
    parser.add_argument("--rows", type=Path, required=True, help="JSON lines, one a picture; appended to")
    args = parser.parse_args()
    rows = measured(photographs(args.photos), args.rows, local_client())
    print_tables(rows)
    print_gate(rows)


if __name__ == "__main__":
    main()
