"""A studio set as data: its design from a product, a prompt and a seed, and its light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.footing import Footing, find_footing
from transforms.ops.oklab import Floats, in_gamut, oklab_to_linear
from transforms.ops.palette import choose_backdrop, product_palette
from transforms.ops.papers import Pose, Surface, Wish, read_prompt
from transforms.ops.shadows import KeyLight, floor_shadow, wall_shadow

_NO_HORIZON = -0.5  # above the picture: a camera that looks down on a product sees floor alone
_ON_LEGS = 0.6  # of the usual length of shadows
_DEPTH = 1.35  # shadows a little deeper than measured: a silhouette hides half of what blocks the light


@dataclass(frozen=True)
class Design:
    """A set, in fractions of the picture's height and width, so that it can be drawn at any size.

    Attributes:
        wall, floor: linear sRGB [3] of the materials.
        side: where the key light stands, -1 left, 1 right.
        key: its shadow.
        key_share: the key's share of the light on an open floor, in [0, 1]; the rest is sky.
        horizon: row where floor turns to wall.
        bend: half the height of that turn.
        pool: (row, column) of the light's pool on the wall, and its radius.
        pool_strength, falloff: how much brighter the pool is, how much darker the corners are.
        warmth, gloss, surface, window, shadow, pose: see `transforms.ops.papers.Wish`.
        seed: of the surface's texture.
    """

    wall: Floats
    floor: Floats
    side: float
    key: KeyLight
    key_share: float
    horizon: float
    bend: float
    pool: tuple[float, float, float]
    pool_strength: float
    falloff: float
    warmth: float
    gloss: float
    surface: Surface
    window: bool
    shadow: bool
    pose: Pose
    seed: int


def stream(seed: int, purpose: int) -> np.random.Generator:
    """The counter-based generator of one purpose of one seed."""
    return np.random.Generator(np.random.Philox(key=[seed % 2**64, purpose]))


def design_set(image: NDArray[np.uint8], matte: NDArray[np.uint8], prompt: str, seed: int) -> Design:
    """Design the set for a product: image uint8 [h, w, 3], matte uint8 [h, w]. The same inputs give the same set."""
    rng, wish, palette = stream(seed, 0), read_prompt(prompt), product_palette(image, matte)
    backdrop = choose_backdrop(palette, wish, rng)
    side = lit_side(image, matte) or float(rng.choice([-1.0, 1.0]))
    footing = find_footing(matte.astype(np.float32) / 255)
    two_tone = wish.two_tone if wish.two_tone is not None else bool(rng.random() < 0.4)
    horizon, bend = _horizon(footing, matte.shape[0], two_tone, rng)
    wall, floor = _materials(backdrop, two_tone, rng)
    return Design(
        wall=wall,
        floor=floor,
        side=side,
        key=_key(side, wish, bool(footing and footing.feet), rng),
        key_share=float(np.clip(0.55 + 0.26 * wish.drama + rng.uniform(-0.04, 0.04), 0.35, 0.85)),
        horizon=horizon,
        bend=bend,
        pool=_pool(matte, side, rng),
        pool_strength=float(rng.uniform(0.14, 0.26) * (1 + 2.2 * wish.drama) * _headroom(backdrop)),
        falloff=float(rng.uniform(0.14, 0.24) * (1 + 1.8 * wish.drama)),
        warmth=wish.warmth,
        gloss=wish.gloss,
        surface=wish.surface,
        window=wish.window,
        shadow=wish.shadow,
        pose=wish.pose,
        seed=seed,
    )


def lit_side(image: NDArray[np.uint8], matte: NDArray[np.uint8]) -> float:
    """-1 or 1 where the product itself is clearly brighter on the left or right, else 0."""
    rows, columns = np.nonzero(matte >= 250)
    if rows.size < 64:
        return 0.0
    luma = image[rows, columns].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    spread = columns.std() * luma.std()
    if spread < 1e-3:
        return 0.0
    slope = float(((columns - columns.mean()) * (luma - luma.mean())).mean() / spread)
    return float(np.sign(slope)) if abs(slope) > 0.12 else 0.0


def _key(side: float, wish: Wish, on_legs: bool, rng: np.random.Generator) -> KeyLight:
    length = rng.uniform(0.55, 0.85) * (1 + 0.35 * wish.drama)
    # a low light throws a seat's shadow far from the legs, whose own are too thin to join them
    length *= _ON_LEGS if on_legs else 1.0
    softness = rng.uniform(0.28, 0.42) * wish.softness * (1 - 0.35 * wish.drama)
    return KeyLight(float(-side * length), float(rng.uniform(0.12, 0.4)), float(softness))


def _horizon(footing: Footing | None, height: int, two_tone: bool, rng: np.random.Generator) -> tuple[float, float]:
    """The horizon lies behind the footprint, so that the product stands clear of it."""
    rise = rng.uniform(0.07, 0.14)
    if footing is None:
        return 0.72, 0.1
    back = footing.back_row / height
    horizon = float(np.clip(back - rise, 0.3, 0.92)) if footing.lying is None else _NO_HORIZON
    return (horizon, float(rng.uniform(0.002, 0.004))) if two_tone else (horizon, float(rng.uniform(0.08, 0.14)))


def _materials(backdrop: Floats, two_tone: bool, rng: np.random.Generator) -> tuple[Floats, Floats]:
    floor = backdrop.copy()
    if two_tone:
        step = rng.uniform(0.035, 0.07) * (1.0 if backdrop[0] < 0.84 else -1.0)
        floor = in_gamut(np.array([backdrop[0] + step, *(backdrop[1:] * rng.uniform(0.8, 1.25))], np.float32))
    return np.clip(oklab_to_linear(backdrop), 0, 1), np.clip(oklab_to_linear(floor), 0, 1)


def _headroom(backdrop: Floats) -> float:
    """How much brighter than itself a backdrop may get: a pale one soon burns out."""
    return float(np.interp(backdrop[0], [0.78, 0.95], [1.0, 0.45]))


def _pool(matte: NDArray[np.uint8], side: float, rng: np.random.Generator) -> tuple[float, float, float]:
    rows, columns = np.nonzero(matte > 127)
    if not rows.size:
        return 0.4, 0.5 + 0.15 * side, 0.5
    row = (0.65 * rows.min() + 0.35 * rows.max()) / matte.shape[0]
    column = (columns.min() + columns.max()) / 2 / matte.shape[1]
    return float(row), float(column + side * rng.uniform(0.08, 0.22)), float(rng.uniform(0.42, 0.6))


def light_set(design: Design, matte: Floats) -> Floats:
    """The set under its light, shadows included: linear sRGB float32 [h, w, 3] for a product matte float32 [h, w]."""
    floorness = _floorness(design, matte.shape[0])
    key_seen, sky_seen = _seen(design, matte, floorness)
    geometry = _geometry(design, matte.shape, floorness)
    tint = np.array([1.0 + 0.07 * design.warmth, 1.0, 1.0 - 0.11 * design.warmth], np.float32)
    sky_tint = (1.0 + (1.0 / tint - 1.0) * 0.5).astype(np.float32)
    key = (design.key_share * key_seen**_DEPTH * geometry)[..., None] * tint
    # light that bounces between floor and product keeps a shadow from going black
    sky = ((1 - design.key_share) * (0.12 + 0.88 * sky_seen**_DEPTH) * (0.4 + 0.6 * geometry))[..., None] * sky_tint
    if design.window:
        panes = _window(design, matte.shape)[..., None] * (1 - 0.35 * floorness[:, None, None])
        key = key * (0.82 + 0.12 * design.pool_strength / 0.2 + 0.26 * panes * (1 + 0.4 * (tint - 1)))
    material = design.wall + (design.floor - design.wall) * floorness[:, None, None]
    return np.asarray(_shoulder(material * (key + sky)), np.float32)


def _floorness(design: Design, height: int) -> Floats:
    if design.pose != "standing":
        return np.zeros(height, np.float32)
    rows = (np.arange(height, dtype=np.float32) + 0.5) / height
    t = np.clip((rows - design.horizon) / (2 * design.bend) + 0.5, 0.0, 1.0)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def _seen(design: Design, matte: Floats, floorness: Floats) -> tuple[Floats, Floats]:
    if not design.shadow:
        open_ = np.ones_like(matte)
        return open_, open_
    if design.pose != "standing":
        span = float(np.sqrt(max(1.0, float((matte > 0.5).sum()))))
        gap = span * (0.035 if design.pose == "flat" else 0.06)
        return wall_shadow(matte, design.key, gap)
    key_seen, sky_seen = floor_shadow(matte, design.key, max(0.0, design.horizon - design.bend - 0.02))
    # the wall stands well behind: what would fall on it is mostly washed out
    reach = floorness[:, None]
    return np.asarray(1 - (1 - key_seen) * reach, np.float32), np.asarray(1 - (1 - sky_seen) * reach, np.float32)


def _geometry(design: Design, shape: tuple[int, ...], floorness: Floats) -> Floats:
    height, width = shape
    side = max(height, width)
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None, :]
    row, column, radius = design.pool
    apart = ((x - column * width) ** 2 + (y - row * height) ** 2) / (radius * side) ** 2
    wall = 0.9 + design.pool_strength * np.exp(-1.4 * apart)
    below = ((x - column * width) / (0.75 * side)) ** 2 + ((y - (design.horizon + 0.2) * height) / (0.5 * side)) ** 2
    floor = 0.97 + 0.7 * design.pool_strength * (np.exp(-below) - 0.5)
    mixed = wall + (floor - wall) * floorness[:, None]
    ramp = 1.0 + 0.5 * design.falloff * design.side * (2 * x / width - 1)
    corner = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) * 2
    return np.asarray(mixed * ramp * (1 - design.falloff * corner), np.float32)


def _window(design: Design, shape: tuple[int, ...]) -> Floats:
    """Daylight through a window with bars, slanting across the set, out of focus; float32 [h, w] in [0, 1]."""
    height, width = shape
    rng, side = stream(design.seed, 3), max(height, width)
    y = (np.arange(height, dtype=np.float32)[:, None] - design.pool[0] * height) / side
    x = (np.arange(width, dtype=np.float32)[None, :] - design.pool[1] * width) / side * design.side
    slant = rng.uniform(0.45, 0.75)
    along, down = x + slant * y, y - 0.18 * x
    wide, tall, bar = rng.uniform(0.13, 0.17), rng.uniform(0.17, 0.22), 0.016
    shift = rng.uniform(-0.05, 0.05)
    blur = np.clip(0.011 + 0.02 * (x + 0.5), 0.008, 0.04)
    panes = np.zeros(shape, np.float32)
    for left in (-wide, 0.0):
        for top in (-1.5 * tall, -0.5 * tall, 0.5 * tall):
            across = _soft_span(along - shift, left + bar / 2, left + wide - bar / 2, blur)
            panes += across * _soft_span(down, top + bar / 2, top + tall - bar / 2, blur)
    return np.asarray(panes, np.float32)


def _soft_span(value: Floats, low: float, high: float, blur: Floats) -> Floats:
    return np.asarray(0.5 * (np.tanh((value - low) / blur) - np.tanh((value - high) / blur)), np.float32)


def _shoulder(linear: Floats) -> Floats:
    """Rolls off what would clip, from 0.86 upwards."""
    high = linear > 0.86
    linear[high] = 0.86 + 0.13 * np.tanh((linear[high] - 0.86) / 0.13)
    return linear


def texture(design: Design, like: Floats) -> Floats:
    """The surface's relief as a factor around 1, float32 [h, w] of `like`'s shape; the same picture at any size."""
    strength = {"paper": 0.0, "plaster": 0.022, "concrete": 0.036}[design.surface]
    if not strength:
        return np.ones_like(like)
    rng = stream(design.seed, 1)
    total = np.zeros_like(like)
    for cells, weight in ((5, 0.3), (14, 0.45), (34, 0.45), (90, 0.45), (220, 0.45), (480, 0.4)):
        across = max(2, round(cells * like.shape[1] / like.shape[0]))
        noise = rng.standard_normal((cells, across), dtype=np.float32)
        total += weight * cv2.resize(noise, like.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return (1.0 + strength * np.clip(total, -2.5, 2.5)).astype(np.float32)
