"""Clean pictures of a product before a painted backdrop, and defects of known kind and strength made in them.

A reward model learns from these what raters flag: defects of the product, and of the background. Each kind is a
function of (generator, strength in (0, 1], composition) to the spoiled scene; strength 1 is plain to everybody, and
from about 0.3 a careful eye sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.backdrops import Real, Rng, blurred

Head = Literal["product", "background"]
HEADS: tuple[Head, ...] = ("product", "background")
GREY = 0.5


class Composition(NamedTuple):
    """A product and its backdrop, float32 in [0, 1].

    Attributes:
        color: [H, W, 3], the product's colour, premultiplied.
        coverage: [H, W], its alpha.
        ground: [H, W, 3], the backdrop with the product's shadow.
        sunk: [H, W, 3], the same backdrop with the shadow of a product that stands lower.
    """

    color: Real
    coverage: Real
    ground: Real
    sunk: Real

    def original(self) -> Real:
        """The product on grey, [H, W, 3]."""
        return cast(Real, self.color + GREY * (1 - self.coverage[..., None]))

    def on(self, ground: Real) -> Real:
        """The product on another backdrop."""
        return cast(Real, self.color + ground * (1 - self.coverage[..., None]))

    def scene(self) -> Real:
        """The clean picture."""
        return self.on(self.ground)


Spoil = Callable[[Rng, float, Composition], Real]


def extended(rng: Rng, strength: float, composition: Composition) -> Real:
    """The product goes on beyond its outline: a piece of it again, beside itself."""
    rows, columns = np.nonzero(composition.coverage > 0.5)
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    down, across = (0.08 + 0.3 * strength) * np.array([tall, wide]) * rng.choice([-1, 1], 2)
    if rng.random() < 0.7:  # along one axis, as legs and edges are drawn out
        down, across = (down, 0.0) if rng.random() < 0.5 else (0.0, across)
    moved = np.array([[1, 0, across], [0, 1, down]], np.float32)
    size = composition.coverage.shape[::-1]
    color, coverage = (cv2.warpAffine(plane, moved, size) for plane in (composition.color, composition.coverage))
    keep = _blob(rng, composition.coverage.shape, 0.35 + 0.4 * strength) if rng.random() < 0.5 else 1.0
    behind = composition.ground * (1 - (coverage * keep)[..., None]) + color * np.asarray(keep)[..., None]
    return composition.on(cast(Real, behind))


def halo(rng: Rng, strength: float, composition: Composition) -> Real:
    """A rim of the old backdrop shines around the product: white mostly, sometimes dark or grey."""
    radius = 1 + round(2.5 * strength)
    grown = cv2.dilate(composition.coverage, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2))
    rim = blurred(cast(Real, grown), 0.5) * (0.35 + 0.65 * strength)
    old = np.float32(rng.choice([1.0, 0.95, 0.5, 0.05], p=[0.45, 0.3, 0.1, 0.15]))
    return composition.on(cast(Real, composition.ground * (1 - rim[..., None]) + old * rim[..., None]))


def cut(rng: Rng, strength: float, composition: Composition) -> Real:
    """A part of the product is missing, and the backdrop shows instead."""
    shape = composition.coverage.shape
    share = 0.06 + 0.3 * strength
    gone = _end(rng, composition.coverage, share) if rng.random() < 0.5 else _blob(rng, shape, share, composition)
    left = (1 - gone)[..., None]
    covered = composition.coverage[..., None] * left
    return cast(Real, composition.color * left + composition.ground * (1 - covered))


def smeared(rng: Rng, strength: float, composition: Composition) -> Real:
    """The product's detail is drawn out or washed away, in a part of it."""
    scene = composition.scene()
    length = 5 + 2 * round(9 * strength)
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    turned = cv2.getRotationMatrix2D((length / 2 - 0.5,) * 2, float(rng.uniform(0, 180)), 1)
    kernel = cast(Real, cv2.warpAffine(kernel, turned, (length, length)))
    drawn = blurred(scene, 1 + 4 * strength) if rng.random() < 0.5 else cv2.filter2D(scene, -1, kernel / kernel.sum())
    where = (_blob(rng, composition.coverage.shape, 0.5 + 0.4 * strength, composition) * composition.coverage)[
        ..., None
    ]
    return cast(Real, scene * (1 - where) + drawn * where)


