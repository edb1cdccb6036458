"""The shadow that a product casts in its own photograph, kept for a new backdrop.

A photograph before a plain backdrop says more than its cutout: where the product stands, and what the light of the
shot did around it. The share of light that is left of the bare backdrop there, pixel by pixel, darkens a new backdrop
as much. It is what those who lay products out by hand call "multiply", and the ratio image of the literature (Liu, Shan
& Zhang 2001, "Expressive Expression Mapping with Ratio Images"). Over its own bare backdrop the composite is the
photograph itself; so what a mask missed, a spine, a rung, a dark underside, is still there.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.backdrop import Backdrop, field_of, to_lab
from transforms.ops.masks import bounding_box, components, dilated
from transforms.records import Mask, Matte, Pixels, Size

Real = NDArray[np.float32]

# of the bare backdrop
_BARE = 3.0  # dE from the field that the border tells: beyond, it is shadow or product
_SURELY_NOT = 0.05  # probability of product
_APART_SHARE = 0.016  # of the longer side: how far from what may be product
_BEND_SHARE = 0.06  # of the longer side: standard deviation over which the field is bent to what is seen
_LEAST_SEEN = 0.02  # weight from which what is seen counts
_GLARE = 2.5  # levels of 255, RMS, by which pixels may be brighter than the bare backdrop: more, and it is wrong
# Levels, see `grain_of`: 0.3 to 0.7 of renders before sheets and sweeps, 1.0 with noise of two levels; 1.1 and more of
# photographed garments on floors, walls and bed sheets, whose joints and creases would be kept as if they were shadow.
_COARSEST = 1.05
_FINE_SHARE, _COARSE_SHARE = 0.0023, 0.0078  # of the longer side: standard deviations of two means around a pixel
_GRAIN_PERCENTILE = 90
# of the shadow, as shares of the product's longer side
_NOISE = 0.02  # darkening that is the camera's, the file's, or the field's own error
_SHARP, _CALM = 0.006, 0.02  # distances up to which every pixel counts, and from which their mean does
_CALM_SIGMA = 0.005
_FADE, _CUT = 0.15, 0.1  # distance over which a shadow fades out that the frame cuts where it is as dark as this
_JOINT, _JOINED_SIDE = 0.03, 200  # how far from the product, and from what is dark, a shadow goes on; pixels to tell
_DARK, _TOUCHED = 0.03, 0.1  # darkening, and alpha, that are seen
_TINTED = (0.1, 0.3)  # differences between the channels' darkening: a shadow's at most, a thing's at least
_RING = (0.006, 0.03)  # distances between which a shadow's strength is measured
_FOOT = 0.15  # the lowest part of a product, beside which alone it is measured as well: a foot is small
_THIN = 0.05  # share of backdrop below which a pixel says nothing of the backdrop


class Shade(NamedTuple):
    """What is left of a backdrop's light around a product, uint8 [h, w, 3] in 255ths."""

    left: Pixels

    def shrunk(self, size: tuple[int, int]) -> Shade:
        """The same at `size` (height, width), by area averages."""
        if self.left.shape[:2] == tuple(size):
            return self
        return Shade(cast(Pixels, cv2.resize(self.left, size[::-1], interpolation=cv2.INTER_AREA)))

    def over(self, backdrop: Pixels) -> Pixels:
        """`backdrop` (uint8 [h, w, 3]) in this light."""
        return cast(Pixels, cv2.multiply(backdrop, self.left, scale=1 / 255))


def bare_backdrop(pixels: Pixels, probability: Real, backdrop: Backdrop) -> Pixels | None:
    """What a plain backdrop looks like without product and shadow, uint8 [h, w, 3], never black.

    The field that the border tells, bent to what is seen of the backdrop between border and product.

    Args:
        pixels: uint8 [h, w, 3].
        probability: of product, float32 [h, w].
        backdrop: what the border says.

    Returns:
        None where the backdrop is not plain, has joints or creases, or is hardly seen.
    """
    if not backdrop.plain:
        return None
    size = Size(*probability.shape)
    field, side = field_of(backdrop, size), max(size)
    near = np.linalg.norm(to_lab(pixels) - field, axis=2) < _BARE
    apart = off_product(probability)
    seen = near & apart
    levels = cast(Real, cv2.cvtColor(field, cv2.COLOR_LAB2RGB) * np.float32(255))
    weight = seen.astype(np.float32)[..., None]
    sigma = _BEND_SHARE * side
    mass, bend = _smoothed(weight, sigma)[..., None], _smoothed((pixels - levels) * weight, sigma)
    bent = np.where(mass > _LEAST_SEEN, bend / np.maximum(mass, _LEAST_SEEN), 0)
    bare = np.clip(levels + bent, 1, 255).astype(np.float32)
    if not seen.any() or grain_of(pixels, apart) > _COARSEST:
        return None
    brighter = np.maximum(pixels[apart] - bare[apart], 0)
    if float(np.sqrt(np.mean(np.square(brighter)))) > _GLARE:
        return None
    return np.rint(bare).astype(np.uint8)


