"""What a scene is, as data: drawn from a seed, built by a renderer, told in captions. Needs neither of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.data.examples import Split
from models.data.framing import View
from models.data.shots import Color, Placed, Room

Stand = Literal["floor", "table", "shelf", "wall"]
Top = Literal["timber", "marble", "laminate", "linen", "slate"]
Sky = Literal["window", "sun", "overcast", "evening", "lamp"]
Pattern = Literal["panes", "leaves"]


@dataclass(frozen=True)
class Board:
    """A horizontal board that products stand on: a table's top or a shelf.

    Attributes:
        top: what it is made of.
        color: sRGB in [0, 1].
        size_m: width (x), depth (y), thickness (z).
        height_m: of its upper side above the floor.
        at: (x, y) of its centre.
        round: an ellipse seen from above.
    """

    top: Top
    color: Color
    size_m: tuple[float, float, float]
    height_m: float
    at: tuple[float, float] = (0.0, 0.0)
    round: bool = False


@dataclass(frozen=True)
class Daylight:
    """Where the light comes from.

    Attributes:
        sky: its character, as a caption would say.
        azimuth_deg: of the main light, anticlockwise from -y as seen from above; negative is to the left.
        height_deg: of the main light above the horizon.
        strength: of the main light against the light from everywhere, 1 is usual.
        warmth: 0 neutral, 1 late afternoon, negative is cool.
        surround: name of an environment picture, None for an even one.
        turn_deg: of that picture.
        pattern: what the main light falls through.
        exposure: mean of the finished picture that the exposure aims at, sRGB in [0, 1].
    """

    sky: Sky
    azimuth_deg: float
    height_deg: float
    strength: float
    warmth: float
    surround: str | None
    turn_deg: float
    pattern: Pattern | None
    exposure: float


@dataclass(frozen=True)
class Names:
    """What the scene's surfaces are called: `oak wooden floor`, `white painted wall`, `marble table`, `kitchen`."""

    floor: str
    wall: str
    board: str | None
    room: str


@dataclass(frozen=True)
class Scene:
    """A picture to be.

    Attributes:
        number: of the scene among those of its seed.
        seed: from which everything was drawn.
        split: held-out scenes show held-out products alone.
        stand: what the products are on.
        products: one to eight, the main one first.
        props: things about them that are no products of the scene.
        room: floor, wall, rug, picture.
        board: of a table or shelf, None where the products stand on the floor or hang on the wall.
        light: of the scene.
        view: where the camera stands.
        later: where it stands two seconds later.
        poses: azimuth and pitch of each product's own picture, degrees.
        names: of the surfaces.
        height, width: pixels.
        samples: rays a pixel.
    """

    number: int
    seed: int
    split: Split
    stand: Stand
    products: tuple[Placed, ...]
    props: tuple[Placed, ...]
    room: Room
    board: Board | None
    light: Daylight
    view: View
    later: View
    poses: tuple[tuple[float, float], ...]
    names: Names
    height: int
    width: int
    samples: int

    @property
    def key(self) -> str:
        """Unique among the scenes of all seeds: `s0-000012`."""
        return f"s{self.seed}-{self.number:06}"
