"""What the stager learns from: sets with and without their products, and what geometry says of the shadows.

    python -m models.data.stagings --shards SHARDS --out DIR

SHARDS come from `models.data.pack`; examples without an empty picture or a known light are passed over, and so are
products that hang on a wall. DIR gets <split>/<key>.npz: `scene`, `empty` uint8 [h, w, 3], `product` uint8 [h, w, 4]
(as photographed elsewhere, straight alpha), `clues` uint8 [h, w, 3] of `transforms.ops.staging`, `light` float32 [3].
What is there already is not made again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.command import told
from models.data.examples import SPLITS, Bytes, Example
from models.data.shards import read_shards
from transforms.ops.shadows import KeyLight
from transforms.ops.staging import clues_of


class Staging(NamedTuple):
    """One file; see the module."""

    scene: Bytes
    empty: Bytes
    product: Bytes
    clues: Bytes
    light: KeyLight


def staging_of(example: Example) -> Staging | None:
    """The staging of an example, None where it cannot teach one."""
    light, product = example.light, example.registered
    if example.empty is None or light is None or product is None or example.words.get("stand") == "wall":
        return None
    return Staging(example.scene, example.empty, product, clues_of(product[..., 3], light), light)


def write_staging(staging: Staging, path: Path) -> None:
    """Write one file; a cut leaves none."""
    beside = path.with_suffix(".writing")
    arrays = staging._asdict() | {"light": np.array(staging.light, np.float32)}
    with beside.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    beside.replace(path)


def read_staging(path: Path) -> Staging:
    """What `write_staging` wrote."""
    with np.load(path, allow_pickle=False) as held:
        scene, empty, product, clues = (held[name] for name in Staging._fields[:-1])
        return Staging(scene, empty, product, clues, KeyLight(*map(float, held["light"])))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.data.stagings", description=__doc__)
    parser.add_argument("--shards", type=Path, required=True, help="folder of models.data.pack")
    parser.add_argument("--out", type=Path, required=True, help="folder of the stagings")
    args = parser.parse_args(arguments)
    for split in SPLITS:
        (args.out / split).mkdir(parents=True, exist_ok=True)
        for example in read_shards(args.shards, split):
            path = args.out / split / f"{example.key}.npz"
            staging = None if path.exists() else staging_of(example)
            if staging is not None:
                write_staging(staging, path)
        sys.stdout.write(f"{split}: {len(list((args.out / split).glob('*.npz')))} stagings\n")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
