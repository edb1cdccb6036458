"""A scene put up in Blender: its room, board, products and props, each where the description says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.data import placing, rooms
from models.data.blender import add_object, load
from models.data.coverings import top_covering
from models.data.scene import Board, Scene
from models.data.shots import Color

_LEG_M, _LEG_INSET_M = 0.05, 0.08
_ROUND_SIDES = 72


@dataclass(frozen=True)
class Stage:
    """What stands in the renderer's scene: the objects of each product, of the props, and of the room."""

    products: tuple[tuple[Any, ...], ...]
    props: tuple[Any, ...]
    room: tuple[Any, ...]


def put_up(made: Any, scene: Scene) -> Stage:
    """Build `scene` in the empty renderer scene `made`; lights and camera are not its business."""
    rooms.build_room(made, scene.room)
    if scene.board is not None:
        _board(made, scene.board, legs=scene.stand == "table")
    room = tuple(load().data.objects)
    products = tuple(tuple(placing.put_down(placed)) for placed in scene.products)
    props = tuple(item for placed in scene.props for item in placing.put_down(placed))
    return Stage(products, props, room)


def _board(made: Any, board: Board, legs: bool) -> None:
    material = top_covering(board.top, board.color)
    width, depth, thick = board.size_m
    top = _disc(made, board, material) if board.round else rooms.box(made, board.size_m, (0.0, 0.0, 0.0), material)
    top.location = (*board.at, board.height_m - thick / 2)
    if not legs:
        return
    color: Color = (0.16, 0.15, 0.15) if board.top in ("marble", "slate") else board.color
    leg = rooms.plain("leg", color, 0.5)
    tall = board.height_m - thick
    for x in (-1, 1):
        for y in (-1, 1):
            at = (x * (width / 2 - _LEG_INSET_M) + board.at[0], y * (depth / 2 - _LEG_INSET_M) + board.at[1], tall / 2)
            rooms.box(made, (_LEG_M, _LEG_M, tall), at, leg)


def _disc(made: Any, board: Board, material: Any) -> Any:
    mesh = load().data.meshes.new("disc")
    angles = np.linspace(0.0, 2 * np.pi, _ROUND_SIDES, endpoint=False)
    half = board.size_m[2] / 2
    rim = [(np.cos(a) * board.size_m[0] / 2, np.sin(a) * board.size_m[1] / 2) for a in angles]
    corners = [(x, y, z) for z in (-half, half) for x, y in rim]
    count = _ROUND_SIDES
    sides = [(i, (i + 1) % count, count + (i + 1) % count, count + i) for i in range(count)]
    caps = [tuple(range(count, 2 * count)), tuple(range(count - 1, -1, -1))]
    mesh.from_pydata(corners, [], [*sides, *caps])
    mesh.materials.append(material)
    return add_object(made, mesh)
