"""Where a product or a frame goes on a placement, and how large: the planners of background and outpaint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt
from typing import NamedTuple

from transforms.errors import Skipped
from transforms.ops.geometry import IDENTITY, LANCZOS, outwards
from transforms.placements import Placement
from transforms.records import Box, Size, Transform

_SHRINKS = 400  # by 0.5 % each, until rounding to whole pixels lets everything fit


@dataclass(frozen=True)
class FramingLimits:
    """How far a product or a frame may be moved and scaled.

    Attributes:
        min_fill, max_fill: the product's share of the safe zone, along the side that it fills more.
        max_upscale: source pixels are never stretched further.
        snap: a scale this near to 1 becomes 1 where the product still fits, so that no pixel is resampled.
        standing_from: a product whose bottom lies below this fraction of the frame stands: its bottom is kept,
            otherwise its centre.
        max_painted: the largest share of a placement that outpainting may invent.
        same_ratio: height:width ratios this near (natural logarithm) count as equal: nothing to outpaint.
        max_scaled_pixels: the largest resampled source.
    """

    min_fill: float = 0.55
    max_fill: float = 0.96
    max_upscale: float = 2.0
    snap: float = 0.03
    standing_from: float = 0.6
    max_painted: float = 0.60
    same_ratio: float = 0.01
    max_scaled_pixels: int = 80_000_000


def place_product(source: Size, box: Box, placement: Placement, limits: FramingLimits) -> Transform:
    """Place a product for a painted background: as in the original shot, but inside the safe zone and not lost in it.

    The product takes the same share of the placement's area as it had of the frame's (the scale is the geometric
    mean of the two sides' ratios), held within `min_fill..max_fill` of the safe zone. Its centre keeps its relative
    position across; a standing product keeps the relative height of its bottom, any other that of its centre.

    Args:
        source: the source's size.
        box: the product's bounding box in the source, not empty.
        placement: where it goes.
        limits: see :class:`FramingLimits`.

    Raises:
        Skipped: `too_small` (value: the enlargement that the smallest fill would need), `frame_too_large`, `no_room`.
    """
    zone, room = placement.safe_zone, placement.size
    fits = min(zone.size.height / box.size.height, zone.size.width / box.size.width)
    least = limits.min_fill * fits
    if least > limits.max_upscale:
        raise Skipped("too_small", "the product would be enlarged too far", value=least, limit=limits.max_upscale)
    wanted = sqrt(room.height / source.height * room.width / source.width)
    scale = min(max(wanted, least), limits.max_fill * fits, limits.max_upscale)
    if abs(scale - 1.0) <= limits.snap and fits >= 1.0:
        scale = 1.0
    across = Axis(source.width, box.left, box.right, room.width, zone.left, zone.right)
    down = Axis(source.height, box.top, box.bottom, room.height, zone.top, zone.bottom)
    stands = box.bottom >= limits.standing_from * source.height
    return _settle(
        scale,
        source,
        (down, across),
        (down.keeping_end if stands else down.keeping_centre, across.keeping_centre),
        limits,
    )


def place_frame(
    source: Size, box: Box | None, placement: Placement, limits: FramingLimits, lean: float = 0.5
) -> Transform:
    """Place a whole frame for outpainting: as large as it goes with the product inside the safe zone.

    Where the safe zone allows it the frame touches two opposite sides of the placement; otherwise it is made
    smaller and painted around. It lies in the middle or leans to an end, moved as far as the product needs.

    Args:
        source: the frame's size.
        box: the product's bounding box in the frame, None where no product is known.
        placement: where it goes.
        limits: see :class:`FramingLimits`.
        lean: where the frame lies in its room, 0..1: 0 at the top or the left, 0.5 in the middle.

    Raises:
        Skipped: `already_fits` (value: difference of the log ratios), `too_much_to_paint` (value: share of the
            placement), `too_small` (value: enlargement), `frame_too_large`, `no_room`.
    """
    zone, room = placement.safe_zone, placement.size
    apart = abs(log(source.height / source.width) - log(room.height / room.width))
    if apart <= limits.same_ratio:
        raise Skipped("already_fits", "the image has the placement's ratio", value=apart, limit=limits.same_ratio)
    box, zone = (box, zone) if box else (Box(0, 0, *source), Box(0, 0, *room))
    across = Axis(source.width, box.left, box.right, room.width, zone.left, zone.right)
    down = Axis(source.height, box.top, box.bottom, room.height, zone.top, zone.bottom)
    scale = min(across.largest_inside, down.largest_inside)
    if scale > limits.max_upscale:
        raise Skipped("too_small", "the image would be enlarged too far", value=scale, limit=limits.max_upscale)
    painted = 1 - scale**2 * source.height * source.width / (room.height * room.width)
    if painted > limits.max_painted:
        raise Skipped("too_much_to_paint", "little of the image is left", value=painted, limit=limits.max_painted)
    return _settle(scale, source, (down, across), (down.leaning(lean), across.leaning(lean)), limits, whole=True)


Wish = Callable[[int], float]


class Axis(NamedTuple):
    """One direction of a mapping: the source's length and the product in it, the room and the safe zone in it."""

    length: int
    start: int
    end: int
    room: int
    zone_start: int
    zone_end: int

    @property
    def largest_inside(self) -> float:
        """The largest scale at which some offset keeps the frame inside the room and the product in the zone."""
        before = self.zone_end / self.end
        after = (self.room - self.zone_start) / (self.length - self.start)
        within = (self.zone_end - self.zone_start) / (self.end - self.start)
        return min(self.room / self.length, within, before, after)

    def offsets(self, scaled: int, whole: bool) -> tuple[int, int]:
        """The least and the greatest offset that keep the product in the zone (and the whole frame in the room)."""
        start, end = outwards(self.start, self.end, self.length, scaled)
        least, greatest = self.zone_start - start, self.zone_end - end
        return (max(least, 0), min(greatest, self.room - scaled)) if whole else (least, greatest)

    def keeping_centre(self, scaled: int) -> float:
        """The offset at which the product's centre keeps its relative position."""
        return (self.start + self.end) / 2 / self.length * (self.room - scaled)

    def keeping_end(self, scaled: int) -> float:
        """The offset at which the product's end keeps its relative position."""
        return self.end / self.length * (self.room - scaled)

    def leaning(self, lean: float) -> Wish:
        """The offset that leaves the share `lean` of the free room before the frame."""
        return lambda scaled: lean * (self.room - scaled)


def _settle(
    scale: float,
    source: Size,
    axes: tuple[Axis, Axis],
    wishes: tuple[Wish, Wish],
    limits: FramingLimits,
    whole: bool = False,
) -> Transform:
    """The transform at `scale`, or at the next smaller one at which whole pixels keep every promise."""
    for _ in range(_SHRINKS):
        scaled = Size(*(max(1, round(axis.length * scale)) for axis in axes))
        if scaled.height * scaled.width > limits.max_scaled_pixels:
            value, limit = scaled.height * scaled.width, limits.max_scaled_pixels
            raise Skipped("frame_too_large", "the resampled image would be too large", value=value, limit=limit)
        spans = [axis.offsets(side, whole) for axis, side in zip(axes, scaled, strict=True)]
        if all(least <= greatest for least, greatest in spans):
            top, left = (
                min(max(round(wish(side)), least), greatest)
                for wish, side, (least, greatest) in zip(wishes, scaled, spans, strict=True)
            )
            same = scaled == source
            return Transform(1.0 if same else scale, scaled, top, left, IDENTITY if same else LANCZOS)
        scale *= 0.995
    raise Skipped("no_room", "the product does not fit into the safe zone")
