"""Examples composed of cutouts and photographs of rooms, for as long as there are no shards of rendered scenes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from models.data import backdrops
from models.data.compositions import Bytes, Laid, lay
from models.data.cutouts import Layers, read_layers
from models.data.examples import BUCKETS, Example, Split, bucket_name
from models.training.pictures import Pictures, find_pictures
from transforms.records import Size

_DRAWN = 0.4  # of the rooms
_HUES = ((15, "red"), (45, "brown"), (70, "yellow"), (160, "green"), (255, "blue"), (330, "purple"), (361, "red"))
_VALUES = ((60, "dark"), (120, "dim"), (180, ""), (256, "bright"))
_PLAIN = 0.12  # saturation below which a colour is grey


def compose_examples(
    cutouts: Path,
    rooms: Path | None,
    split: Split,
    count: int,
    *,
    seed: int = 0,
    scale: float = 1.0,
    buckets: Sequence[Size] = BUCKETS,
) -> Iterator[Example]:
    """`count` scenes: a product before a drawn or photographed room, in the buckets' sizes times `scale`.

    Example `n` of a seed is always composed alike from the same files; each bucket gets its turn.
    """
    pictures = find_pictures([], cutouts, rooms, split)
    for number in range(count):
        rng = np.random.Generator(np.random.Philox(key=[seed, number + (split == "held_out") * 2**32]))
        bucket = buckets[number % len(buckets)]
        size = Size(round(bucket.height * scale / 16) * 16, round(bucket.width * scale / 16) * 16)
        yield _composed(rng, pictures, size, split, f"composed-{split}-{seed}-{number}")


def _composed(rng: np.random.Generator, pictures: Pictures, size: Size, split: Split, key: str) -> Example:
    layers = read_layers(pictures.cutouts[rng.integers(len(pictures.cutouts))])
    laid = lay(rng, layers, size)
    ground = _room(rng, pictures.rooms, size)
    scene = _over(rng, laid, ground)
    words = describe_halves(ground, "wall", "floor")
    return Example(
        key=key.replace("_", "-"),
        scene=_bytes(scene),
        coverage=_bytes(laid.coverage),
        registered=_bytes(np.dstack([_straight(laid), laid.coverage])),
        products=(_product(layers),),
        later=None,
        captions=(words, f"a product before a {words}"),
        source="composed of rendered products and rooms",
        licence="CC-BY-3.0",
        authors=("the authors of the Sweet Home 3D furniture libraries",),
        split=split,
        bucket=bucket_name(size),
    )


def describe_halves(picture: backdrops.Real, upper: str = "above", lower: str = "below") -> str:
    """Words for the mean colours of a picture's halves, float32 [H, W, 3] in [0, 1]."""
    half = picture.shape[0] // 2
    return f"{_named(picture[:half])} {upper}, {_named(picture[half:])} {lower}"


def _room(rng: np.random.Generator, photos: list[Bytes], size: Size) -> backdrops.Real:
    if photos and rng.random() > _DRAWN:
        return backdrops.crop_photo(rng, photos[rng.integers(len(photos))], size)
    return backdrops.draw_room(rng, size)


def _over(rng: np.random.Generator, laid: Laid, ground: backdrops.Real) -> backdrops.Real:
    """The product in the room's light, its shadow under it."""
    shade = laid.shadow if laid.shadow.max() > 0.02 else backdrops.cast_shadow(rng, laid.coverage)
    light = (0.75 + 0.35 * ground.mean(axis=(0, 1))) * rng.uniform(0.95, 1.05)
    lit = ground * (1 - shade[..., None]) * (1 - laid.coverage[..., None])
    return cast(backdrops.Real, laid.color * light.astype(np.float32) + lit)


def _straight(laid: Laid) -> backdrops.Real:
    return cast(backdrops.Real, laid.color / np.maximum(laid.coverage, 1 / 255)[..., None])


def _product(layers: Layers) -> Bytes:
    return np.dstack([layers.color, layers.coverage])


def _bytes(plane: backdrops.Real) -> Bytes:
    return np.rint(np.clip(plane, 0, 1) * 255).astype(np.uint8)


def _named(part: backdrops.Real) -> str:
    """A word or two for the mean colour of `part`."""
    mean = part.mean(axis=(0, 1), keepdims=True).astype(np.float32)
    hue, saturation, value = cv2.cvtColor(mean, cv2.COLOR_RGB2HSV)[0, 0]
    color = "grey" if saturation < _PLAIN else next(name for limit, name in _HUES if hue < limit)
    light = next(name for limit, name in _VALUES if value * 255 < limit or limit == _VALUES[-1][0])
    return f"{light} {color}".strip()
