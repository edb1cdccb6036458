"""Examples from photographs as they are, no product masked: for variants that learn from any real picture."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from models.data.examples import Bytes, Example, Split, bucket_name, nearest_bucket
from models.data.photographs import split_of_sender
from models.data.training_set import read_rgb
from models.training.composed import describe_halves
from models.training.pictures import find_pictures, split_of
from transforms.records import Size

_TABLE = "images.csv"  # beside the photographs' folder, where their senders are known


def photograph_examples(
    photos: Path, split: Split, count: int, *, licence: str, seed: int = 0, scale: float = 1.0
) -> Iterator[Example]:
    """Up to `count` photographs of one split under `photos`, each in the bucket nearest to its ratio times `scale`.

    A table `images.csv` (`image`, `sender_id`) beside or in the folder says whose they are: then every tenth sender
    is held out, as `models.data.photographs` does; without it one file in twenty.

    Raises:
        ConfigError: there are none.
    """
    senders = read_senders(photos)
    every = find_pictures([photos], None, None, "train").photos + find_pictures([photos], None, None, "held_out").photos
    own = [path for path in sorted(every) if _split(path, senders) == split]
    for number in np.random.default_rng(seed).permutation(len(own))[:count]:
        yield photograph_example(own[number], split, licence=licence, scale=scale)


def read_senders(photos: Path) -> dict[str, str]:
    """Who sent which photograph, by its file's stem; empty where no table says so."""
    for table in (photos / _TABLE, photos.parent / _TABLE):
        if table.is_file():
            with table.open(newline="") as stream:
                return {row["image"]: row["sender_id"] for row in csv.DictReader(stream)}
    return {}


def _split(path: Path, senders: dict[str, str]) -> Split:
    return split_of_sender(senders[path.stem]) if path.stem in senders else split_of(path)


def photograph_example(path: Path, split: Split, *, licence: str, scale: float) -> Example:
    """The middle of one photograph, as large as its bucket's ratio allows; its caption says what colours it has."""
    pixels = read_rgb(path)
    bucket = nearest_bucket(Size(*pixels.shape[:2]))
    size = Size(round(bucket.height * scale / 16) * 16, round(bucket.width * scale / 16) * 16)
    scene = covering(pixels, size)
    words = describe_halves(scene.astype(np.float32) / 255)
    return Example(
        key="photo-" + "".join(letter for letter in path.stem if letter.isalnum() or letter in "-_"),
        scene=scene,
        coverage=np.zeros(size, np.uint8),
        registered=None,
        products=(),
        later=None,
        captions=(f"a photograph, {words}",),
        source="photographs",
        licence=licence,
        authors=(),
        split=split,
        bucket=bucket_name(size),
    )


def covering(pixels: Bytes, size: Size) -> Bytes:
    """`pixels` (uint8 [H, W, 3]) scaled to cover `size`, its middle kept."""
    scale = max(size.height / pixels.shape[0], size.width / pixels.shape[1])
    shape = tuple(max(least, round(length * scale)) for least, length in zip(size, pixels.shape[:2], strict=True))
    small = cv2.resize(pixels, shape[::-1], interpolation=cv2.INTER_AREA)
    top, left = (shape[0] - size.height) // 2, (shape[1] - size.width) // 2
    return cast(Bytes, np.ascontiguousarray(small[top : top + size.height, left : left + size.width]))
