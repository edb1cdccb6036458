"""What a rendered photograph shows, as data: frozen descriptions that need no renderer to build, compare or caption."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from models.data.framing import View
from models.data.furniture import FurnitureModel

Color = tuple[float, float, float]
Finish = Literal["fabric", "leather", "plastic", "metal", "ceramic", "wood", "glass", "plant"]
Floor = Literal["wood", "tile", "carpet", "concrete", "herringbone", "deck", "terrazzo"]
Wall = Literal["paint", "brick", "plaster", "slats", "tiles", "wallpaper"]

WHITE: Color = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Placed:
    """A model put down somewhere.

    Attributes:
        model: what stands there.
        at: (x, y) of its centre on the floor, metres.
        base_m: height of its lowest point above the floor.
        turn_deg: anticlockwise from above; 0 faces the camera of azimuth 0.
        finish: a surface laid over the model's own materials, None keeps them as they are.
        tint: sRGB in [0, 1] that replaces the colour of every untextured material.
        coat: sRGB in [0, 1] painted over everything, textures included.
        metres: its largest side; None keeps the library's own size.
    """

    model: FurnitureModel
    at: tuple[float, float] = (0.0, 0.0)
    base_m: float = 0.0
    turn_deg: float = 0.0
    finish: Finish | None = None
    tint: Color | None = None
    coat: Color | None = None
    metres: float | None = None


@dataclass(frozen=True)
class Figure:
    """A standing person in plain clothes; sRGB colours in [0, 1]."""

    skin: Color = (0.78, 0.57, 0.45)
    hair: Color = (0.18, 0.11, 0.07)
    shirt: Color = (0.75, 0.22, 0.2)
    trousers: Color = (0.2, 0.26, 0.4)
    shoes: Color = (0.12, 0.1, 0.1)


@dataclass(frozen=True)
class Cutout:
    """No backdrop: the render keeps an exact alpha; with `shadow`, the floor's shadow lies in the alpha as black."""

    shadow: bool = False


@dataclass(frozen=True)
class Sweep:
    """A seamless studio backdrop, floor and wall in one curve; `color` is sRGB in [0, 1]."""

    color: Color = WHITE


@dataclass(frozen=True)
class Rug:
    """A carpet under the product: (width, depth) in metres, two sRGB colours, corners round or square."""

    size_m: tuple[float, float]
    colors: tuple[Color, Color]
    at: tuple[float, float] = (0.0, 0.0)
    round: bool = False


@dataclass(frozen=True)
class Picture:
    """An abstract painting in a frame on the back wall: its centre's (x, z) and (width, height), metres."""

    at: tuple[float, float]
    size_m: tuple[float, float] = (0.6, 0.8)
    colors: tuple[Color, Color] = ((0.85, 0.8, 0.7), (0.2, 0.35, 0.4))


@dataclass(frozen=True)
class Room:
    """A corner of a room: a floor and a back wall, sRGB colours in [0, 1].

    Attributes:
        wall_m: how far behind the product's centre the back wall stands.
        side_wall_m: how far to the left a side wall stands, negative to the right, None for none.
        height_m: of the walls.
    """

    floor: Floor
    wall: Wall
    floor_color: Color
    wall_color: Color
    wall_m: float = 1.2
    side_wall_m: float | None = None
    rug: Rug | None = None
    picture: Picture | None = None
    height_m: float = 3.4


Backdrop = Cutout | Sweep | Room


@dataclass(frozen=True)
class Light:
    """A soft key from the side with a fill from the other.

    Attributes:
        key_deg: where the key stands, anticlockwise from the camera; negative is to the left of the picture.
        strength: 1 exposes a mid-grey product well.
        warmth: 0 neutral, 1 late afternoon, negative is cool.
        softness: side of the key over the product's size.
    """

    key_deg: float = -45.0
    strength: float = 1.0
    warmth: float = 0.0
    softness: float = 1.6


@dataclass(frozen=True)
class Shot:
    """One photograph: `height` x `width` pixels of a product before a backdrop."""

    product: Placed | Figure
    backdrop: Backdrop
    view: View = field(default_factory=View)
    light: Light = field(default_factory=Light)
    props: tuple[Placed, ...] = ()
    height: int = 1200
    width: int = 1200
    samples: int = 48
    seed: int = 0
