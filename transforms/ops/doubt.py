"""What nobody can be sure of along a product's outline, and how much of it would be seen before a new backdrop."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.oklab import to_oklab
from transforms.records import Pixels

_SURE = 0.05  # a smaller probability of error, over a whole picture, would outweigh every outline


class Doubt(NamedTuple):
    """A cutout's doubtful pixels, with what the original shows there.

    Attributes:
        source: uint8 [h, w, 3]; the original, laid as the product is.
        share: uint8 [h, w]; twice the probability, in 255ths, that a pixel is on the wrong side of the outline.
    """

    source: Pixels
    share: Pixels

    def shrunk(self, size: tuple[int, int]) -> Doubt:
        """The same at `size` (height, width), by area averages."""
        if self.share.shape == tuple(size):
            return self
        source, share = (cv2.resize(plane, size[::-1], interpolation=cv2.INTER_AREA) for plane in self)
        return Doubt(source.astype(np.uint8), share.astype(np.uint8))


def doubt_of(probability: NDArray[np.float32]) -> Pixels:
    """Twice the probability that a mask drawn at 0.5 errs, in 255ths; nothing below 5 %.

    Args:
        probability: float32 [h, w] in [0, 1], that a pixel is product.

    Returns:
        uint8 [h, w]; 255 where it is a toss-up.
    """
    error = np.minimum(probability, 1 - probability)
    return np.rint(510 * np.where(error < _SURE, 0, error)).clip(0, 255).astype(np.uint8)


def visible_doubt(doubt: Doubt, candidate: Pixels, area: float) -> float:
    """How much would be seen if the outline erred where it is in doubt, in [0, 1].

    Product that was cut away is missed, old backdrop that was kept shows: either way the error is the distance between
    what the original shows there and the new backdrop. So the doubt about a pale edge on white is hardly seen before
    cream, and bites into the product before navy.

    Args:
        doubt: of the product, at the candidate's size.
        candidate: uint8 [h, w, 3]; the painted backdrop.
        area: pixels over which the error is averaged, such as a strip along the outline.
    """
    where = doubt.share > 0
    if not where.any():
        return 0.0
    apart = np.linalg.norm(to_oklab(doubt.source[where]) - to_oklab(candidate[where]), axis=1)
    expected = apart @ (doubt.share[where].astype(np.float32) / 510)
    return float(min(1.0, expected / max(area, 1.0)))