def wrong_scale(rng: Rng, strength: float, composition: Composition) -> Real:
    """The product is larger or smaller than it was, or squeezed."""
    change = (0.06 + 0.3 * strength) * rng.choice([-1.0, 1.0])
    wide, tall = 1 + change, 1 + (change if rng.random() < 0.5 else -0.5 * change)
    rows, columns = np.nonzero(composition.coverage > 0.5)
    middle, foot = float(columns.mean()), float(rows.max())
    matrix = np.array([[wide, 0, middle * (1 - wide)], [0, tall, foot * (1 - tall)]], np.float32)
    size = composition.coverage.shape[::-1]
    color, coverage = (cv2.warpAffine(plane, matrix, size) for plane in (composition.color, composition.coverage))
    return cast(Real, color + composition.ground * (1 - coverage[..., None]))


def seam(rng: Rng, strength: float, composition: Composition) -> Real:
    """A straight edge through the backdrop: colours, or what is seen, jump there."""
    height, width = composition.coverage.shape
    beyond = np.zeros((height, width), np.float32)
    where = rng.uniform(0.15, 0.85)
    if rng.random() < 0.5:
        beyond[round(height * where) :] = 1
    else:
        beyond[:, round(width * where) :] = 1
    if rng.random() < 0.3:  # a box around the product, as of an inpainted region
        beyond[:] = 0
        top, left = (int(rng.uniform(0.03, 0.2) * length) for length in (height, width))
        beyond[top:-top, left:-left] = 1
    jump = (0.03 + 0.14 * strength) * rng.choice([-1, 1]) * rng.uniform(0.6, 1.4, 3)
    other = composition.ground + jump.astype(np.float32)
    if rng.random() < 0.35:
        shift = round((4 + 20 * strength) * rng.choice([-1, 1]))
        other = np.roll(composition.ground, shift, axis=int(rng.integers(2))) + 0.5 * jump.astype(np.float32)
    return composition.on(cast(Real, composition.ground * (1 - beyond[..., None]) + other * beyond[..., None]))


def floating(rng: Rng, strength: float, composition: Composition) -> Real:
    """The product's shadow lies below it, or is not there."""
    del rng
    share = np.float32(min(1.0, 0.4 + 0.6 * strength))
    return composition.on(cast(Real, composition.ground * (1 - share) + composition.sunk * share))


def wrong_light(rng: Rng, strength: float, composition: Composition) -> Real:
    """The backdrop is lit by another lamp than the product: much darker, or of a strong colour."""
    if rng.random() < 0.5:
        gain = np.full(3, 1 - 0.75 * strength, np.float32)
    else:
        gain = 1 - 0.8 * strength * rng.permutation([0.0, rng.uniform(0.2, 0.8), 1.0])
    return composition.on(cast(Real, composition.ground * gain.astype(np.float32)))


