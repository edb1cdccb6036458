"""Examples from photographs as they are, no product masked: for variants that learn from any real picture.

Where they shall move, the frame two seconds later is the same photograph as a camera sees it that pans a little and
comes nearer or leaves: no parallax, but real detail in any number, which rendered scenes are too few to have.
"""

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
_MARGIN = 1.2  # of a photograph that moves, so that its camera has somewhere to go
# as rendered scenes move; few steps, so that words tell all of it
_ACROSS, _NEARER = (-0.035, 0.0, 0.035), (-0.05, 0.0, 0.07)


def photograph_examples(
    photos: Path,
    split: Split,
    count: int,
    *,
    licence: str,
    seed: int = 0,
    scale: float = 1.0,
    moving: bool = False,
) -> Iterator[Example]:
    """Up to `count` photographs of one split under `photos`, each in the bucket nearest to its ratio times `scale`.

    Where they are `moving`, each has a frame two seconds later.

    A table `images.csv` (`image`, `sender_id`) beside or in the folder says whose they are: then every tenth sender
    is held out, as `models.data.photographs` does; without it one file in twenty.

    Raises:
        ConfigError: there are none.
    """
    senders = read_senders(photos)
    every = find_pictures([photos], None, None, "train").photos + find_pictures([photos], None, None, "held_out").photos
    own = [path for path in sorted(every) if _split(path, senders) == split]
    for number in np.random.default_rng(seed).permutation(len(own))[:count]:
        rng = np.random.Generator(np.random.Philox(key=[seed, int(number)])) if moving else None
        yield photograph_example(own[number], split, licence=licence, scale=scale, moves=rng)


def read_senders(photos: Path) -> dict[str, str]:
    """Who sent which photograph, by its file's stem; empty where no table says so."""
    for table in (photos / _TABLE, photos.parent / _TABLE):
        if table.is_file():
            with table.open(newline="") as stream:
                return {row["image"]: row["sender_id"] for row in csv.DictReader(stream)}
    return {}


def _split(path: Path, senders: dict[str, str]) -> Split:
    return split_of_sender(senders[path.stem]) if path.stem in senders else split_of(path)


def photograph_example(
    path: Path, split: Split, *, licence: str, scale: float, moves: np.random.Generator | None = None
) -> Example:
    """The middle of one photograph, as large as its bucket's ratio allows; its caption says what colours it has."""
    pixels = read_rgb(path)
    bucket = nearest_bucket(Size(*pixels.shape[:2]))
    size = Size(round(bucket.height * scale / 16) * 16, round(bucket.width * scale / 16) * 16)
    later = None
    if moves is None:
        scene = covering(pixels, size)
    else:
        scene, later = two_frames(pixels, size, float(moves.choice(_ACROSS)), float(moves.choice(_NEARER)))
    words = describe_halves(scene.astype(np.float32) / 255)
    return Example(
        key="photo-" + "".join(letter for letter in path.stem if letter.isalnum() or letter in "-_"),
        scene=scene,
        coverage=np.zeros(size, np.uint8),
        registered=None,
        products=(),
        later=later,
        captions=(f"a photograph, {words}",),
        source="photographs",
        licence=licence,
        authors=(),
        split=split,
        bucket=bucket_name(size),
    )


def two_frames(pixels: Bytes, size: Size, across: float, nearer: float) -> tuple[Bytes, Bytes]:
    """The middle of `pixels`, and the same with what is seen moved by `across` of its width and `nearer` times larger.

    Both are drawn by one kernel from the same pixels, so that neither is sharper than the other.
    """
    large = covering(pixels, Size(round(size.height * _MARGIN), round(size.width * _MARGIN)))

    def seen(shift: float, scale: float) -> Bytes:
        left, top = (size.width - scale * large.shape[1]) / 2 + shift, (size.height - scale * large.shape[0]) / 2
        matrix = np.array([[scale, 0.0, left], [0.0, scale, top]])
        kernel = cv2.INTER_CUBIC
        return cast(Bytes, cv2.warpAffine(large, matrix, size[::-1], flags=kernel, borderMode=cv2.BORDER_REPLICATE))

    # half a pixel off the grid in the first frame too: no kernel blurs one of them alone
    return seen(0.5, 1.0), seen(0.5 + across * size.width, 1.0 + nearer)


def covering(pixels: Bytes, size: Size) -> Bytes:
    """`pixels` (uint8 [H, W, 3]) scaled to cover `size`, its middle kept."""
    scale = max(size.height / pixels.shape[0], size.width / pixels.shape[1])
    shape = tuple(max(least, round(length * scale)) for least, length in zip(size, pixels.shape[:2], strict=True))
    small = cv2.resize(pixels, shape[::-1], interpolation=cv2.INTER_AREA)
    top, left = (shape[0] - size.height) // 2, (shape[1] - size.width) // 2
    return cast(Bytes, np.ascontiguousarray(small[top : top + size.height, left : left + size.width]))
