"""The frame that is extended, and what its edge promises of the scene beyond it.

The edge's colours go on outward and soften along the seam with the distance: that carries light and horizons, and
never an object. What lies further in and has other colours is other stuff, whatever it would match in detail.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.color_difference import lab_of

Pixels = NDArray[np.uint8]
VERTICAL, HORIZONTAL, CORNER = 0, 1, 2

# Widths of the strip that speaks for the edge, and of the softening, as shares of the shorter side and the distance.
STRIP = 0.02
SOFTENING = 0.12
# Light varies more slowly than this share of the shorter side; what is finer is texture.
LIGHT = 0.06
# Levels by which light may be off; what is off by much more is another thing, not another light.
LIGHT_LEVELS = 16.0
# CIE76 by which the same stuff may differ from its edge, and how far along the edge it is looked for (share of it).
SAME_STUFF = 6.0
ALONG = 0.12
_CELL = 4
# Pixels along a row whose mean speaks for what a thing hides.
ROW_MEAN = 4.0


class Frame(NamedTuple):
    """The kept rectangle in the canvas: (top, left, bottom, right), half open."""

    top: int
    left: int
    bottom: int
    right: int

    def sides(self, shape: tuple[int, int]) -> NDArray[np.uint8]:
        """uint8 [h, w]; VERTICAL above and below the frame, HORIZONTAL beside it, CORNER where both."""
        rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
        above = (rows < self.top) | (rows >= self.bottom)
        beside = (columns < self.left) | (columns >= self.right)
        inside = self._nearer_vertical(shape)
        return np.where(above & beside, CORNER, np.where(above, VERTICAL, np.where(beside, HORIZONTAL, inside))).astype(
            np.uint8
        )

    def _nearer_vertical(self, shape: tuple[int, int]) -> NDArray[np.int64]:
        """Inside the frame: the side of the nearest seam."""
        far = max(shape)
        rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
        up = np.where(self.top > 0, rows - self.top, far)
        down = np.where(self.bottom < shape[0], self.bottom - 1 - rows, far)
        left = np.where(self.left > 0, columns - self.left, far)
        right = np.where(self.right < shape[1], self.right - 1 - columns, far)
        return np.where(np.minimum(up, down) <= np.minimum(left, right), VERTICAL, HORIZONTAL)


def frame_of(known: Pixels) -> Frame:
    """The rectangle that `known` keeps.

    Raises:
        ValueError: nothing is kept, everything is, or it is no rectangle.
    """
    rows, columns = np.flatnonzero((known > 0).any(axis=1)), np.flatnonzero((known > 0).any(axis=0))
    if not len(rows):
        raise ValueError("no pixel is kept")
    frame = Frame(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    if not (known[frame.top : frame.bottom, frame.left : frame.right] > 0).all():
        raise ValueError("the kept region is no rectangle")
    if frame == (0, 0, *known.shape):
        raise ValueError("the whole canvas is kept")
    return frame


def spread_colours(inner: Pixels, banned: NDArray[np.bool_]) -> Pixels:
    """`inner` with the banned pixels filled from the free ones of their rows, where a row has none from around them.

    A level camera shows wall, skirting board and floor in rows: what a thing hides is what its row shows beside it.

    Args:
        inner: uint8 [h, w, 3]; banned: bool [h, w].
    """
    if not banned.any() or banned.all():
        return inner.copy()
    weight = (~banned).astype(np.float32)
    across = _mean_of(inner, weight, (ROW_MEAN, 1.0))
    columns = np.broadcast_to(np.arange(banned.shape[1]), banned.shape)
    left = np.maximum.accumulate(np.where(banned, -1, columns), axis=1)
    right = np.minimum.accumulate(np.where(banned, banned.shape[1], columns)[:, ::-1], axis=1)[:, ::-1]
    nearer = np.where(left < 0, 0.0, np.where(right >= banned.shape[1], 1.0, (right - columns) / (right - left + 1e-6)))
    rows = np.arange(len(banned))[:, None]
    ends = [across[rows, np.clip(end, 0, banned.shape[1] - 1)] for end in (left, right)]
    filled = inner.astype(np.float32)
    filled[banned] = (nearer[..., None] * ends[0] + (1 - nearer[..., None]) * ends[1])[banned]
    return _from_around(filled, banned.all(axis=1)[:, None] & banned)


def _from_around(filled: NDArray[np.float32], missing: NDArray[np.bool_]) -> Pixels:
    """`filled` with the missing pixels by widening means."""
    out, weight = filled.copy(), (~missing).astype(np.float32)
    sigma = 4.0
    while missing.any() and sigma < 2 * max(missing.shape):
        mass = cv2.GaussianBlur(weight, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        now = missing & (mass > 0.02)
        out[now] = _mean_of(filled, weight, (sigma, sigma))[now]
        missing = missing & ~now
        sigma *= 2
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def _mean_of(
    picture: NDArray[np.generic], weight: NDArray[np.float32], sigmas: tuple[float, float]
) -> NDArray[np.float32]:
    """The mean of what counts around every pixel, (across, down) so many pixels wide."""
    mass = cv2.GaussianBlur(weight, (0, 0), sigmas[0], sigmaY=sigmas[1], borderType=cv2.BORDER_REFLECT)
    total = picture.astype(np.float32) * weight[..., None]
    mean = cv2.GaussianBlur(total, (0, 0), sigmas[0], sigmaY=sigmas[1], borderType=cv2.BORDER_REFLECT)
    return np.asarray(mean / np.maximum(mass, 1e-6)[..., None], np.float32)


def promise(clean: Pixels, count: int) -> NDArray[np.float32]:
    """float32 [count, w, 3]; the mean row of the lower edge strip repeated downward, softened by the distance."""
    strip = max(2, round(STRIP * min(clean.shape[:2])))
    line = clean[-strip:].astype(np.float32).mean(axis=0)[None]
    rows = [
        cv2.GaussianBlur(line, (0, 0), sigmaX=SOFTENING * (i + 1), sigmaY=0.1, borderType=cv2.BORDER_REFLECT)
        for i in range(count)
    ]
    return np.concatenate(rows) if rows else np.empty((0, *line.shape[1:]), np.float32)


def foreign(clean: Pixels) -> NDArray[np.bool_]:
    """bool [h, w]; what shows other colours than the lower edge near by, and all that lies behind it.

    Colours are means of about `STRIP` of the shorter side, told apart by CIE76 from the edge's columns within `ALONG`
    of the width. A band that copies from such stuff shows a wall in a floor, however well its first rows join.

    Args:
        clean: uint8 [h, w, 3]; a picture without things and without its product.
    """
    height, width = clean.shape[:2]
    strip = max(2, round(STRIP * min(height, width)))
    low = cv2.GaussianBlur(clean, (0, 0), strip, borderType=cv2.BORDER_REFLECT)
    cells = (max(1, width // _CELL), max(1, height // _CELL))
    lab = lab_of(np.asarray(cv2.resize(low, cells, interpolation=cv2.INTER_AREA), np.uint8)).astype(np.float32)
    reach = max(1, round(ALONG * cells[0]))
    edge = np.pad(lab[-1], ((reach, reach), (0, 0)), mode="edge")
    gaps = [np.linalg.norm(lab - edge[k : k + cells[0]][None], axis=-1) for k in range(0, 2 * reach + 1, 2)]
    other = np.min(gaps, axis=0) > SAME_STUFF
    behind = np.maximum.accumulate(other[::-1], axis=0)[::-1]
    return np.asarray(cv2.resize(behind.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0)


def light_of(clean: Pixels) -> NDArray[np.float32]:
    """The light of a picture, float32 [h, w, 3] in levels: its colours without what is finer than `LIGHT`."""
    sigma = LIGHT * min(clean.shape[:2])
    return np.asarray(cv2.GaussianBlur(clean.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REFLECT))


def relit(painted: Pixels, clean: Pixels, frame: Frame) -> Pixels:
    """`painted` with the light that the frame's edge promises wherever its own is off by little.

    Pieces copied from different places of a wall bring that place's light along: a plain wall becomes patchy. Light
    goes on outward as it is at the edge and softens with the distance; where the colours are off by more than light
    would be (`LIGHT_LEVELS`), another thing was painted, and it stays as it is.

    Args:
        painted: uint8 [h, w, 3]; a filled canvas.
        clean: uint8 [frame's h, w, 3]; the frame without things and without its product.

    Returns:
        uint8 [h, w, 3]; `painted` inside the frame.
    """
    inside = slice(frame.top, frame.bottom), slice(frame.left, frame.right)
    height, width = painted.shape[:2]
    margins = ((frame.top, height - frame.bottom), (frame.left, width - frame.right), (0, 0))
    promised = _softened(np.pad(light_of(clean), margins, mode="edge"), frame)
    whole = painted.copy()
    whole[inside] = clean
    gap = promised - light_of(whole)
    trust = np.exp(-((gap**2).mean(axis=-1, keepdims=True)) / LIGHT_LEVELS**2)
    lit = np.clip(np.rint(painted + trust * gap), 0, 255).astype(np.uint8)
    lit[inside] = painted[inside]
    return lit


def _softened(light: NDArray[np.float32], frame: Frame) -> NDArray[np.float32]:
    """`light` that softens with the distance from the frame."""
    shape = light.shape[:2]
    outside = np.ones(shape, np.uint8)
    outside[frame.top : frame.bottom, frame.left : frame.right] = 0
    far = np.minimum(cv2.distanceTransform(outside, cv2.DIST_L2, 5) / (0.3 * min(shape)), 1.0)[..., None]
    soft = cv2.GaussianBlur(light, (0, 0), 2.5 * LIGHT * min(shape), borderType=cv2.BORDER_REFLECT)
    return np.asarray(light + far * (soft - light), np.float32)
