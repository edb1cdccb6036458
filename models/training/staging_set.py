"""The stager's training batches: whole pictures of one size, mirrored, in other light and with products otherwise lit.

Batch `n` of seed `s` is always drawn the same way from the same files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from models.data.backdrops import Rng
from models.data.compositions import Bytes
from models.data.stagings import Staging, read_staging
from transforms.errors import ConfigError
from transforms.ops.staging import mirrored, shown_of

_HELD = 4000  # files of 0.7 MB kept decoded
_GAIN, _TINT = (0.85, 1.15), (0.95, 1.05)  # of a whole picture, and of its channels against each other
_PRODUCT_GAIN = (0.6, 1.4)  # its photograph was exposed elsewhere

Files = Mapping[tuple[int, int], Sequence[Path]]


class Batch(NamedTuple):
    """`shown` [B, 13, H, W], `scene` [B, 3, H, W], both in [0, 255], `weight` [B, 1, H, W], 0 where products are."""

    shown: Tensor
    scene: Tensor
    weight: Tensor


def scan(folder: Path) -> Files:
    """The files of a folder by their pictures' size.

    Raises:
        ConfigError: there are none.
    """
    found: dict[tuple[int, int], list[Path]] = {}
    for path in sorted(folder.glob("*.npz")):
        height, width = _held(path).scene.shape[:2]
        found.setdefault((height, width), []).append(path)
    if not found:
        raise ConfigError(f"no stagings under {str(folder)!r}: run python -m models.data.stagings first")
    return found


def draw(files: Files, seed: int, number: int, size: int) -> Batch:
    """Batch `number` of `seed`: `size` pictures of one of the sizes."""
    rng = np.random.Generator(np.random.Philox(key=[seed, number]))
    sizes = sorted(files)
    counts = np.array([len(files[each]) for each in sizes])
    paths = files[sizes[rng.choice(len(sizes), p=counts / counts.sum())]]
    return batch_of([_varied(rng, _held(paths[each])) for each in rng.integers(len(paths), size=size)])


def batch_of(samples: Sequence[tuple[Bytes, Bytes, Bytes]]) -> Batch:
    """Triples of `parts_of` as one batch."""
    shown, scene, free = (np.stack(planes) for planes in zip(*samples, strict=True))
    planes, wanted = (torch.from_numpy(part).permute(0, 3, 1, 2).float() for part in (shown, scene))
    return Batch(planes, wanted, torch.from_numpy(free)[:, None].float())


def parts_of(staging: Staging) -> tuple[Bytes, Bytes, Bytes]:
    """(shown [H, W, 13], scene [H, W, 3], where no product is [H, W], 0 or 1), uint8."""
    image, alpha = staging.product[..., :3], np.ascontiguousarray(staging.product[..., 3])
    shown = shown_of(staging.empty, image, alpha, staging.clues, staging.light)
    return shown, staging.scene, (alpha == 0).astype(np.uint8)


@lru_cache(maxsize=_HELD)
def _held(path: Path) -> Staging:
    return read_staging(path)


def _varied(rng: Rng, staging: Staging) -> tuple[Bytes, Bytes, Bytes]:
    gain = rng.uniform(*_GAIN) * rng.uniform(*_TINT, 3)
    own = rng.uniform(*_PRODUCT_GAIN) * rng.uniform(*_TINT, 3)
    product = np.dstack([_exposed(staging.product[..., :3], own), staging.product[..., 3]])
    scene, empty = _exposed(staging.scene, gain), _exposed(staging.empty, gain)
    shown, scene, free = parts_of(staging._replace(scene=scene, empty=empty, product=product))
    if rng.random() < 0.5:
        return mirrored(shown), np.ascontiguousarray(scene[:, ::-1]), np.ascontiguousarray(free[:, ::-1])
    return shown, scene, free


def _exposed(pixels: Bytes, gain: object) -> Bytes:
    exposed: Bytes = np.clip(np.rint(pixels * np.asarray(gain, np.float32)), 0, 255).astype(np.uint8)
    return exposed
