"""Products lifted out of rendered pictures by their exact alpha, to be composed before other backdrops.

    python -m models.data.lifted --renders DIR --out DIR

`--renders` is a folder of `benchmarks.render_products`; OUT gets <product>.lifted.webp as `models.data.cutouts` writes
them, without another render. What is there already is not lifted again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from models.command import told
from models.data.cutouts import Layers, write_layers
from models.data.training_set import read_rgb
from transforms.errors import ConfigError
from transforms.ops.matting import estimate_foreground


def lifted(picture: Path, alpha: Path) -> Layers:
    """The product of a picture with its own colours where it mixes with the backdrop; no shadow.

    Raises:
        FileNotFoundError: one of the two cannot be read.
    """
    coverage = cv2.imread(str(alpha), cv2.IMREAD_GRAYSCALE)
    if coverage is None:
        raise FileNotFoundError(alpha)
    color = estimate_foreground(read_rgb(picture), coverage.astype(np.float32) / np.float32(255))
    return Layers(color, coverage.astype(np.uint8), None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.data.lifted", description=__doc__)
    parser.add_argument("--renders", type=Path, required=True, help="folder of rendered products")
    parser.add_argument("--out", type=Path, required=True, help="folder of the cutouts")
    args = parser.parse_args(arguments)
    alphas = sorted(args.renders.glob("*/alpha.png"))
    if not alphas:
        raise ConfigError(f"no */alpha.png under {str(args.renders)!r}: run python -m benchmarks.render_products first")
    args.out.mkdir(parents=True, exist_ok=True)
    for alpha in alphas:
        stem = args.out / f"{alpha.parent.name}.lifted"
        if alpha.parent.suffix != ".partial" and not Path(f"{stem}.webp").exists():
            write_layers(lifted(min(alpha.parent.glob("*.jpg")), alpha), stem)
    return 0


if __name__ == "__main__":
    raise SystemExit(told(main))
