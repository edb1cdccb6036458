"""Scenes drawn from a seed: which products, where they stand, what is about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.data import interiors
from models.data.cutouts import RESERVED, products_in_order
from models.data.examples import Split
from models.data.furniture import FurnitureModel
from models.data.interiors import color_of
from models.data.kinds import Kind, Mount, usable
from models.data.scene import Board, Stand
from models.data.shots import Color, Finish, Placed
from models.data.spots import Rng, Spot, bounds, halves, settle, spot_of

_HELD_OUT_EVERY = 10
_MOUNTS: tuple[Mount, ...] = ("floor", "table", "wall")
_MOUNT_SHARES = (0.46, 0.46, 0.08)
_COUNTS, _COUNT_SHARES = (1, 2, 3, 4, 5, 6, 7, 8), (0.5, 0.19, 0.12, 0.07, 0.05, 0.03, 0.02, 0.02)
_FINISHES: tuple[Finish, ...] = ("fabric", "leather", "plastic", "metal", "ceramic", "wood")
_TABLE_HEIGHT_M = 0.74
_WIDEST_M = 4.2


@dataclass(frozen=True)
class Stock:
    """The models that scenes are drawn from, each with its kind, for either split."""

    models: dict[Split, tuple[FurnitureModel, ...]]
    kinds: dict[str, Kind]

    def of(self, split: Split, mount: Mount, room: str | None = None) -> list[FurnitureModel]:
        """The models of a split that are put on `mount`; of one room's, where there are some."""
        found = [model for model in self.models[split] if self.kinds[model.key].mount == mount]
        inside = [model for model in found if room is None or self.kinds[model.key].room == room]
        return inside or found


def stock_of(models: Sequence[FurnitureModel]) -> Stock:
    """What can be used of `models`; the products that benchmarks show are held out, by the order of seed 0."""
    ordered, kinds = products_in_order(models, 0), usable(models)
    held_out = tuple(model for model in ordered[:RESERVED] if model.key in kinds)
    return Stock({"held_out": held_out, "train": tuple(m for m in ordered[RESERVED:] if m.key in kinds)}, kinds)


def split_of(number: int) -> Split:
    """Every tenth scene is held out."""
    return "held_out" if number % _HELD_OUT_EVERY == 0 else "train"


@dataclass(frozen=True)
class Layout:
    """Things put down: `wall_m` is where the wall stands, `board` what they are on."""

    stand: Stand
    products: tuple[Placed, ...]
    props: tuple[Placed, ...]
    board: Board | None
    board_color: str | None
    wall_m: float
    room: str


def draw_layout(rng: Rng, stock: Stock, split: Split) -> Layout:
    """One to eight products of `split`, at their own sizes, and what stands about them."""
    mount = _MOUNTS[rng.choice(len(_MOUNTS), p=_MOUNT_SHARES)]
    main = _pick(rng, stock.of(split, mount))
    count = int(rng.choice(_COUNTS, p=_COUNT_SHARES))
    if mount == "wall":
        return _on_wall(rng, stock, split, main)
    if mount == "floor":
        return _on_floor(rng, stock, split, main, count)
    stand: Stand = "shelf" if rng.random() < 0.25 and main.size_m[1] < 0.32 else "table"
    return _on_board(rng, stock, split, main, count, stand)


def _on_floor(rng: Rng, stock: Stock, split: Split, main: FurnitureModel, count: int) -> Layout:
    kind = stock.kinds[main.key]
    first = _put(rng, main, turn_deg=0.0 if kind.backed else _turn(rng))
    half_y = halves(first)[1]
    wall_m = half_y + (rng.uniform(0.01, 0.06) if kind.backed else rng.uniform(0.15, 1.7))
    products, taken = [first], [spot_of(first)]
    while len(products) < count:
        tops = [each for each in products if stock.kinds[each.model.key].top]
        on_top = bool(tops) and rng.random() < 0.55
        added = _on_top(rng, stock, split, tops[0], products) if on_top else None
        added = added or _beside(rng, stock, split, kind.room, taken, wall_m)
        if added is None:
            break
        products.append(added)
        taken += [] if added.base_m else [spot_of(added)]
    props = _furnish(rng, stock, split, kind.room, taken, wall_m)
    return Layout("floor", tuple(products), props, None, None, wall_m, kind.room)


