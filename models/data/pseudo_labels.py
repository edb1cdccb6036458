"""Masks of photographs that have none, by U2-Net-p: a tie to real photographs for a network trained on renders.

    python -m models.data.pseudo_labels --photos DIR --out DIR --count 400

Writes OUT/<name>.jpg (480 pixels at most) and OUT/<name>.png (grey, 255 is product) of those photographs on which the
network is sure of itself. What is there already is not looked at again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from models.command import told
from transforms.errors import ConfigError

_SIDE, _KEPT_SIDE = 320, 480
_LEAST_CERTAINTY = 0.93  # mean of |2 p - 1|: less is a guess
_AREA = (0.04, 0.8)


def is_sure(alpha: NDArray[np.float32]) -> bool:
    """True where the answer [H, W] is one thing, of a usual size, with little doubt."""
    share = float((alpha > 0.5).mean())
    return _AREA[0] < share < _AREA[1] and float(np.abs(2 * alpha - 1).mean()) > _LEAST_CERTAINTY


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.data.pseudo_labels", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--out", type=Path, required=True, help="folder of the pairs")
    parser.add_argument("--count", type=int, default=400, help="photographs to look at (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of which photographs those are")
    args = parser.parse_args(arguments)
    paths = sorted(path for path in args.photos.rglob("*.jpg"))
    if not paths:
        raise ConfigError(f"no *.jpg under {str(args.photos)!r}: name a folder of photographs")
    chosen = np.random.default_rng(args.seed).permutation(len(paths))[: args.count]
    args.out.mkdir(parents=True, exist_ok=True)
    kept = label([paths[number] for number in chosen], args.out)
    sys.stdout.write(f"kept {kept} of {len(chosen)}\n")
    return 0


def label(paths: Sequence[Path], out: Path) -> int:
    """Write the pairs of those of `paths` that the network is sure of; how many there are."""
    from onnxruntime import InferenceSession

    from models.export.onnx import segmenter_graph

    session = InferenceSession(segmenter_graph(1).SerializeToString(), providers=["CPUExecutionProvider"])
    for path in paths:
        target = out / f"{path.stem}.png"
        pixels = None if target.exists() else cv2.imread(str(path), cv2.IMREAD_COLOR)
        if pixels is None:
            continue
        small = cv2.resize(pixels, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        alpha = session.run(None, {"IMAGE": np.ascontiguousarray(small[None, ..., ::-1])})[0][0, ..., 0]
        if is_sure(alpha):
            _keep(cast("NDArray[np.uint8]", pixels), alpha, target)
    return sum((out / f"{path.stem}.png").exists() for path in paths)


def _keep(pixels: NDArray[np.uint8], alpha: NDArray[np.float32], target: Path) -> None:
    scale = min(1.0, _KEPT_SIDE / max(pixels.shape))
    kept = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(alpha, kept.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    cv2.imwrite(str(target.with_suffix(".jpg")), kept, [cv2.IMWRITE_JPEG_QUALITY, 92])
    cv2.imwrite(str(target), np.rint(mask * 255).astype(np.uint8))


if __name__ == "__main__":
    sys.exit(told(main))
