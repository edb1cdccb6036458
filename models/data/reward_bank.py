"""Clean compositions to make defects in, made once and kept: products before studios, rooms and photographs.

Half of the backdrops are the `studio` painter's own, so that what is judged in production is what was learnt from.
A product (by its name, whatever its picture) is in one split alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data import backdrops
from models.data.backdrops import Real, Rng
from models.data.compositions import Bytes, Laid, lay
from models.data.cutouts import Layers, read_layers
from models.data.defects import GREY, KINDS, Composition, Head, planes_of, spoil
from models.data.sentences import write_sentence
from transforms.errors import ConfigError
from transforms.ops import studio
from transforms.ops.pairs import SIDE
from transforms.records import Size

_CLEAN = 0.36  # of the samples
_WEAKEST = 0.15
_LEAST_SHARE, _MOST_SHARE = 0.03, 0.6  # of a picture that its product covers
_CLOSEST = 0.7  # of a picture's side that is still seen


class Sample(NamedTuple):
    """What a reward model learns from.

    Attributes:
        planes: uint8 [160, 160, 7].
        truth: (product, background), 1 where it has a defect.
        kind: of the defect, "clean" where there is none.
        strength: of the defect, 0 where there is none.
    """

    planes: NDArray[np.uint8]
    truth: tuple[float, float]
    kind: str
    strength: float


def files_of(cutouts: Path, *, held_out: bool) -> list[Path]:
    """The cutouts of one split; one product in five is held out.

    Raises:
        ConfigError: there are none.
    """
    found = sorted(cutouts.glob("*.webp"))
    chosen = [path for path in found if (crc32(path.name.split(".")[0].encode()) % 5 == 0) == held_out]
    if not chosen:
        raise ConfigError(f"too few cutouts under {str(cutouts)!r}: run python -m models.data.cutouts first")
    return chosen


def make_bank(files: Sequence[Path], photos: list[Bytes], count: int, seed: int) -> NDArray[np.uint8]:
    """uint8 [N, 160, 160, 10]: colour (3), coverage (1), ground (3) and sunk ground (3) of N up to `count` products."""
    made: list[NDArray[np.uint8]] = []
    for number in range(count):
        rng = np.random.Generator(np.random.Philox(key=[seed, number]))
        composition = compose(rng, read_layers(files[int(rng.integers(len(files)))]), photos)
        if composition is not None:
            stacked = np.concatenate([plane if plane.ndim == 3 else plane[..., None] for plane in composition], axis=2)
            made.append(np.rint(np.clip(stacked, 0, 1) * 255).astype(np.uint8))
    return np.stack(made)


def compose(rng: Rng, layers: Layers, photos: list[Bytes]) -> Composition | None:
    """A product in its place before some backdrop; None where too little or too much of it is seen."""
    laid = lay(rng, layers, Size(SIDE, SIDE))
    if not _LEAST_SHARE < float(laid.coverage.mean()) < _MOST_SHARE:
        return None
    lower = round(SIDE * float(rng.uniform(0.06, 0.14)))
    sunk = Laid(*(np.roll(plane, lower, axis=0) for plane in laid))
    state = rng.bit_generator.state
    grounds = []
    for where in (laid, sunk):  # the same draws for both, so that only the shadow moves
        rng.bit_generator.state = state
        grounds.append(_ground(rng, where, photos))
    return Composition(laid.color, laid.coverage, *grounds)


def _ground(rng: Rng, laid: Laid, photos: list[Bytes]) -> Real:
    size, kind = Size(SIDE, SIDE), rng.random()
    if kind < 0.5:
        image = laid.color + GREY * (1 - laid.coverage[..., None])
        image, product = (np.rint(plane * 255).astype(np.uint8) for plane in (image, laid.coverage))
        seed = int(rng.integers(2**31))
        return cast(Real, studio.paint(image, product, product, write_sentence(seed, 0), seed).astype(np.float32) / 255)
    if kind < 0.65:
        ground = backdrops.draw_sweep(rng, size, white=False)
    elif kind < 0.8 or not photos:
        ground = backdrops.draw_room(rng, size)
    else:
        ground = backdrops.crop_photo(rng, photos[int(rng.integers(len(photos)))], size)
    return cast(Real, np.clip(ground * (1 - backdrops.cast_shadow(rng, laid.coverage)[..., None]), 0, 1))


def draw(bank: NDArray[np.uint8], seed: int, number: int, kinds: Sequence[str] = tuple(KINDS)) -> Sample:
    """Sample `number` of `seed`: clean, or with one defect out of `kinds`; either head's defects are as frequent."""
    rng = np.random.Generator(np.random.Philox(key=[seed, number]))
    planes = varied(rng, bank[int(rng.integers(len(bank)))])
    composition = composition_of(planes, mirrored=bool(rng.random() < 0.5))
    if rng.random() < _CLEAN:
        return Sample(planes_of(composition, composition.scene()), (0.0, 0.0), "clean", 0.0)
    heads = sorted({KINDS[kind][0] for kind in kinds})
    head = heads[int(rng.integers(len(heads)))]
    own = [kind for kind in kinds if KINDS[kind][0] == head]
    kind, strength = own[int(rng.integers(len(own)))], float(rng.uniform(_WEAKEST, 1.0))
    return Sample(planes_of(composition, spoil(rng, kind, strength, composition)), truth_of(head), kind, strength)