def _beside(
    rng: Rng,
    stock: Stock,
    split: Split,
    room: str,
    taken: list[Spot],
    wall_m: float,
    reach_m: float = 0.5,
    widest_m: float = _WIDEST_M,
) -> Placed | None:
    """A thing on the floor to the left or right of what stands there; at the wall if it belongs there."""
    model = _pick(rng, stock.of(split, "floor", room if rng.random() < 0.8 else None))
    backed = stock.kinds[model.key].backed
    placed = _put(rng, model, turn_deg=0.0 if backed else _turn(rng))
    half = halves(placed)
    about = bounds(taken)

    def draw(rng: Rng) -> tuple[float, float]:
        side = rng.choice([-1.0, 1.0])
        x = about.x + side * (about.half_x + half[0] + rng.uniform(0.03, reach_m))
        back = wall_m - half[1] - 0.02
        front = min(about.y - 0.5 * about.half_y - 0.2, back - 0.03)
        return float(x), float(rng.uniform(back - 0.03 if backed else front, back))

    spot = settle(rng, half, taken, draw)
    if spot is None or 2 * bounds([*taken, spot]).half_x > widest_m:
        return None
    return replace(placed, at=(spot.x, spot.y))


def _on_top(rng: Rng, stock: Stock, split: Split, table: Placed, there: list[Placed]) -> Placed | None:
    """A small thing on a table that is itself a product."""
    placed = _put(rng, _pick(rng, stock.of(split, "table")), turn_deg=_turn(rng))
    width, depth, height = table.model.size_m
    angle = np.radians(table.turn_deg)
    taken = [spot_of(each) for each in there if each.base_m]
    half = halves(placed)
    if max(half) > 0.4 * min(width, depth):
        return None

    def draw(rng: Rng) -> tuple[float, float]:
        u, v = rng.uniform(-0.5, 0.5, 2) * (np.array([width, depth]) * 0.9 - 2.2 * max(half))
        x, y = u * np.cos(angle) - v * np.sin(angle), u * np.sin(angle) + v * np.cos(angle)
        return float(table.at[0] + x), float(table.at[1] + y)

    spot = settle(rng, half, taken, draw)
    return None if spot is None else replace(placed, at=(spot.x, spot.y), base_m=height)


def _furnish(rng: Rng, stock: Stock, split: Split, room: str, taken: list[Spot], wall_m: float) -> tuple[Placed, ...]:
    """Up to three props about the products, most of them against the wall."""
    props: list[Placed] = []
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.3, 0.3, 0.25, 0.15]))):
        added = _beside(
            rng, stock, split, room, [*taken, *map(spot_of, props)], wall_m, reach_m=1.0, widest_m=3 * _WIDEST_M
        )
        if added is not None:
            props.append(added)
    return tuple(props)


def _on_board(rng: Rng, stock: Stock, split: Split, main: FurnitureModel, count: int, stand: Stand) -> Layout:
    room = stock.kinds[main.key].room
    room = "living room" if room == "terrace" else room
    board, color = _draw_board(rng, stand)
    top = Spot(*board.at, board.size_m[0] / 2 - 0.02, board.size_m[1] / 2 - 0.01)
    first = _put(rng, main, turn_deg=_turn(rng) if stand == "table" else 0.4 * _turn(rng))
    if halves(first)[1] > top.half_y:  # a thing as deep as the shelf stands square on it
        first = replace(first, turn_deg=0.0)
    spread = max(main.size_m) * 1.3 + 0.06
    at = (0.0, min(-0.1 * rng.random(), top.half_y - halves(first)[1])) if stand == "table" else (0.0, 0.0)
    products = [replace(first, at=at, base_m=board.height_m)]
    products += _strewn(rng, stock, split, room, products, count - 1, top, spread, board.height_m, main)
    clutter = int(rng.choice([0, 1, 2, 3, 4], p=[0.3, 0.25, 0.2, 0.15, 0.1]))
    props = _strewn(rng, stock, split, room, products, clutter, top, 2.2 * spread + 0.2, board.height_m, None)
    wall_m = board.size_m[1] / 2 + (0.0 if stand == "shelf" else rng.uniform(0.02, 2.6))
    if stand == "table" and wall_m > 1.1:
        props += _furnish(rng, stock, split, room, [Spot(*board.at, *(side / 2 for side in board.size_m[:2]))], wall_m)
    return Layout(stand, tuple(products), tuple(props), board, color, wall_m, room)


