"""Small pictures and what they were before they were small: pairs for super-resolution, drawn from large photographs.

What is to be enlarged in this project is painted, not photographed: so most pairs are clean, and the rest carry what
painters and stores add: softness, a little noise, a JPEG's blocks (a mild form of Real-ESRGAN's, arXiv 2107.10833).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.training_set import read_rgb

Bytes = NDArray[np.uint8]
Rng = np.random.Generator

SCALE = 3
_SHRINKS = (cv2.INTER_AREA, cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_LINEAR)
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class Pair(NamedTuple):
    """`small` uint8 [h, w, 3] and `large` uint8 [3h, 3w, 3], which it was made from."""

    small: Bytes
    large: Bytes


def photographs(folders: Sequence[Path], *, held_out: bool) -> list[Path]:
    """Every picture below `folders`, sorted; one in six, by the digest of its name, is held out of training."""
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    return [path for path in files if (crc32(path.name.encode()) % 6 == 0) == held_out]


def read_large(path: Path, shortest: int = 900) -> Bytes:
    """A photograph, halved while its shorter side stays at least `shortest`: so a file's own blocks grow small."""
    pixels = read_rgb(path)
    while min(pixels.shape[:2]) >= 2 * shortest:
        pixels = cast(Bytes, cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return pixels


def draw_crop(rng: Rng, photo: Bytes, side: int) -> Bytes:
    """`side` x `side` pixels of a photograph, at a third to all of its size, mirrored or turned; not of empty wall.

    Of three places the one with most contrast is taken.
    """
    scale = max(float(rng.uniform(0.45, 1.0)), (side + 1) / min(photo.shape[:2]))
    wide = round(side / scale)
    crops = []
    for _ in range(3):
        top, left = (int(rng.integers(0, length - wide + 1)) for length in photo.shape[:2])
        crops.append(photo[top : top + wide, left : left + wide])
    crop = max(crops, key=lambda pixels: float(pixels[::4, ::4].std(axis=(0, 1)).sum()))
    crop = cast(Bytes, cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)) if wide != side else crop
    crop = crop[:, ::-1] if rng.random() < 0.5 else crop
    return np.ascontiguousarray(np.rot90(crop, int(rng.integers(4))) if rng.random() < 0.3 else crop)


def degrade(rng: Rng, large: Bytes, clean: float = 0.6) -> Pair:
    """`large` (sides divisible by 3) with a third of it; `clean` is the share of pairs that are only made smaller."""
    height, width = (length // SCALE for length in large.shape[:2])
    picture = large
    dirty = rng.random() >= clean
    if dirty and rng.random() < 0.5:
        picture = cast(Bytes, cv2.GaussianBlur(large, (0, 0), float(rng.uniform(0.4, 1.6))))
    how = int(_SHRINKS[int(rng.integers(len(_SHRINKS)))])
    if how != cv2.INTER_AREA:
        picture = cast(Bytes, cv2.GaussianBlur(picture, (0, 0), 0.45 * SCALE))
    small = cast(Bytes, cv2.resize(picture, (width, height), interpolation=how))
    if dirty and rng.random() < 0.5:
        noisy = small + rng.standard_normal(small.shape, np.float32) * rng.uniform(0.5, 5.0)
        small = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    if dirty and rng.random() < 0.5:
        _, packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 96))])
        small = cast(Bytes, cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return Pair(small, large)


def shrink(large: Bytes) -> Pair:
    """A clean pair: `large` cut to sides divisible by 3, and its area average at a third."""
    height, width = (length // SCALE for length in large.shape[:2])
    large = np.ascontiguousarray(large[: height * SCALE, : width * SCALE])
    return Pair(cast(Bytes, cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)), large)
