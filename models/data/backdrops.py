"""What products are composed onto: studio sweeps and the shadows, reflections and lines that are no product.

Pictures are float32 RGB [H, W, 3], planes float32 [H, W]; everything in [0, 1], drawn from the generator that is given.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.records import Size

Real = NDArray[np.float32]
Rng = np.random.Generator


def draw_sweep(rng: Rng, size: Size, *, white: bool) -> Real:
    """A studio backdrop: white, near white or plain, often falling off towards the corners or up the wall."""
    kind = rng.random()
    if white or kind < 0.25:
        base = np.full(3, 1.0 if rng.random() < 0.5 else rng.uniform(0.88, 1.0))
        base = base * rng.uniform(0.985, 1.0, 3)
    elif kind < 0.55:
        base = rng.uniform(0.78, 0.98) * (1 - rng.uniform(0, 0.06) * rng.random(3))
    else:
        base = rng.uniform(0.15, 0.95) * (1 - rng.uniform(0, 0.55) * rng.random(3))
    picture = np.broadcast_to(base.astype(np.float32), (*size, 3)).copy()
    if base.min() < 0.999 or rng.random() < 0.4:
        picture *= _falloff(rng, size)[..., None]
    return cast(Real, np.clip(picture, 0, 1))


def _falloff(rng: Rng, size: Size) -> Real:
    """Light over the sweep: a lamp's pool, the floor against the wall, a slope; at most 30 % off."""
    rows, columns = np.mgrid[0 : 1 : size.height * 1j, 0 : 1 : size.width * 1j].astype(np.float32)
    field = np.ones(size, np.float32)
    if rng.random() < 0.6:
        away = np.hypot(rows - rng.uniform(0.2, 0.8), columns - rng.uniform(0.2, 0.8))
        field *= 1 - rng.uniform(0, 0.25) * away**2
    if rng.random() < 0.5:
        edge = 1 / (1 + np.exp(-(rows - rng.uniform(0.4, 0.8)) / rng.uniform(0.01, 0.15)))
        field *= 1 - rng.uniform(-0.1, 0.12) * edge
    if rng.random() < 0.4:
        field *= 1 - rng.uniform(0, 0.15) * (rows if rng.random() < 0.5 else columns)
    return cast(Real, field.astype(np.float32))


def draw_room(rng: Rng, size: Size) -> Real:
    """A wall above a floor, each of one material: noise of some grain, stripes or tiles."""
    horizon = round(size.height * rng.uniform(0.35, 0.85))
    wall, floor = _material(rng, size), _material(rng, size)
    rows = np.arange(size.height)[:, None, None]
    picture = np.where(rows < horizon, wall, floor)
    if rng.random() < 0.5:  # a skirting board
        height = max(1, round(size.height * rng.uniform(0.01, 0.05)))
        picture[max(0, horizon - height) : horizon] = rng.uniform(0.3, 1.0)
    return cast(Real, np.clip(picture * _falloff(rng, size)[..., None], 0, 1).astype(np.float32))


