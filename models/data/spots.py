"""Where things stand so that none is inside another: rectangles seen from above, in metres."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from models.data.shots import Placed

Rng = np.random.Generator

_TRIES = 40
_GAP_M = 0.015


class Spot(NamedTuple):
    """A rectangle on the floor or a board: its centre and half its sides along x and y."""

    x: float
    y: float
    half_x: float
    half_y: float

    def overlaps(self, other: Spot, gap_m: float = _GAP_M) -> bool:
        """True where the two are less than `gap_m` apart.

        >>> Spot(0, 0, 1, 1).overlaps(Spot(2.5, 0, 1, 1)), Spot(0, 0, 1, 1).overlaps(Spot(1.9, 0, 1, 1))
        (False, True)
        """
        return (
            abs(self.x - other.x) < self.half_x + other.half_x + gap_m
            and abs(self.y - other.y) < self.half_y + other.half_y + gap_m
        )


def halves(placed: Placed) -> tuple[float, float]:
    """Half the extent along x and y of a model as it is turned."""
    width, depth, height = placed.model.size_m
    scale = placed.metres / max(width, depth, height) if placed.metres else 1.0
    turn = np.radians(placed.turn_deg)
    cos, sin = abs(float(np.cos(turn))), abs(float(np.sin(turn)))
    return scale * (width * cos + depth * sin) / 2, scale * (width * sin + depth * cos) / 2


def spot_of(placed: Placed) -> Spot:
    """What `placed` covers."""
    return Spot(*placed.at, *halves(placed))


def settle(
    rng: Rng,
    half: tuple[float, float],
    taken: Sequence[Spot],
    draw: Callable[[Rng], tuple[float, float]],
    within: Spot | None = None,
) -> Spot | None:
    """A free spot for a thing of `half` extents among places that `draw` proposes; None if it finds none.

    `within` is what it must not stand out of, such as a table's top.
    """
    for _ in range(_TRIES):
        spot = Spot(*draw(rng), *half)
        if within is not None and not _inside(spot, within):
            continue
        if not any(spot.overlaps(other) for other in taken):
            return spot
    return None


def bounds(spots: Sequence[Spot]) -> Spot:
    """The smallest rectangle around `spots`."""
    left, right = min(spot.x - spot.half_x for spot in spots), max(spot.x + spot.half_x for spot in spots)
    front, back = min(spot.y - spot.half_y for spot in spots), max(spot.y + spot.half_y for spot in spots)
    return Spot((left + right) / 2, (front + back) / 2, (right - left) / 2, (back - front) / 2)


def _inside(spot: Spot, within: Spot) -> bool:
    return (
        abs(spot.x - within.x) + spot.half_x <= within.half_x + 1e-9
        and abs(spot.y - within.y) + spot.half_y <= within.half_y + 1e-9
    )
