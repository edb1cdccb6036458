"""Plain scenes: products of shards side by side before a set of the `studio` painter, whose words are exact.

A few hundred rendered rooms are too few to learn from what a colour's name means or how a product's own picture becomes
the product in a scene: too much changes at once. Here little does. The colour that is named is the colour that is
painted, and the pictures of the products are the very ones that stand there, from left to right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.captions import listed
from models.data.descriptions import SOURCE
from models.data.examples import BUCKETS, Bytes, Example, Split, bucket_name
from models.data.interiors import PAINTS
from models.data.shards import read_shards
from models.filling import GREY
from models.training.masking import Rng
from transforms.errors import ConfigError
from transforms.ops import studio
from transforms.records import Size

_SURFACES = ("seamless paper backdrop", "plaster wall", "concrete wall")
_NUMBERS = (0.6, 0.25, 0.15)  # how often one, two and three products stand there
_ROOM = 0.9  # of a product's place that it fills at most


class Product(NamedTuple):
    """A product's picture, uint8 [h, w, 4], its words, and who made it on what terms."""

    picture: Bytes
    words: dict[str, object]
    authors: tuple[str, ...]
    licence: str


def plain_examples(shards: Path, split: Split, count: int, *, seed: int = 0) -> Iterator[Example]:
    """`count` plain scenes of one split, of products that rendered scenes of this split show.

    Example `n` of a seed is always composed alike from the same shards; each bucket gets its turn.

    Raises:
        ConfigError: the shards hold no rendered scene of the split.
    """
    stock = [product for example in read_shards(shards, split) for product in _products(example)]
    if not stock:
        raise ConfigError(f"no rendered products in the {split} shards under {str(shards)!r}")
    for number in range(count):
        rng = np.random.Generator(np.random.Philox(key=[seed, number + (split == "held_out") * 2**32]))
        key = f"plain-{split.replace('_', '-')}-{seed}-{number}"
        yield _composed(rng, stock, BUCKETS[number % len(BUCKETS)], split, key)


def _products(example: Example) -> Iterator[Product]:
    words = cast("Sequence[dict[str, object]]", example.words.get("products", ()))
    if example.source == SOURCE and len(words) == len(example.products):
        for picture, said in zip(example.products, words, strict=True):
            if (picture[..., 3] > 127).any():
                yield Product(picture, said, example.authors, example.licence)


def _composed(rng: Rng, stock: Sequence[Product], size: Size, split: Split, key: str) -> Example:
    chosen = [stock[number] for number in rng.integers(len(stock), size=1 + rng.choice(len(_NUMBERS), p=_NUMBERS))]
    laid = _laid(rng, [product.picture for product in chosen], size)
    alpha = laid[..., 3:].astype(np.float32) / 255
    image = np.rint(laid[..., :3] * alpha + GREY * (1 - alpha)).astype(np.uint8)
    colour, surface = list(PAINTS)[rng.integers(len(PAINTS))], _SURFACES[rng.integers(len(_SURFACES))]
    place, coverage = f"{colour} {surface}, soft light", np.ascontiguousarray(laid[..., 3])
    ground = studio.paint(image, coverage, coverage, place, int(rng.integers(2**31)))
    scene = np.rint(laid[..., :3] * alpha + ground * (1 - alpha)).astype(np.uint8)
    things = listed([product.words for product in chosen])
    return Example(
        key=key,
        scene=scene,
        coverage=coverage,
        registered=laid,
        products=tuple(product.picture for product in chosen),
        later=None,
        captions=(place, f"{things}, {place}", f"{place}, {things}"),
        source="rendered products before the studio painter's sets",
        licence=next((each.licence for each in chosen if not each.licence.startswith("CC0")), chosen[0].licence),
        authors=tuple(sorted({author for product in chosen for author in product.authors})),
        split=split,
        bucket=bucket_name(size),
        words={"place": place},
    )


def _laid(rng: Rng, pictures: Sequence[Bytes], size: Size) -> Bytes:
    """Products on one line of ground, each in the middle of its share of the width: uint8 [h, w, 4], straight alpha."""
    place, ground = size.width / len(pictures), size.height * rng.uniform(0.78, 0.9)
    tall = size.height * rng.uniform(0.5, 0.68)
    canvas = np.zeros((*size, 4), np.float32)
    for number, picture in enumerate(pictures):
        small = _fitted(picture, tall, place * _ROOM)
        top, left = round(ground) - small.shape[0], round(place * (number + 0.5) - small.shape[1] / 2)
        canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    canvas[..., :3] /= np.maximum(canvas[..., 3:], 1) / 255
    return np.rint(np.clip(canvas, 0, 255)).astype(np.uint8)


def _fitted(picture: Bytes, tall: float, wide: float) -> NDArray[np.float32]:
    """What is seen of a product within `tall` x `wide` pixels, colours times alpha: float32 [h, w, 4]."""
    rows, columns = (np.flatnonzero((picture[..., 3] > 8).any(axis=axis)) for axis in (1, 0))
    part = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    part[..., :3] *= part[..., 3:] / 255
    scale = min(tall / part.shape[0], wide / part.shape[1])
    shape = (max(1, int(part.shape[1] * scale)), max(1, int(part.shape[0] * scale)))
    kernel = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cast(NDArray[np.float32], cv2.resize(part, shape, interpolation=kernel))