def _material(rng: Rng, size: Size) -> Real:
    base = rng.uniform(0.2, 0.95) * (1 - rng.uniform(0, 0.5) * rng.random(3))
    grain = cv2.resize(rng.random((rng.integers(3, 60), rng.integers(3, 60)), np.float32), size[::-1])
    tone = 1 + rng.uniform(0, 0.3) * (grain - 0.5)
    kind = rng.random()
    if kind < 0.6:
        rows, columns = np.mgrid[0 : size.height, 0 : size.width]
        tall, wide = rng.uniform(8, 60), rng.uniform(8, 120)
        shift = wide / 2 * ((rows // tall) % 2) if rng.random() < 0.5 else 0
        joint = (rows % tall < 1.5) | ((columns + shift) % wide < 1.5)
        stone = np.sin(12.9 * (rows // tall) + 78.2 * ((columns + shift) // wide)) * rng.uniform(0, 0.15)
        tone = (tone + stone) * np.where(joint, rng.uniform(0.4, 1.3), 1.0)
    return cast(Real, (base * tone[..., None]).astype(np.float32))


def crop_photo(rng: Rng, photo: NDArray[np.uint8], size: Size) -> Real:
    """A random part of a photograph, at least 30 % of its sides, sometimes out of focus."""
    share = rng.uniform(0.3, 1.0)
    height, width = round(photo.shape[0] * share), round(photo.shape[1] * share)
    top = int(rng.integers(0, photo.shape[0] - height + 1))
    left = int(rng.integers(0, photo.shape[1] - width + 1))
    crop = photo[top : top + height, left : left + width]
    crop = crop[:, ::-1] if rng.random() < 0.5 else crop
    picture = cv2.resize(np.ascontiguousarray(crop), size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return blurred(picture, rng.uniform(0.5, 4.0)) if rng.random() < 0.4 else cast(Real, picture)


def cast_shadow(rng: Rng, coverage: Real) -> Real:
    """The shadow of a thing that stands on a floor: how much light is missing, [H, W] in [0, 1]."""
    shade = np.zeros_like(coverage)
    rows = np.flatnonzero((coverage > 0.5).any(axis=1))
    if not len(rows):
        return shade
    foot, tall = float(rows[-1]), float(rows[-1] - rows[0] + 1)
    if rng.random() < 0.8:  # on the floor: the outline laid down
        squash, shear = rng.uniform(-0.3, 0.35), rng.uniform(-0.9, 0.9)
        laid = _laid_down(coverage, foot, squash, shear)
        shade = np.maximum(shade, blurred(laid, tall * rng.uniform(0.01, 0.06)) * rng.uniform(0.1, 0.55))
    if rng.random() < 0.8:  # under it, where no light gets
        near = coverage * (np.arange(len(coverage))[:, None] > foot - tall * rng.uniform(0.03, 0.12))
        grown = cv2.dilate(near.astype(np.float32), np.ones((1, 1 + 2 * round(tall * 0.03)), np.uint8))
        under = cast(Real, np.roll(grown, round(tall * 0.015), axis=0))
        shade = np.maximum(shade, blurred(under, tall * rng.uniform(0.008, 0.03)) * rng.uniform(0.2, 0.7))
    if rng.random() < 0.2:  # on a wall close behind
        moved = np.roll(coverage, rng.integers(-12, 13, 2), axis=(0, 1))
        shade = np.maximum(shade, blurred(moved, tall * rng.uniform(0.01, 0.05)) * rng.uniform(0.05, 0.3))
    return cast(Real, shade.astype(np.float32))


def _laid_down(coverage: Real, foot: float, squash: float, shear: float) -> Real:
    """`coverage` mirrored or squashed about the line that it stands on, and leant sideways."""
    if abs(squash) < 0.03:
        squash = 0.03
    matrix = np.array([[1.0, shear, -shear * foot], [0.0, squash, foot * (1 - squash)]])
    return cast(Real, cv2.warpAffine(coverage, matrix, coverage.shape[::-1], flags=cv2.INTER_LINEAR))


def reflection(rng: Rng, color: Real, coverage: Real) -> tuple[Real, Real]:
    """(premultiplied colour, alpha) of a polished floor's mirror image below the product, fading downwards."""
    rows = np.flatnonzero((coverage > 0.5).any(axis=1))
    foot = float(rows[-1]) if len(rows) else float(len(coverage))
    matrix = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 2 * foot + 1]])
    below = np.maximum(np.arange(len(coverage), dtype=np.float32) - foot, 0)[:, None]
    fade = (rng.uniform(0.08, 0.35) * np.exp(-below / (rng.uniform(0.1, 0.5) * len(coverage)))).astype(np.float32)
    alpha = cv2.warpAffine(coverage, matrix, coverage.shape[::-1]) * fade
    return cast(Real, cv2.warpAffine(color, matrix, coverage.shape[::-1]) * fade[..., None]), cast(Real, alpha)


def draw_distractor(rng: Rng, size: Size) -> Real:
    """A shadow of something outside the picture: how much light is missing, [H, W]."""
    corners = rng.uniform(-0.4, 1.4, (rng.integers(3, 6), 2)) * size[::-1]
    shade = np.zeros(size, np.float32)
    cv2.fillPoly(shade, [np.rint(corners).astype(np.int32)], (1.0,))
    return cast(Real, blurred(shade, size.width * rng.uniform(0.01, 0.1)) * np.float32(rng.uniform(0.03, 0.2)))


def blurred(picture: Real, sigma: float) -> Real:
    """A Gaussian blur, by 0 at least."""
    return cast(Real, cv2.GaussianBlur(picture, (0, 0), sigma)) if sigma > 0.2 else picture
