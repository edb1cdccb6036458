"""Whole scenes drawn from a seed: a layout, its surfaces, its light and its camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.data import interiors
from models.data.examples import BUCKETS
from models.data.framing import View
from models.data.interiors import board_words
from models.data.layouts import Layout, Stock, draw_layout, split_of, varied
from models.data.scene import Daylight, Names, Pattern, Scene, Sky
from models.data.shots import Floor, Picture, Placed, Room, Rug, Wall
from models.data.spots import Rng, bounds, spot_of
from transforms.records import Size

_WALL_HEIGHT_M = 4.6
_SKIES: tuple[tuple[Sky, float], ...] = (
    ("window", 0.36),
    ("sun", 0.2),
    ("overcast", 0.2),
    ("evening", 0.14),
    ("lamp", 0.1),
)
_SURROUNDS: dict[Sky, tuple[str | None, ...]] = {
    "window": (None, "apartment", "lobby", "hall", "lab", "studio"),
    "sun": ("apartment", "park", "city", "venice", "hall", None),
    "overcast": (None, None, "studio", "sky", "esplanade"),
    "evening": ("sunset", "dawn", "sunrise", "apartment", None),
    "lamp": (None, "lobby", "workshop", "warehouse"),
}


def draw_scene(number: int, seed: int, stock: Stock, samples: int, long_side: int = 304) -> Scene:
    """Scene `number` of `seed`: always the same from the same stock."""
    rng = np.random.Generator(np.random.Philox(key=[seed, number]))
    layout = draw_layout(rng, stock, split_of(number))
    room, floor_name, wall_name = _draw_room(rng, layout)
    board = None
    if layout.board is not None and layout.board_color is not None:
        thing = "shelf" if layout.stand == "shelf" else "table"
        board = board_words(layout.board.top, layout.board_color, thing)
    size = _draw_size(rng, layout, long_side)
    view = _draw_view(rng, layout)
    return Scene(
        number=number,
        seed=seed,
        split=split_of(number),
        stand=layout.stand,
        products=layout.products,
        props=layout.props,
        room=room,
        board=layout.board,
        light=draw_daylight(rng, layout.room),
        view=view,
        later=_moved(rng, view),
        poses=tuple(_draw_pose(rng, layout, placed) for placed in layout.products),
        names=Names(floor_name, wall_name, board, layout.room),
        height=size.height,
        width=size.width,
        samples=samples,
    )


def _draw_room(rng: Rng, layout: Layout) -> tuple[Room, str, str]:
    floors, walls = interiors.FLOORS[layout.room], interiors.WALLS[layout.room]
    floor: Floor = floors[rng.choice(len(floors), p=[share for _, share in floors])][0]
    wall: Wall = walls[rng.choice(len(walls), p=[share for _, share in walls])][0]
    floor_color = list(interiors.FLOOR_COLORS[floor])[rng.integers(len(interiors.FLOOR_COLORS[floor]))]
    wall_color = list(interiors.WALL_COLORS[wall])[rng.integers(len(interiors.WALL_COLORS[wall]))]
    room = Room(
        floor,
        wall,
        varied(rng, interiors.FLOOR_COLORS[floor][floor_color]),
        varied(rng, interiors.WALL_COLORS[wall][wall_color]),
        wall_m=layout.wall_m,
        rug=_draw_rug(rng, layout),
        picture=_draw_picture(rng, layout),
        height_m=_WALL_HEIGHT_M,
    )
    return room, interiors.FLOOR_WORDS[floor].format(floor_color), interiors.WALL_WORDS[wall].format(wall_color)


def _draw_rug(rng: Rng, layout: Layout) -> Rug | None:
    about = bounds([spot_of(placed) for placed in layout.products])
    if layout.stand != "floor" or layout.room in ("bathroom", "terrace", "kitchen") or rng.random() > 0.3:
        return None
    if any(placed.model.size_m[2] < 0.1 for placed in layout.products):
        return None
    codes = list(interiors.YARNS.values())
    colors = (varied(rng, codes[rng.integers(len(codes))]), varied(rng, codes[rng.integers(len(codes))]))
    size = (2 * about.half_x + rng.uniform(0.5, 1.4), 2 * about.half_y + rng.uniform(0.4, 1.2))
    depth = min(size[1], 2 * (layout.wall_m - about.y - 0.05))
    return Rug((size[0], depth), colors, (about.x, about.y), round=bool(rng.random() < 0.25))


def _draw_picture(rng: Rng, layout: Layout) -> Picture | None:
    if layout.stand in ("wall", "shelf") or layout.room in ("bathroom", "terrace") or rng.random() > 0.35:
        return None
    codes = list(interiors.PAINTS.values())
    colors = (varied(rng, codes[rng.integers(len(codes))]), varied(rng, codes[rng.integers(len(codes))]))
    width = float(rng.uniform(0.4, 1.0))
    height = width * float(rng.choice([0.7, 1.0, 1.35]))
    tallest = max(placed.base_m + placed.model.size_m[2] for placed in layout.products + layout.props)
    across = float(rng.uniform(-0.9, 0.9))
    return Picture((across, max(1.45, tallest + 0.12) + height / 2), (width, height), colors)


def _draw_size(rng: Rng, layout: Layout, long_side: int) -> Size:
    """Upright for tall groups, wide for broad ones, with some chance for each."""
    about = bounds([spot_of(placed) for placed in layout.products])
    tall = max(placed.base_m + placed.model.size_m[2] for placed in layout.products)
    tall -= min(placed.base_m for placed in layout.products)
    leaning = np.log(2 * about.half_x / tall)
    scores = [1.1 * leaning, 0.0, -1.1 * leaning]
    shares = np.exp(np.array(scores)) / np.exp(np.array(scores)).sum()
    bucket = BUCKETS[rng.choice(len(BUCKETS), p=shares)]
    scale = long_side / 304
    return Size(round(bucket.height * scale / 16) * 16, round(bucket.width * scale / 16) * 16)


def _draw_view(rng: Rng, layout: Layout) -> View:
    tall = max(placed.base_m + placed.model.size_m[2] for placed in layout.products)
    fill = float(rng.uniform(max(0.34, min(0.7, tall / 3.4)), 0.86))
    azimuth, pitch = float(np.clip(rng.normal(0, 17), -36, 36)), float(rng.uniform(3, 20))
    focal, f_stop = float(rng.uniform(30, 60)), None
    if layout.stand == "table":
        pitch = float(rng.uniform(5, 32) if rng.random() < 0.8 else rng.uniform(32, 58))
        focal, fill = float(rng.uniform(38, 90)), max(fill, 0.44)
        f_stop = float(rng.choice([2.8, 4.0, 5.6, 8.0])) if rng.random() < 0.8 else None
    elif layout.stand == "shelf":
        pitch, focal = float(rng.uniform(-2, 14)), float(rng.uniform(40, 85))
        f_stop = float(rng.choice([4.0, 5.6, 8.0])) if rng.random() < 0.5 else None
    elif layout.stand == "wall":
        pitch, focal = float(rng.uniform(-4, 6)), float(rng.uniform(35, 75))
        fill = float(rng.uniform(0.25, 0.7))
    elif rng.random() < 0.3:
        f_stop = float(rng.choice([1.8, 2.8]))
    free = 1 - fill
    offset = (float(rng.uniform(-0.3, 0.3) * free), float(rng.uniform(-0.3, 0.12) * free))
    return View(azimuth, pitch, focal, fill, offset, f_stop)


def _moved(rng: Rng, view: View) -> View:
    """The view after two seconds of a slow, steady camera: it comes nearer or leaves, and swings a little."""
    return replace(
        view,
        azimuth_deg=view.azimuth_deg + float(rng.choice([-1.0, 1.0]) * rng.uniform(1.5, 6.0)),
        pitch_deg=view.pitch_deg + float(rng.uniform(-1.0, 1.5)),
        fill=min(0.95, view.fill * float(rng.choice([rng.uniform(1.02, 1.14), rng.uniform(0.93, 0.98)]))),
        offset=(view.offset[0] * 0.9, view.offset[1] * 0.9),
    )


def _draw_pose(rng: Rng, layout: Layout, placed: Placed) -> tuple[float, float]:
    """Azimuth and pitch of the product's own picture: nearer to its front than chance."""
    reach = 25.0 if layout.stand == "wall" else 50.0
    return placed.turn_deg + float(rng.uniform(-reach, reach)), float(rng.uniform(2, 24))


