"""The frame that is extended, and what its edge promises of the scene beyond it.

The edge's colours go on outward and soften along the seam with the distance: that carries light and horizons, and
never an object.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
VERTICAL, HORIZONTAL, CORNER = 0, 1, 2

# Widths of the strip that speaks for the edge, and of the softening, as shares of the shorter side and the distance.
STRIP = 0.02
SOFTENING = 0.12


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
    """`inner` with the banned pixels filled from around them, by widening means."""
    if not banned.any() or banned.all():
        return inner.copy()
    filled, weight = inner.astype(np.float32), (~banned).astype(np.float32)
    out, missing = filled.copy(), banned.copy()
    sigma = 4.0
    while missing.any() and sigma < 2 * max(banned.shape):
        mass = cv2.GaussianBlur(weight, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        mean = cv2.GaussianBlur(filled * weight[..., None], (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        now = missing & (mass > 0.02)
        out[now] = mean[now] / mass[now][:, None]
        missing &= ~now
        sigma *= 2
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def promise(clean: Pixels, count: int) -> NDArray[np.float32]:
    """float32 [count, w, 3]; the mean row of the lower edge strip repeated downward, softened by the distance."""
    strip = max(2, round(STRIP * min(clean.shape[:2])))
    line = clean[-strip:].astype(np.float32).mean(axis=0)[None]
    rows = [
        cv2.GaussianBlur(line, (0, 0), sigmaX=SOFTENING * (i + 1), sigmaY=0.1, borderType=cv2.BORDER_REFLECT)
        for i in range(count)
    ]
    return np.concatenate(rows) if rows else np.empty((0, *line.shape[1:]), np.float32)
