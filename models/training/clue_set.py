"""The mask refiner's training samples: parts of the pictures of `models.data.clues`, with what may be wrong made worse.

Sample `n` of seed `s` is always drawn the same way from the same files.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, cast

import cv2
import numpy as np

from models.data.backdrops import Real, Rng
from models.data.clues import read_clues
from models.data.compositions import Bytes, weight_of
from transforms.records import Box

_VARIANT_SHARES = (0.7, 0.1, 0.2)  # of the sets of looks
_SMALLEST = 0.55  # share of its size to which a picture may be reduced: a blurred render gets sharp
_HELD = 1200  # pictures of 5 MB kept decoded
_AT_EDGE = 0.85  # share of the samples around some point of the edge
_BUMPED, _BUMPS = 0.5, (1, 5)  # share of the samples with spots of wrong probability; how many
_BUMP_PIXELS, _BUMP_ODDS = (3.0, 22.0), 6.0


class ClueSample(NamedTuple):
    """A picture uint8 [H, W, 3], its clues uint8 [H, W, 5], matte float32 [H, W] and weight float32 [H, W]."""

    pixels: Bytes
    clues: Bytes
    alpha: Real
    weight: Real


def draw(folders: Sequence[Sequence[Path]], seed: int, number: int, side: int) -> ClueSample:
    """Sample `number` of `seed`, `side` x `side` pixels, from the files of some folder: each is as likely."""
    rng = np.random.Generator(np.random.Philox(key=[seed, number]))
    files = folders[rng.integers(len(folders))]
    pixels, alpha, variants = _held(files[rng.integers(len(files))])
    clues = variants[rng.choice(len(variants), p=_VARIANT_SHARES if len(variants) > 1 else None)]
    place = _place(rng, alpha, round(side / rng.uniform(_SMALLEST, 1.0)))
    mirrored = rng.random() < 0.5
    pixels, clues, matte = (_taken(plane, place, side, mirrored) for plane in (pixels, clues, alpha))
    truth = matte.astype(np.float32) / np.float32(255)
    given = _bumped(rng, clues, truth) if rng.random() < _BUMPED else clues
    return ClueSample(_exposed(rng, pixels), given, truth, weight_of(truth))


@lru_cache(maxsize=_HELD)
def _held(path: Path) -> tuple[Bytes, Bytes, Bytes]:
    return read_clues(path)


def _place(rng: Rng, alpha: Bytes, side: int) -> Box:
    """Where a square of `side` pixels is taken from a picture with the matte `alpha`; it may reach beyond."""
    mask = (alpha > 127).astype(np.uint8)
    edge = np.argwhere(cv2.dilate(mask, np.ones((3, 3), np.uint8)) != mask)
    at_edge = len(edge) and rng.random() < _AT_EDGE
    middle = edge[rng.integers(len(edge))] if at_edge else rng.integers(0, mask.shape)
    spread = rng.integers(-side // 3, side // 3 + 1, 2)
    top, left = (
        int(np.clip(at + off - side // 2, 0, max(0, length - side)))
        for at, off, length in zip(middle, spread, mask.shape, strict=True)
    )
    return Box(top, left, top + side, left + side)


def _taken(plane: Bytes, place: Box, side: int, mirrored: bool) -> Bytes:
    """`place` of `plane` [H, W, ...] at `side` x `side`; beyond the picture its border goes on."""
    part = plane[place.top : place.bottom, place.left : place.right]
    below, beside = (whole - length for whole, length in zip(place.size, part.shape, strict=False))
    if below or beside:
        part = np.pad(part, [(0, below), (0, beside), (0, 0)][: part.ndim], mode="edge")
    small = (
        _reduced(part, side) if part.ndim == 2 else np.dstack([_reduced(one, side) for one in np.moveaxis(part, 2, 0)])
    )
    return np.ascontiguousarray(small[:, ::-1] if mirrored else small)


def _reduced(plane: Bytes, side: int) -> Bytes:
    return cast(Bytes, cv2.resize(np.ascontiguousarray(plane), (side, side), interpolation=cv2.INTER_AREA))


def _exposed(rng: Rng, pixels: Bytes) -> Bytes:
    """A little brighter or darker, a little noisier; the clues stay what they were."""
    gain = rng.uniform(0.9, 1.1) * rng.uniform(0.97, 1.03, 3)
    noise = rng.standard_normal(pixels.shape, np.float32) * rng.uniform(0.0, 3.0) if rng.random() < 0.4 else 0.0
    return cast(Bytes, np.clip(np.rint(pixels * gain + noise), 0, 255).astype(np.uint8))


def _bumped(rng: Rng, clues: Bytes, alpha: Real) -> Bytes:
    """`clues` with spots near the edge where both probabilities are wrong: bites and growths."""
    mask = (alpha > 0.5).astype(np.uint8)
    edge = np.argwhere(cv2.dilate(mask, np.ones((3, 3), np.uint8)) != mask)
    if not len(edge):
        return clues
    rows, columns = np.ogrid[: alpha.shape[0], : alpha.shape[1]]
    odds = np.zeros_like(alpha)
    for _ in range(rng.integers(*_BUMPS)):
        row, column = edge[rng.integers(len(edge))] + rng.integers(-6, 7, 2)
        tall, wide = rng.uniform(*_BUMP_PIXELS, 2)
        bump = np.exp(-(((rows - row) / tall) ** 2) - ((columns - column) / wide) ** 2)
        odds += np.float32(rng.choice([-1, 1]) * rng.uniform(1.0, _BUMP_ODDS)) * bump.astype(np.float32)
    chance = np.clip(clues[..., :2].astype(np.float32) / 255, 0.01, 0.99)
    moved = 1 / (1 + (1 - chance) / chance * np.exp(-odds)[..., None])
    return np.concatenate([np.rint(255 * moved).astype(np.uint8), clues[..., 2:]], axis=-1)
