"""Crops of pictures to train an autoencoder on: photographs, and products composed into studios and rooms.

Crop `n` of seed `s` is always drawn the same way from the same files.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import cv2
import numpy as np

from models.data.compositions import Bytes, compose
from models.data.cutouts import read_layers
from models.data.training_set import read_rgb, read_rooms
from transforms.errors import ConfigError

Split = Literal["train", "held_out"]
_HELD_OUT = 20  # one file of so many
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_COMPOSED = 0.5  # of the crops, where there are cutouts
_LEAST_SHRINK, _MOST_SHRINK = 1.0, 2.5
_COMPOSED_SIDE = 320


@dataclass(frozen=True)
class Pictures:
    """The files of one split, found once; `rooms` are decoded, everything else when it is drawn."""

    photos: tuple[Path, ...]
    cutouts: tuple[Path, ...] = ()
    rooms: list[Bytes] = field(default_factory=list)

    def crop(self, seed: int, number: int, side: int) -> Bytes:
        """Crop `number`, uint8 [side, side, 3]."""
        rng = np.random.Generator(np.random.Philox(key=[seed, number]))
        if self.cutouts and (not self.photos or rng.random() < _COMPOSED):
            layers = read_layers(self.cutouts[rng.integers(len(self.cutouts))])
            picture = compose(rng, layers, max(side, _COMPOSED_SIDE), self.rooms).pixels
        else:
            picture = read_rgb(self.photos[rng.integers(len(self.photos))])
        return _cropped(rng, picture, side)


def _cropped(rng: np.random.Generator, picture: Bytes, side: int) -> Bytes:
    """A random part, shrunk a little, mirrored by chance; a picture that is too small is enlarged."""
    height, width = picture.shape[:2]
    shrink = min(rng.uniform(_LEAST_SHRINK, _MOST_SHRINK), min(height, width) / side)
    taken = min(round(side * shrink), height, width)
    top, left = int(rng.integers(0, height - taken + 1)), int(rng.integers(0, width - taken + 1))
    part = picture[top : top + taken, left : left + taken]
    part = part[:, ::-1] if rng.random() < 0.5 else part
    kernel = cv2.INTER_AREA if taken >= side else cv2.INTER_CUBIC
    return cast(Bytes, cv2.resize(np.ascontiguousarray(part), (side, side), interpolation=kernel))


def split_of(path: Path) -> Split:
    """The split of a file, by its name without suffixes."""
    stem = path.name.partition(".")[0]
    return "held_out" if zlib.crc32(stem.encode()) % _HELD_OUT == 0 else "train"


def find_pictures(photos: Sequence[Path], cutouts: Path | None, rooms: Path | None, split: Split) -> Pictures:
    """The pictures of one split under these folders.

    Args:
        photos: folders of photographs, at any depth.
        cutouts: of `models.data.cutouts`.
        rooms: photographs of rooms, backdrops of what is composed.
        split: one file in twenty is held out.

    Raises:
        ConfigError: there are none.
    """
    found = sorted(path for folder in photos for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    own = tuple(path for path in found if split_of(path) == split)
    things = tuple(path for path in sorted(cutouts.glob("*.webp")) if split_of(path) == split) if cutouts else ()
    if not own and not things:
        named = ", ".join(str(folder) for folder in [*photos, *filter(None, [cutouts])])
        raise ConfigError(f"no {split} pictures under {named}: name folders that hold JPEG, PNG or WebP files")
    return Pictures(own, things, read_rooms(rooms))
