"""Do files that bring their own alpha look before another backdrop as their makers meant?

    python -m benchmarks.own_alpha --images DIR... [--count N]

Lays every file below the folders whose alpha tells something over coloured sheets, as any viewer does, and holds two
ways of pasting it against that, in levels of 255: all of its alpha as one product, with colours estimated for it, and
product and shadow apart (`transforms.ops.alpha_layers`). Beside the product, that is where its alpha is below a half;
edges differ on purpose, for there a fringe of an older backdrop is taken away.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.bare_backdrops import pictures_of
from transforms.errors import CanvasError
from transforms.ops.alpha_layers import layers_of
from transforms.ops.decode import DecodeLimits, decode
from transforms.ops.matting import estimate_foreground, is_informative
from transforms.records import Matte, Pixels, ProductImage

_SHEETS = ((238, 220, 200), (176, 110, 78), (63, 86, 72), (57, 58, 61))  # pale to dark
_SOFT = 0.02  # alpha from which something can be seen

Real = NDArray[np.float32]


class Told(NamedTuple):
    """A file: whether it brings a shadow, and the mean error beside its product, pasted whole and apart."""

    shadow: bool
    whole: float
    apart: float


def told_of(image: ProductImage) -> Told | None:
    """What a decoded file tells; None where its alpha cuts nothing out, or is soft nowhere."""
    if image.alpha is None or not is_informative(image.alpha):
        return None
    alpha = image.alpha.astype(np.float32) / np.float32(255)
    beside = (alpha > _SOFT) & (alpha < 0.5)
    if not beside.any():
        return None
    layers, guessed = layers_of(image.pixels, alpha), estimate_foreground(image.pixels, alpha)
    errors = []
    for sheet in np.array(_SHEETS, np.float32):
        # over white it is `pixels`; over a sheet the share of white that shines through is the sheet's
        meant = image.pixels[beside] - (1 - alpha[beside])[:, None] * (255 - sheet)
        left = sheet if layers.left is None else sheet * (layers.left[beside] / np.float32(255))
        ways = (
            _pasted(guessed[beside], alpha[beside], sheet),
            _pasted(layers.foreground[beside], layers.alpha[beside], left),
        )
        errors.append([float(np.abs(way - meant).mean()) for way in ways])
    whole, apart = np.mean(errors, axis=0)
    return Told(layers.left is not None, float(whole), float(apart))


def _pasted(colors: Pixels, alpha: Matte, below: Real) -> Real:
    share = alpha[:, None]
    return cast(Real, colors * share + below * (1 - share))


def row_of(name: str, told: Sequence[Told]) -> str:
    """A row of the table: those with a shadow, or those without."""
    if not told:
        return f"| {name} | 0 | | |"
    whole, apart = (np.mean([getattr(each, way) for each in told]) for way in ("whole", "apart"))
    return f"| {name} | {len(told)} | {whole:.2f} | {apart:.2f} |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.own_alpha", description=__doc__)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="folders of pictures")
    parser.add_argument("--count", type=int, help="files that tell something, at most (default all)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    told: list[Told] = []
    for path in (path for folder in args.images for path in pictures_of(folder)):
        try:
            found = told_of(decode(path.read_bytes(), DecodeLimits()))
        except CanvasError:
            continue
        told += [found] if found is not None else []
        if args.count and len(told) >= args.count:
            break
    print("| files whose own alpha | | error beside the product: pasted whole | product and shadow apart |")
    print(f"|{'---|' * 4}")
    print(row_of("brings a shadow", [each for each in told if each.shadow]))
    print(row_of("brings none", [each for each in told if not each.shadow]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