def off_product(probability: Real) -> Mask:
    """Where a picture shows its backdrop, be it in shadow: bool [h, w], of the probability of product [h, w]."""
    return (probability < _SURELY_NOT) & ~dilated(probability > 0.5, round(_APART_SHARE * max(probability.shape)))


def grain_of(pixels: Pixels, where: Mask) -> float:
    """How uneven the picture is at `where`, in levels, the most uneven tenth left out: what is neither soft nor noise.

    A shadow is soft; its rim, and what the mask missed, are a small part of a sheet of paper.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), share * max(where.shape)) for share in (_FINE_SHARE, _COARSE_SHARE))
    return float(np.percentile(np.abs(fine - coarse)[where], _GRAIN_PERCENTILE))


def shade_of(source: Pixels, foreground: Pixels, alpha: Matte, bare: Pixels, known: Mask) -> Shade:
    """The shade around a product. All planes are laid alike.

    Every pixel counts beside the outline, where the mask may have missed something; farther off noise is smoothed.
    What is behind a product's mixed edge is found by taking the product's share of it away.

    Args:
        source: uint8 [h, w, 3].
        foreground: uint8 [h, w, 3]; the product's own colours.
        alpha: float32 [h, w] in [0, 1].
        bare: uint8 [h, w, 3]; see `bare_backdrop`.
        known: bool [h, w]; where the source lies.
    """
    side = float(max(bounding_box(alpha > 0.5).size) or max(alpha.shape))
    planes = [_darkening(source[..., n], foreground[..., n], bare[..., n], alpha) for n in range(3)]
    calm, kept = _calm(alpha, side), _kept(_neutralise(planes), alpha, known, side)
    left = np.empty((*alpha.shape, 3), np.uint8)
    for number, dark in enumerate(planes):  # one by one and in place: a placement's planes are many megabytes
        dark[~known] = 0
        smooth = _smoothed(dark, _CALM_SIGMA * side)
        smooth -= dark
        smooth *= calm
        dark += smooth
        dark *= kept
        left[..., number] = 255 - cv2.convertScaleAbs(dark, alpha=255)
    return Shade(left)


def drawn_shade(left: Pixels, alpha: Matte, known: Mask) -> Shade:
    """The shade that a file brings in its own alpha, laid: `left` as it is, faded where the file's frame cuts it.

    Args:
        left: uint8 [h, w, 3] in 255ths.
        alpha: of the product, float32 [h, w] in [0, 1].
        known: bool [h, w]; where the source lies.
    """
    side = float(max(bounding_box(alpha > 0.5).size) or max(alpha.shape))
    dark = cast(Real, np.where(alpha < 0.5, 1 - left.min(axis=2) / np.float32(255), 0).astype(np.float32))
    share = np.where(known, _fading(dark, known, _FADE * side), np.float32(0))[..., None]
    return Shade(255 - cv2.convertScaleAbs((255 - left) * share))


def _calm(alpha: Matte, side: float) -> Real:
    """How much the mean around a pixel counts in its place, 0 beside the product to 1 farther off, float32 [h, w]."""
    away = cast(Real, cv2.distanceTransform((alpha < 0.5).astype(np.uint8), cv2.DIST_L2, 5))
    away *= np.float32(1 / (side * (_CALM - _SHARP)))
    away -= np.float32(_SHARP / (_CALM - _SHARP))
    return np.clip(away, 0, 1, out=away)


def _kept(grey: Real, alpha: Matte, known: Mask, side: float) -> Real:
    """The share of all darkening that stays, float32 [h, w]: 0 where nothing is known; see `_fading`, `_joined`."""
    grey[~known | (alpha >= 0.5)] = 0
    kept = _fading(grey, known, _FADE * side)
    kept *= _joined(grey, alpha, side)
    kept[~known] = 0
    return kept


def _joined(dark: Real, alpha: Matte, side: float) -> Real:
    """1 where what is dark begins at the product, falling to 0 elsewhere, float32 [h, w]: a mark in a corner goes."""
    scale = min(1.0, _JOINED_SIDE / side)
    size = tuple(max(1, round(length * scale)) for length in dark.shape[::-1])
    shrunk, product = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (dark, alpha))
    reach = max(1, round(_JOINT * side * scale))
    begun = dilated(product > _TOUCHED, reach)
    labels, _ = components((shrunk > _DARK) | begun)
    joined = dilated(np.isin(labels, np.unique(labels[begun])), reach).astype(np.float32)
    soft = cv2.GaussianBlur(joined, (0, 0), reach / 2)
    return cast(Real, cv2.resize(soft, dark.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _smoothed(plane: Real, sigma: float) -> Real:
    """`plane` blurred by `sigma` pixels, at a size at which that is two."""
    size = (plane.shape[1], plane.shape[0])
    small = tuple(max(1, round(2 * length / max(2.0, sigma))) for length in size)
    shrunk = cv2.GaussianBlur(cv2.resize(plane, small, interpolation=cv2.INTER_AREA), (0, 0), 2.0)
    return cast(Real, cv2.resize(shrunk, size, interpolation=cv2.INTER_LINEAR))


def _darkening(source: Pixels, foreground: Pixels, bare: Pixels, alpha: Matte) -> Real:
    """How much of the bare backdrop's light is missing, one channel, float32 [h, w] in [0, 1]."""
    whole = bare.astype(np.float32)
    behind = (source - foreground * alpha) / (whole * np.maximum(1 - alpha, np.float32(_THIN)))
    # a foreground that is wrong explains more light than there is, and would leave its complement's colour
    through = np.clip(np.maximum(behind, source / whole), 0, 1)
    return cast(Real, np.maximum(1 - through - np.float32(_NOISE), 0) / np.float32(1 - _NOISE))