def garbage(rng: Rng, strength: float, composition: Composition) -> Real:
    """The backdrop holds what nobody can name: torn pieces, blotches, noise, ripples."""
    shape = composition.coverage.shape
    share = 0.15 + 0.35 * strength
    where = _blob(rng, shape, share)[..., None] * (0.5 + 0.5 * strength)
    kind = rng.integers(4)
    if kind == 0:  # torn
        side = int(rng.integers(8, 24))
        tiles = [np.roll(composition.ground, tuple(rng.integers(-60, 60, 2)), axis=(0, 1)) for _ in range(6)]
        tiles.append(composition.color + GREY * (1 - composition.coverage[..., None]))
        chosen = np.kron(rng.integers(0, 7, (shape[0] // side + 1, shape[1] // side + 1)), np.ones((side, side), int))
        other = np.choose(chosen[: shape[0], : shape[1], None], tiles)
    elif kind == 1:  # blotches
        coarse = rng.uniform(0, 1, (int(rng.integers(4, 12)), int(rng.integers(4, 12)), 3)).astype(np.float32)
        other = cast(Real, cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC))
    elif kind == 2:  # noise
        other = composition.ground + rng.standard_normal((*shape, 3)).astype(np.float32) * 0.25
    else:  # ripples
        field = blurred(rng.standard_normal((*shape, 2)).astype(np.float32), 5.0) * (60 + 200 * strength)
        rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        moved = (columns + field[..., 0], rows + field[..., 1])
        other = cast(Real, cv2.remap(composition.scene(), *moved, cv2.INTER_LINEAR))
    return composition.on(cast(Real, composition.ground * (1 - where) + other * where))


KINDS: Mapping[str, tuple[Head, Spoil]] = {
    "extended": ("product", extended),
    "halo": ("product", halo),
    "cut": ("product", cut),
    "smeared": ("product", smeared),
    "wrong_scale": ("product", wrong_scale),
    "seam": ("background", seam),
    "floating": ("background", floating),
    "wrong_light": ("background", wrong_light),
    "garbage": ("background", garbage),
}


def spoil(rng: Rng, kind: str, strength: float, composition: Composition) -> Real:
    """The scene of `composition` with one defect, float32 [H, W, 3] in [0, 1].

    Raises:
        KeyError: no such kind.
    """
    if not 0 < strength <= 1:
        raise ValueError(f"a defect's strength is within (0, 1], not {strength}")
    return cast(Real, np.clip(KINDS[kind][1](rng, strength, composition), 0, 1).astype(np.float32))


def _blob(rng: Rng, shape: tuple[int, ...], share: float, around: Composition | None = None) -> Real:
    """A soft-edged patch over about `share` of the sides of a picture, or of the product in it; [H, W] in [0, 1]."""
    box = np.array([[0, 0], shape], np.float64)
    if around is not None:
        rows, columns = np.nonzero(around.coverage > 0.5)
        box = np.array([[rows.min(), columns.min()], [rows.max() + 1, columns.max() + 1]], np.float64)
    centre = rng.uniform(box[0], box[1])
    radii = np.maximum((box[1] - box[0]) * share * rng.uniform(0.5, 1.0, 2), 2)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    waves = 0.2 * np.sin(3 * np.arctan2(rows - centre[0], columns - centre[1]) + rng.uniform(0, 6))
    away = np.hypot((rows - centre[0]) / radii[0], (columns - centre[1]) / radii[1]) + waves
    return cast(Real, np.clip((1 - away) * float(radii.mean()) * 0.5 + 0.5, 0, 1).astype(np.float32))


def _end(rng: Rng, coverage: Real, share: float) -> Real:
    """One end of the product, `share` of its height or width; [H, W], 0 or 1."""
    end = np.zeros_like(coverage)
    axis = int(rng.integers(2))
    along = np.flatnonzero((coverage > 0.5).any(axis=1 - axis))
    length = max(1, round(share * len(along)))
    part = slice(0, along[0] + length) if rng.random() < 0.5 else slice(int(along[-1]) - length + 1, None)
    end[(slice(None),) * axis + (part,)] = 1
    return end


def planes_of(composition: Composition, scene: Real) -> NDArray[np.uint8]:
    """What the reward model sees, uint8 [H, W, 7]: see `transforms.ops.pairs.pair_of`."""
    stacked = np.concatenate([composition.original(), composition.coverage[..., None], scene], axis=2)
    return np.rint(np.clip(stacked, 0, 1) * 255).astype(np.uint8)
