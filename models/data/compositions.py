"""Training pictures for the segmenter, composed when asked for: a picture, its matte, and what each pixel weighs.

A sample depends on its generator alone, so a run that goes on from a checkpoint sees what it would have seen.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data import backdrops
from models.data.backdrops import Real, Rng, blurred
from models.data.cutouts import Layers
from transforms.records import Size

Bytes = NDArray[np.uint8]

_IN_ROOM = 0.35  # of the pictures
_EMPTY = 0.06  # of the pictures: an empty studio is no product
_PALE = 0.72  # mean value from which a product counts as pale
_EDGE_WEIGHT, _THIN_WEIGHT = 3.0, 5.0


class Sample(NamedTuple):
    """A picture uint8 [H, W, 3], its matte float32 [H, W] in [0, 1], and each pixel's weight float32 [H, W]."""

    pixels: Bytes
    alpha: Real
    weight: Real


class Laid(NamedTuple):
    """A product on an empty canvas: premultiplied colour [H, W, 3], coverage and shadow [H, W], all in [0, 1]."""

    color: Real
    coverage: Real
    shadow: Real


def compose(rng: Rng, layers: Layers, side: int, photos: list[Bytes]) -> Sample:
    """A product in a studio, or in a room: in one of `photos` or a drawn one; now and then nothing."""
    size = Size(side, side)
    if rng.random() < _EMPTY:
        nothing = Laid(*(np.zeros((*size, *tail), np.float32) for tail in ((3,), (), ())))
        return finished(rng, _in_studio(rng, nothing), nothing.coverage)
    laid = lay(rng, layers, size)
    if rng.random() < 0.04:  # a set of two is one product
        laid = _beside(laid, lay(rng, layers, size))
    in_room = rng.random() < _IN_ROOM
    picture = _before_room(rng, laid, photos) if in_room else _in_studio(rng, laid)
    return finished(rng, picture, laid.coverage)


def lay(rng: Rng, layers: Layers, size: Size) -> Laid:
    """`layers` somewhere, at some scale, mirrored and recoloured, squashed as the segmenter's input is."""
    color, coverage, shadow = _planes(layers)
    if rng.random() < 0.5:
        color, coverage, shadow = color[:, ::-1], coverage[:, ::-1], shadow[:, ::-1]
    color = _recolored(rng, color, coverage)
    rows, columns = np.flatnonzero((coverage > 0.1).any(axis=1)), np.flatnonzero((coverage > 0.1).any(axis=0))
    if not len(rows):
        return Laid(*(np.zeros((*size, *tail), np.float32) for tail in ((3,), (), ())))
    tall, wide = float(rows[-1] - rows[0] + 1), float(columns[-1] - columns[0] + 1)
    squash = float(np.exp(rng.uniform(-0.35, 0.35)))
    scale = (
        size.width
        * (rng.uniform(0.5, 0.92) if rng.random() < 0.75 else rng.uniform(0.2, 1.15))
        / max(tall / squash, wide * squash)
    )
    down, across = scale / squash, scale * squash
    room = np.array([size.height - tall * down, size.width - wide * across])
    centre = np.array(size) / 2 + room / 2 * rng.uniform(-1, 1, 2) * rng.choice([0.25, 1.0])
    middle = (rows[0] + tall / 2, columns[0] + wide / 2)
    matrix = np.array([[across, 0.0, centre[1] - across * middle[1]], [0.0, down, centre[0] - down * middle[0]]])
    return Laid(*(_warped(plane, matrix, size) for plane in (color * coverage[..., None], coverage, shadow)))


def _planes(layers: Layers) -> tuple[Real, Real, Real]:
    coverage = layers.coverage.astype(np.float32) / 255
    shadow = np.zeros_like(coverage) if layers.shadow is None else layers.shadow.astype(np.float32) / 255
    return layers.color.astype(np.float32) / 255, coverage, shadow


def _warped(plane: Real, matrix: NDArray[np.float64], size: Size) -> Real:
    """`plane` through an affine map; area-averaged first where it shrinks by more than half."""
    shrink = max(1, int(1 / max(matrix[0, 0], matrix[1, 1])))
    if shrink > 1:
        plane = cast(Real, cv2.blur(plane, (shrink, shrink)))
    return cast(Real, cv2.warpAffine(plane, matrix, size[::-1], flags=cv2.INTER_LINEAR))


def _recolored(rng: Rng, color: Real, coverage: Real) -> Real:
    """Exposure, contrast and hue moved a little; now and then bleached, for white goods are many."""
    color = np.clip(color * rng.uniform(0.75, 1.3) * rng.uniform(0.93, 1.07, 3).astype(np.float32), 0, 1)
    color = color ** np.float32(rng.uniform(0.75, 1.3))
    if rng.random() < 0.12:
        grey = color.mean(axis=2, keepdims=True)
        color = 1 - (1 - grey) * rng.uniform(0.15, 0.5) * np.ones_like(color)
    elif rng.random() < 0.15:
        color = color[..., rng.permutation(3)]
    return cast(Real, np.where(coverage[..., None] > 0, color, 0).astype(np.float32))


def _beside(first: Laid, second: Laid) -> Laid:
    """Two products on one canvas, the second before the first."""
    behind = 1 - second.coverage
    return Laid(
        second.color + first.color * behind[..., None],
        second.coverage + first.coverage * behind,
        np.maximum(first.shadow, second.shadow),
    )


