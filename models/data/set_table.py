"""The empty sets that ship, as a literal table: what stands where, of what, in which light; see `empty_sets`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.data.interiors import MARBLES, PAINTS, STONES, WOODS, YARNS
from models.data.scene import Sky, Stand, Top
from models.data.shots import Floor, Wall
from transforms.records import Size


@dataclass(frozen=True)
class EmptySet:
    """A set to be rendered.

    Attributes:
        name: of its files.
        words: phrases of a prompt that ask for it.
        size: (height, width); the renderer may be asked for a share of it.
        stand: `floor` or `table`.
        room: what it is called.
        floor, wall: surface and sRGB "#rrggbb".
        top: of the table, None for a set on the floor.
        light: (sky, azimuth, height, strength, warmth, surround, pattern).
        props: (model, x, y from the wall, turn), metres and degrees; the middle is left free.
        picture: (x, z) of a framed picture's centre.
        exposure: mean of the finished picture, sRGB in [0, 1].
    """

    name: str
    words: tuple[str, ...]
    size: Size
    stand: Stand
    room: str
    floor: tuple[Floor, str]
    wall: tuple[Wall, str]
    top: tuple[Top, str] | None
    light: tuple[Sky, float, float, float, float, str | None, Any]
    props: tuple[tuple[str, float, float, float], ...] = ()
    picture: tuple[float, float] | None = None
    exposure: float = 0.6


_TALL, _SQUARE = Size(2100, 1400), Size(1520, 1520)  # they are enlarged where a product stands near the wall
SETS: tuple[EmptySet, ...] = (
    EmptySet(
        "oak_living_room",
        ("wooden floor", "oak floor", "living room"),
        _TALL,
        "floor",
        "living room",
        ("wood", WOODS["oak"]),
        ("paint", PAINTS["off-white"]),
        None,
        ("window", -55, 38, 1.0, 0.1, "apartment", None),
        (("plant", -0.85, 0.45, 20.0),),
        (0.5, 1.45),
        exposure=0.63,
    ),
    EmptySet(
        "herringbone_sage",
        ("wooden floor", "parquet", "herringbone", "living room"),
        _TALL,
        "floor",
        "living room",
        ("herringbone", WOODS["pale oak"]),
        ("paint", PAINTS["sage green"]),
        None,
        ("sun", 50, 40, 1.0, 0.3, "apartment", "panes"),
        exposure=0.62,
    ),
    EmptySet(
        "concrete_loft",
        ("concrete floor", "brick wall", "industrial loft"),
        _TALL,
        "floor",
        "living room",
        ("concrete", STONES["light grey"]),
        ("brick", "#dfdcd6"),
        None,
        ("window", 60, 35, 1.1, 0.0, "lobby", None),
        exposure=0.54,
    ),
    EmptySet(
        "carpet_bedroom",
        ("carpet", "bedroom"),
        _TALL,
        "floor",
        "bedroom",
        ("carpet", YARNS["beige"]),
        ("paint", PAINTS["blush pink"]),
        None,
        ("window", -60, 35, 1.0, 0.25, None, None),
        exposure=0.58,
    ),
    EmptySet(
        "terrace",
        ("terrace", "patio", "wooden deck", "outdoor", "balcony"),
        _TALL,
        "floor",
        "terrace",
        ("deck", WOODS["grey"]),
        ("plaster", PAINTS["cream"]),
        None,
        ("sun", -45, 42, 1.1, 0.3, "park", "leaves"),
        exposure=0.56,
    ),
    EmptySet(
        "walnut_dark",
        ("wooden floor", "dark room", "living room"),
        _SQUARE,
        "floor",
        "living room",
        ("wood", WOODS["walnut"]),
        ("paint", PAINTS["navy blue"]),
        None,
        ("evening", 50, 30, 1.0, 0.7, "apartment", "panes"),
        exposure=0.41,
    ),
    EmptySet(
        "pale_living_room",
        ("wooden floor", "living room"),
        _SQUARE,
        "floor",
        "living room",
        ("wood", WOODS["pale oak"]),
        ("plaster", PAINTS["greige"]),
        None,
        ("overcast", -40, 60, 1.0, 0.0, None, None),
        exposure=0.65,
    ),
    EmptySet(
        "tiled_bathroom",
        ("tiled floor", "bathroom"),
        _SQUARE,
        "floor",
        "bathroom",
        ("tile", STONES["light grey"]),
        ("tiles", PAINTS["white"]),
        None,
        ("window", 50, 40, 1.0, -0.1, "hall", None),
        exposure=0.66,
    ),
    EmptySet(
        "oak_table",
        ("wooden table", "oak table", "dining room", "kitchen"),
        _TALL,
        "table",
        "kitchen",
        ("wood", WOODS["oak"]),
        ("paint", PAINTS["off-white"]),
        ("timber", WOODS["oak"]),
        ("window", -60, 35, 1.0, 0.15, "apartment", None),
        exposure=0.59,
    ),
    EmptySet(
        "marble_table",
        ("marble table", "marble", "kitchen counter", "bathroom counter"),
        _TALL,
        "table",
        "kitchen",
        ("tile", STONES["light grey"]),
        ("tiles", PAINTS["light grey"]),
        ("marble", MARBLES["white"]),
        ("window", 55, 40, 1.0, 0.0, "hall", None),
        exposure=0.67,
    ),
    EmptySet(
        "linen_table",
        ("linen tablecloth", "tablecloth", "breakfast table"),
        _SQUARE,
        "table",
        "living room",
        ("wood", WOODS["pale oak"]),
        ("paint", PAINTS["pale blue"]),
        ("linen", YARNS["cream"]),
        ("sun", -50, 38, 1.0, 0.3, "apartment", "leaves"),
        exposure=0.62,
    ),
    EmptySet(
        "walnut_desk",
        ("desk", "office", "wooden table", "workspace"),
        _SQUARE,
        "table",
        "office",
        ("concrete", STONES["grey"]),
        ("paint", PAINTS["dark green"]),
        ("timber", WOODS["walnut"]),
        ("window", 60, 35, 1.0, 0.2, "lobby", None),
        exposure=0.38,
    ),
)
