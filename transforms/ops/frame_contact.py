"""Does the frame cut the product? Measured as the share of a side of the picture that the product touches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.backdrop import Backdrop, Lab, differences, field_of, to_lab
from transforms.records import Mask, Pixels, Size

_OTHER_HUE = 9.0  # dE off the backdrop's line to black: no shadow does that
_DARKER = 22.0  # dE of darkening that a soft shadow seldom reaches at the frame
_CLOSEST = 2  # pixels: one may be the blend of a product's edge and the backdrop
_ROUND = 10  # pixels, in which a round product at the frame grows to twice its contact
_LASTING = 0.5  # any circle that touches the frame keeps sqrt(2 / 10) of what lies within ten pixels
_LEAST_PART = 0.002  # share of the picture below which a part is dust
_SOLID = 128  # alpha from which a pixel is product


def differs_from_backdrop(pixels: Pixels, backdrop: Backdrop) -> Mask:
    """Where `pixels` (uint8 [H, W, 3]) cannot be its plain `backdrop` or a soft shadow on it, bool [H, W].

    Specks under 0.2 % of the picture are left out. A product of the backdrop's own colour does not show here.
    """
    return without_specks(_differs(pixels, field_of(backdrop, Size(*pixels.shape[:2])), backdrop), _LEAST_PART)


def _differs(pixels: Pixels, field: Lab, backdrop: Backdrop) -> Mask:
    strict, tolerant = differences(to_lab(pixels), field)
    limit = max(_OTHER_HUE, 3.0 * backdrop.spread)
    return (tolerant > limit) | (strict > _DARKER)


def without_specks(mask: Mask, least_share: float) -> Mask:
    """`mask` (bool [H, W]) without its connected parts under `least_share` of the picture."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= least_share * mask.size
    keep[0] = False
    return cast(Mask, keep[labels]) if count > 1 else np.zeros_like(mask)


def main_parts(mask: Mask, least: float) -> Mask:
    """The connected parts of `mask` of at least `least` times the largest's area, bool [H, W]; empty stays empty."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask.copy()
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    areas[0] = 0
    return cast(Mask, (areas >= least * areas.max())[labels] & mask)


def frame_contact(mask: Mask) -> float:
    """The largest share of a side of the picture that `mask` (bool [H, W]) touches, in [0, 1].

    The outermost 1 % of the picture counts as the frame, because resampled maps fade there.

    >>> mask = np.zeros((10, 10), dtype=np.bool_)
    >>> mask[4:, 3:7] = True
    >>> frame_contact(mask)
    0.4
    """
    return max(float(side.mean()) for side in _touched(mask))


def lasting_contact(pixels: Pixels, backdrop: Backdrop, mask: Mask) -> float:
    """`frame_contact` of `mask` without the sides that a whole product only touches, in [0, 1].

    A product that was cropped at its own outline meets the frame as a ball meets the ground: the closer one looks, the
    shorter the contact. Where the frame cuts a product, the contact stays. So the picture itself is asked, at its own
    resolution: of what lies within ten pixels of the frame, or 1 % of the side, how much lies in the outermost two?
    What two rows of backdrop or more surround is taken for whole.

    Args:
        pixels: the picture, uint8 [H, W, 3].
        backdrop: its plain backdrop, by `describe_backdrop` at any resolution.
        mask: what differs from it, bool [h, w], perhaps smaller.
    """
    scale = min(pixels.shape[:2]) / min(mask.shape)
    depth = max(_ROUND, round(_depth(mask) * scale))
    near = _touched(mask, math.ceil(depth / scale))
    return _lasting(near, _strips(pixels, backdrop, depth), depth)


def cutout_contact(alpha: Pixels) -> float:
    """The same of a file's own alpha, uint8 [H, W]: how long a side cuts its product, in [0, 1].

    A file that is cropped at its product's outline, or was so before it was padded to a square, reaches its sides with
    a box's own flat ones: 0. One that leaves other room beside its product was cut by what it ends flat at.

    >>> alpha = np.zeros((60, 60), np.uint8); alpha[30:, 15:45] = 255
    >>> cutout_contact(alpha), cutout_contact(alpha[30:, 15:45])
    (0.5, 0.0)
    """
    solid = alpha >= _SOLID
    depth = max(_ROUND, _depth(solid))
    strips = [side[:depth] for side in (solid, solid[::-1], solid.T, solid.T[::-1])]
    touched = tuple(strip.any(axis=0) for strip in strips)
    if all(side.any() for side in touched) or _padded(solid):
        return 0.0
    return _lasting(touched, strips, depth)


def _padded(solid: Mask) -> bool:
    """Whether a square file shows something cropped at its outline, with as much room on two opposite sides."""
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not rows.size or solid.shape[0] != solid.shape[1]:
        return False
    rooms = [(int(along[0]), len(solid) - 1 - int(along[-1])) for along in (rows, columns)]
    flush, even = min(rooms, key=max), max(rooms, key=max)
    return max(flush) <= _CLOSEST and abs(even[0] - even[1]) <= _CLOSEST


def _lasting(sides: tuple[NDArray[np.bool_], ...], strips: Iterable[Mask], depth: int) -> float:
    """The largest share of a side that is touched, of those sides along which the contact lasts to the frame."""
    lasting = 0.0
    for touched, strip in zip(sides, strips, strict=True):
        along = np.arange(strip.shape[1]) * len(touched) // strip.shape[1]
        closest, near = (int((strip[:deep].any(axis=0) & touched[along]).sum()) for deep in (_CLOSEST, depth))
        if closest >= _LASTING * near:
            lasting = max(lasting, float(touched.mean()))
    return lasting


def _strips(pixels: Pixels, backdrop: Backdrop, depth: int) -> Iterator[Mask]:
    """What differs from the backdrop at top, bottom, left and right, bool [depth, side], the frame's pixels first."""
    size, first, last = Size(*pixels.shape[:2]), slice(None, depth), slice(-depth, None)
    for rows in (first, last):
        level = _differs(pixels[rows], field_of(backdrop, size, rows=rows), backdrop)
        yield level if rows is first else level[::-1]
    for columns in (first, last):
        upright = _differs(
            np.ascontiguousarray(pixels[:, columns]), field_of(backdrop, size, columns=columns), backdrop
        )
        yield upright.T if columns is first else upright.T[::-1]


def _touched(mask: Mask, depth: int | None = None) -> tuple[NDArray[np.bool_], ...]:
    """Where `mask` comes within `depth` pixels (1 %) of top, bottom, left and right, bool [side] each."""
    depth = depth or _depth(mask)
    return (
        mask[:depth].any(axis=0),
        mask[-depth:].any(axis=0),
        mask[:, :depth].any(axis=1),
        mask[:, -depth:].any(axis=1),
    )


def _depth(mask: Mask) -> int:
    return max(1, round(0.01 * min(mask.shape)))