def _strewn(
    rng: Rng,
    stock: Stock,
    split: Split,
    room: str,
    there: Sequence[Placed],
    count: int,
    top: Spot,
    spread: float,
    height_m: float,
    like: FurnitureModel | None,
) -> list[Placed]:
    """Up to `count` small things about those that are `there`; of the size of `like`, where it is given."""
    made: list[Placed] = []
    for _ in range(count):
        model = _pick(rng, stock.of(split, "table", room if rng.random() < 0.7 else None))
        if like is not None and not 0.25 < max(model.size_m) / max(like.size_m) < 3.0:
            continue
        placed = _put(rng, model, turn_deg=_turn(rng))
        behind = 0.0 if like is not None else 0.4 * spread

        def draw(rng: Rng, behind: float = behind) -> tuple[float, float]:
            x, y = rng.normal(0.0, 0.55, 2) * spread
            return float(there[0].at[0] + x), float(there[0].at[1] + 0.6 * y + behind)

        spot = settle(rng, halves(placed), [spot_of(each) for each in (*there, *made)], draw, top)
        if spot is not None:
            made.append(replace(placed, at=(spot.x, spot.y), base_m=height_m))
    return made


def _draw_board(rng: Rng, stand: Stand) -> tuple[Board, str]:
    tops = interiors.TOPS if stand == "table" else interiors.SHELF_TOPS
    top = tops[rng.choice(len(tops), p=[share for _, share in tops])][0]
    colors = interiors.TOP_COLORS[top]
    name = list(colors)[rng.integers(len(colors))]
    if stand == "shelf":
        size = (float(rng.uniform(0.9, 2.0)), float(rng.uniform(0.34, 0.4)), float(rng.uniform(0.018, 0.05)))
        return Board(top, varied(rng, colors[name]), size, float(rng.uniform(0.9, 1.5))), name
    size = (float(rng.uniform(1.3, 2.4)), float(rng.uniform(0.8, 1.1)), float(rng.uniform(0.02, 0.05)))
    return Board(top, varied(rng, colors[name]), size, _TABLE_HEIGHT_M, (0.0, float(rng.uniform(-0.1, 0.1)))), name


def _on_wall(rng: Rng, stock: Stock, split: Split, main: FurnitureModel) -> Layout:
    """A product on the wall, perhaps with furniture below it."""
    wall_m = float(rng.uniform(0.5, 1.2))
    kind = stock.kinds[main.key]
    tall = main.size_m[2]
    base_m = float(rng.uniform(0.1, 0.2)) if kind.low else float(rng.uniform(1.45, 1.75)) - tall / 2
    placed = replace(_put(rng, main, 0.0), at=(0.0, wall_m - main.size_m[1] / 2 - 0.002), base_m=max(0.1, base_m))
    below = [Spot(0.0, wall_m, 0.0, 0.0)] if not kind.low else [spot_of(placed)]
    props = _furnish(rng, stock, split, kind.room, below, wall_m) if rng.random() < 0.6 else ()
    props = tuple(prop for prop in props if prop.model.size_m[2] < placed.base_m or kind.low)
    return Layout("wall", (placed,), props, None, None, wall_m, kind.room)


def _put(rng: Rng, model: FurnitureModel, turn_deg: float) -> Placed:
    """The model in its own colours, or recoloured: a library is small, a catalog is not."""
    kind = rng.random()
    tint = _any_color(rng) if 0.0 < kind < 0.3 else None
    coat = _any_color(rng) if kind > 0.92 else None
    finish = _FINISHES[rng.integers(len(_FINISHES))] if coat is not None or rng.random() < 0.15 else None
    return Placed(model, turn_deg=turn_deg, finish=finish, tint=tint, coat=coat)


def _any_color(rng: Rng) -> Color:
    stocks = (interiors.PAINTS, interiors.WOODS, interiors.YARNS)
    codes = list(stocks[rng.integers(len(stocks))].values())
    return varied(rng, codes[rng.integers(len(codes))])


def varied(rng: Rng, code: str) -> Color:
    """The colour "#rrggbb" made a little lighter or darker, and a little off its hue."""
    red, green, blue = color_of(code)
    tone, shift = rng.uniform(0.9, 1.07), rng.uniform(0.97, 1.03, 3)
    mixed = [float(min(max(c * tone * s, 0.02), 0.97)) for c, s in zip((red, green, blue), shift, strict=True)]
    return mixed[0], mixed[1], mixed[2]


def _turn(rng: Rng) -> float:
    return float(np.clip(rng.normal(0.0, 22.0), -70, 70)) if rng.random() < 0.9 else float(rng.uniform(-180, 180))


def _pick(rng: Rng, models: Sequence[FurnitureModel]) -> FurnitureModel:
    return models[rng.integers(len(models))]