def draw_daylight(rng: Rng, room: str) -> Daylight:
    """Light that one meets indoors, or on a terrace."""
    sky = _SKIES[rng.choice(len(_SKIES), p=[share for _, share in _SKIES])][0]
    if room == "terrace":
        sky = "sun" if rng.random() < 0.6 else "overcast"
    height = {"window": (15, 45), "sun": (20, 55), "overcast": (45, 85), "evening": (8, 25), "lamp": (45, 75)}[sky]
    warmth = {"window": (-0.25, 0.3), "sun": (0.1, 0.5), "overcast": (-0.3, 0.1), "evening": (0.6, 1.0)}
    surrounds = _SURROUNDS[sky]
    falling = sky in ("sun", "evening") and rng.random() < 0.75
    return Daylight(
        sky=sky,
        azimuth_deg=float(rng.choice([-1.0, 1.0]) * rng.uniform(25, 100 if sky == "window" else 75)),
        height_deg=float(rng.uniform(*height)),
        strength=float(rng.uniform(0.7, 1.5)),
        warmth=float(rng.uniform(*warmth.get(sky, (0.35, 0.8)))),
        surround=surrounds[rng.integers(len(surrounds))],
        turn_deg=float(rng.uniform(0, 360)),
        pattern=_draw_pattern(rng) if falling else None,
        exposure=float(rng.uniform(0.5, 0.66)),
    )


def _draw_pattern(rng: Rng) -> Pattern:
    return "panes" if rng.random() < 0.6 else "leaves"
