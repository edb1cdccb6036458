"""The record that data and training agree on: one scene with all pictures that are registered to it or belong to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from transforms.ops.shadows import KeyLight
from transforms.records import Size

Bytes = NDArray[np.uint8]
Split = Literal["train", "held_out"]

SPLITS: tuple[Split, ...] = ("train", "held_out")
BUCKETS = (Size(208, 304), Size(256, 256), Size(304, 208))


@dataclass(frozen=True, eq=False)
class Example:
    """One scene; every picture is uint8, 0..255, sRGB, rows first; alpha is straight.

    Attributes:
        key: unique in its source; letters, digits, `-` and `_`.
        scene: [H, W, 3], products where they belong.
        coverage: [H, W], the products' exact alpha in `scene`, of all of them together.
        registered: [H, W, 4], the products alone in studio light, by the camera of `scene`; None where unknown.
        products: each product alone, [h, w, 4], in whatever pose; in the order of `words["products"]`.
        later: [H, W, 3], the same scene two seconds later; None where unknown.
        captions: from short to long.
        words: what is in the picture, by name: category, colours, surfaces, light.
        source: where the picture comes from.
        licence: SPDX, of the most demanding part.
        authors: to be named where the picture is shown.
        split: `held_out` never trains.
        bucket: height x width of `scene`, e.g. `208x304`.
        empty: [H, W, 3], `scene` without its products, same camera, light and exposure; None where unknown.
        light: the main one, as `scene`'s camera sees the shadows that it throws; None where unknown.

    Raises:
        ValueError: a picture's shape or type, the key, the split or the bucket is not as said above.
    """

    key: str
    scene: Bytes
    coverage: Bytes
    registered: Bytes | None
    products: tuple[Bytes, ...]
    later: Bytes | None
    captions: tuple[str, ...]
    source: str
    licence: str
    authors: tuple[str, ...]
    split: Split
    bucket: str
    words: dict[str, object] = field(default_factory=dict)
    empty: Bytes | None = None
    light: KeyLight | None = None

    def __post_init__(self) -> None:
        if not self.key.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"an example's key is letters, digits, - and _: {self.key!r}")
        if self.split not in SPLITS:
            raise ValueError(f"{self.key}: a split is one of {SPLITS}, not {self.split!r}")
        if not self.captions or not all(self.captions):
            raise ValueError(f"{self.key}: an example has a caption, and none is empty")
        height, width = self.scene.shape[:2]
        if self.bucket != bucket_name(Size(height, width)):
            raise ValueError(f"{self.key}: a scene of {height}x{width} lies in bucket {self.bucket!r}")
        _check(self.key, "scene", self.scene, (height, width, 3))
        _check(self.key, "coverage", self.coverage, (height, width))
        _check(self.key, "registered", self.registered, (height, width, 4))
        _check(self.key, "later", self.later, (height, width, 3))
        _check(self.key, "empty", self.empty, (height, width, 3))
        for number, product in enumerate(self.products):
            _check(self.key, f"products[{number}]", product, (*product.shape[:2], 4))


def bucket_name(size: Size) -> str:
    """The bucket that a picture of `size` lies in.

    >>> bucket_name(Size(208, 304))
    '208x304'
    """
    return f"{size.height}x{size.width}"


def bucket_size(name: str) -> Size:
    """The size that a bucket's name states.

    >>> bucket_size("208x304")
    Size(height=208, width=304)
    """
    height, _, width = name.partition("x")
    return Size(int(height), int(width))


def nearest_bucket(size: Size, buckets: tuple[Size, ...] = BUCKETS) -> Size:
    """The bucket whose ratio of sides is nearest to that of `size`, as ratios are compared: by their logarithm.

    >>> nearest_bucket(Size(900, 600))
    Size(height=304, width=208)
    """
    ratio = np.log(size.height / size.width)
    return min(buckets, key=lambda bucket: abs(float(np.log(bucket.height / bucket.width) - ratio)))


def _check(key: str, name: str, picture: Bytes | None, shape: tuple[int, ...]) -> None:
    if picture is not None and (picture.shape != shape or picture.dtype != np.uint8):
        raise ValueError(f"{key}: {name} is uint8 {shape}, not {picture.dtype} {picture.shape}")
