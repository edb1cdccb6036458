"""How a slow camera moves within two seconds, in words: without them a later frame is anybody's guess.

A network that is not told which way the camera goes paints the mean of all ways, which is the same picture blurred.
They are the whole prompt: the picture says the rest. "left" and "right" lie nearly in one place for the text encoder,
"leftwards" and "to the right" do not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from transforms.ops.motion import flow_of
from transforms.records import Pixels

_LEAST_ACROSS, _LEAST_NEARER = 0.006, 0.012  # less cannot be seen


class Movement(NamedTuple):
    """What a camera does to a picture.

    Attributes:
        across: by how much what is seen moves to the right, as a share of the width: the camera goes left.
        nearer: by how much it grows, as a share of its size.
    """

    across: float
    nearer: float


def movement_of(first: Pixels, later: Pixels) -> Movement:
    """The movement that explains the optical flow between two pictures, uint8 [h, w, 3], best."""
    flow = flow_of(first, later)
    rows, columns = (grid - grid.mean() for grid in np.indices(flow.shape[:2], np.float32))
    shift = np.median(flow, axis=(0, 1))
    away = flow - shift
    grown = float((away[..., 0] * columns + away[..., 1] * rows).sum() / (columns**2 + rows**2).sum())
    return Movement(float(shift[0]) / first.shape[1], grown)


def words_of(movement: Movement) -> str:
    """The movement as prompts say it.

    >>> words_of(Movement(0.03, 0.06)), words_of(Movement(0.0, -0.05)), words_of(Movement(0.0, 0.0))
    ('the camera moves leftwards and nearer', 'the camera moves away', 'the camera stands still')
    """
    across = ""
    if abs(movement.across) >= _LEAST_ACROSS:
        across = "leftwards" if movement.across > 0 else "to the right"
    along = "" if abs(movement.nearer) < _LEAST_NEARER else "nearer" if movement.nearer > 0 else "away"
    told = " and ".join(filter(None, (across, along)))
    return f"the camera moves {told}" if told else "the camera stands still"