def truth_of(head: Head) -> tuple[float, float]:
    """(product, background) of a picture with one defect."""
    return (1.0, 0.0) if head == "product" else (0.0, 1.0)


def composition_of(planes: NDArray[np.uint8], *, mirrored: bool = False) -> Composition:
    """One composition of a bank."""
    real = (planes[:, ::-1] if mirrored else planes).astype(np.float32) / 255
    return Composition(real[..., :3], real[..., 3], real[..., 4:7], real[..., 7:])


def varied(rng: Rng, planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A composition seen a little closer and in another light, uint8 [160, 160, 10]: nothing that moves a part of it.

    Without this the few backdrops of a bank are learnt by heart, and what differs from them is taken for a defect.
    """
    side = int(rng.integers(round(_CLOSEST * SIDE), SIDE + 1))
    top, left = (int(start) for start in rng.integers(0, SIDE - side + 1, 2))
    closer = np.ascontiguousarray(planes[top : top + side, left : left + side])
    closer = cast("NDArray[np.uint8]", cv2.resize(closer, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR))
    if _LEAST_SHARE < float(closer[..., 3].mean()) / 255 < _MOST_SHARE:
        planes = closer
    light = (rng.uniform(0.75, 1.15) * rng.uniform(0.92, 1.08, 3)).astype(np.float32)
    gain = np.concatenate([light, [1.0], light, light]).astype(np.float32)
    return cast("NDArray[np.uint8]", np.rint(np.clip(planes * gain, 0, 255)).astype(np.uint8))


def each_kind(bank: NDArray[np.uint8], seed: int, count: int) -> Iterator[Sample]:
    """`count` clean samples, and `count` of every kind of defect: what is measured on."""
    for place, kind in enumerate(("clean", *KINDS)):
        for number in range(count):
            rng = np.random.Generator(np.random.Philox(key=[seed + place, number]))
            composition = composition_of(bank[int(rng.integers(len(bank)))], mirrored=bool(rng.random() < 0.5))
            if kind == "clean":
                yield Sample(planes_of(composition, composition.scene()), (0.0, 0.0), kind, 0.0)
                continue
            strength = float(rng.uniform(_WEAKEST, 1.0))
            scene = spoil(rng, kind, strength, composition)
            yield Sample(planes_of(composition, scene), truth_of(KINDS[kind][0]), kind, strength)