def _in_studio(rng: Rng, laid: Laid) -> Real:
    size = Size(*laid.coverage.shape)
    value = laid.color.sum() / max(1.0, 3 * float(laid.coverage.sum()))
    ground = backdrops.draw_sweep(rng, size, white=bool(value > _PALE and rng.random() < 0.6))
    if rng.random() < 0.1:
        ground = ground * (1 - backdrops.draw_distractor(rng, size))[..., None]
    if rng.random() < 0.1:
        mirrored, alpha = backdrops.reflection(rng, laid.color, laid.coverage)
        ground = mirrored + ground * (1 - alpha[..., None])
    shade = _shade(rng, laid) if rng.random() < 0.85 else np.zeros_like(laid.coverage)
    return _over(rng, laid, ground, shade)


def _before_room(rng: Rng, laid: Laid, photos: list[Bytes]) -> Real:
    size = Size(*laid.coverage.shape)
    if photos and rng.random() < 0.5:
        ground = backdrops.crop_photo(rng, photos[rng.integers(len(photos))], size)
    else:
        ground = backdrops.draw_room(rng, size)
    return _over(rng, laid, ground, _shade(rng, laid))


def _shade(rng: Rng, laid: Laid) -> Real:
    """The rendered shadow where there is one, else a drawn one."""
    if laid.shadow.max() > 0.02:
        return cast(Real, np.clip(laid.shadow * rng.uniform(0.5, 1.3), 0, 0.95))
    return backdrops.cast_shadow(rng, laid.coverage)


def _over(rng: Rng, laid: Laid, ground: Real, shade: Real) -> Real:
    tint = rng.uniform(0.85, 1.0, 3).astype(np.float32)
    ground = ground * (1 - shade[..., None] * tint)
    return cast(Real, laid.color + ground * (1 - laid.coverage[..., None]))


def vary(rng: Rng, pixels: Bytes, alpha: Real, side: int) -> Sample:
    """A photograph with its matte: a random part that keeps most of the product, mirrored, squashed to the side."""
    height, width = alpha.shape
    tall, wide = (round(length * rng.uniform(0.65, 1.0)) for length in (height, width))
    top, left = int(rng.integers(0, height - tall + 1)), int(rng.integers(0, width - wide + 1))
    part = (slice(top, top + tall), slice(left, left + wide))
    if alpha[part].sum() < 0.75 * alpha.sum():
        part = (slice(None), slice(None))
    pixels, alpha = pixels[part], alpha[part]
    if rng.random() < 0.5:
        pixels, alpha = pixels[:, ::-1], alpha[:, ::-1]
    kernel = cv2.INTER_AREA if min(alpha.shape) > side else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(pixels), (side, side), interpolation=kernel).astype(np.float32) / 255
    matte = cv2.resize(np.ascontiguousarray(alpha), (side, side), interpolation=kernel)
    return finished(rng, small, cast(Real, matte))


def close_up(rng: Rng, sample: Sample, side: int) -> Sample:
    """A part of a larger `sample` around some point of the product's edge, `side` x `side`; anywhere without one."""
    mask = (sample.alpha > 0.5).astype(np.uint8)
    edge = np.argwhere(cv2.dilate(mask, np.ones((3, 3), np.uint8)) != mask)
    middle = edge[rng.integers(len(edge))] if len(edge) else rng.integers(0, mask.shape)
    top, left = (int(np.clip(at - side // 2, 0, length - side)) for at, length in zip(middle, mask.shape, strict=True))
    part = (slice(top, top + side), slice(left, left + side))
    return Sample(*(np.ascontiguousarray(plane[part]) for plane in sample))


def finished(rng: Rng, picture: Real, alpha: Real) -> Sample:
    """`picture` (float32 [H, W, 3] in [0, 1]) through a camera: exposure, blur or sharpening, noise, JPEG."""
    picture = np.clip(picture * rng.uniform(0.88, 1.12) * rng.uniform(0.96, 1.04, 3), 0, 1).astype(np.float32)
    picture = picture ** np.float32(rng.uniform(0.8, 1.25))
    kind = rng.random()
    if kind < 0.2:
        picture = blurred(picture, rng.uniform(0.3, 1.1))
    elif kind < 0.35:
        picture = picture + (picture - blurred(picture, 1.0)) * rng.uniform(0.3, 1.0)
    if rng.random() < 0.3:
        picture = picture + rng.standard_normal(picture.shape, np.float32) * rng.uniform(0.003, 0.02)
    pixels = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.6:
        _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 96))])
        pixels = cast(Bytes, cv2.imdecode(packed, cv2.IMREAD_COLOR))
    alpha = np.clip(alpha, 0, 1).astype(np.float32)
    return Sample(pixels, alpha, weight_of(alpha))


def weight_of(alpha: Real) -> Real:
    """1, more near the edge, and more yet on thin parts, which an opening removes; float32 [H, W]."""
    mask = (alpha > 0.5).astype(np.uint8)
    ring = cv2.dilate(mask, np.ones((7, 7), np.uint8)) - cv2.erode(mask, np.ones((7, 7), np.uint8))
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
    thin = cv2.dilate(((mask > 0) & (opened == 0)).astype(np.uint8), np.ones((5, 5), np.uint8))
    return (1 + _EDGE_WEIGHT * ring + _THIN_WEIGHT * thin).astype(np.float32)