def _neutralise(planes: list[Real]) -> Real:
    """Make three channels' darkening grey, in place, where it is hardly tinted; their mean before, float32 [h, w].

    The glow of the product and of its old backdrop is not wanted.
    """
    red, green, blue = planes
    grey: Real = (red + green + blue) / np.float32(3)
    tint = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    share = np.clip((_TINTED[1] - tint) / (_TINTED[1] - _TINTED[0]), 0, 1)
    for plane in planes:
        plane += (grey - plane) * share
    return grey


def _fading(dark: Real, known: Mask, reach: float) -> Real:
    """1, and falling to 0 towards those sides of what is known that cut a shadow (`dark`), all [h, w]."""
    box, (height, width) = bounding_box(known), known.shape
    share = np.ones((height, width), np.float32)
    rows, columns = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    sides = (
        (box.top, 0, dark[box.top], rows - box.top),
        (box.bottom, height, dark[box.bottom - 1], box.bottom - 1 - rows),
        (box.left, 0, dark[:, box.left], columns - box.left),
        (box.right, width, dark[:, box.right - 1], box.right - 1 - columns),
    )
    for end, frame, rim, inside in sides:
        cut = min(1.0, float(rim.max()) / _CUT)
        if end != frame and cut > 0:  # what the new frame cuts is cut as anything
            ramp = np.clip(inside / np.float32(max(1.0, cut * reach)), 0, 1)
            share = share * (ramp * ramp * (3 - 2 * ramp))
    return share


def strength_of(shade: Shade, alpha: Matte) -> float:
    """How much of a shadow there is, in [0, 1]: the darkest tenth beside a product, or beside its lowest part.

    Args:
        shade: of the product.
        alpha: float32 [h, w] in [0, 1].
    """
    box = bounding_box(alpha > 0.5)
    side = float(max(box.size))
    if side <= 0:
        return 0.0
    away = cv2.distanceTransform((alpha < 0.3).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(side)
    rows, columns = np.nonzero((away > _RING[0]) & (away < _RING[1]))
    dark = 1 - shade.left[rows, columns].mean(axis=1) / 255
    low = dark[rows > box.bottom - _FOOT * side]
    return max((float(np.percentile(part, 90)) for part in (dark, low) if part.size), default=0.0)


def drawn_strength(shade: Shade, alpha: Matte) -> float:
    """As `strength_of`, of a shadow that a file brings: the darkest tenth of it, wherever a floating product's lies."""
    dark = (1 - shade.left.mean(axis=2) / 255)[alpha < 0.5]
    seen = dark[dark > _DARK]
    return float(np.percentile(seen, 90)) if seen.size else 0.0
