"""A corner of a room around the product: floor, walls, skirting, rug, picture, and daylight from a window."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.data.blender import add_object, linear, load
from models.data.coverings import floor_covering, rug_covering, wall_covering
from models.data.framing import Floats
from models.data.shots import Color, Light, Picture, Room, Rug
from models.data.studio import ambient, hang_area, tint
from models.data.surfaces import Graph

_REACH_M = 7.0
_SKIRTING_M = (0.015, 0.09)
_RUG_HEIGHT_M = 0.008
_RUG_SIDES = 64
_WINDOW_M = 1.7


def build_room(scene: Any, room: Room) -> None:
    """Build everything of `room` but its light; the product stands at the origin, the back wall behind it at +y."""
    _panel(scene, _grid(_REACH_M, _REACH_M), floor_covering(room.floor, room.floor_color))
    wall = wall_covering(room.wall, room.wall_color)
    _wall(scene, wall, (0.0, room.wall_m), 0.0, room.height_m)
    _skirting(scene, (0.0, room.wall_m), 0.0)
    if room.side_wall_m is not None:
        side = np.copysign(90.0, room.side_wall_m)
        _wall(scene, wall, (-room.side_wall_m, 0.0), side, room.height_m)
        _skirting(scene, (-room.side_wall_m, 0.0), side)
    if room.rug is not None:
        _rug(scene, room.rug)
    if room.picture is not None:
        _picture(scene, room.picture, room.wall_m)


def light_room(scene: Any, light: Light, centre: Floats) -> None:
    """Let daylight fall in from a window at `light.key_deg`, softened by what the room throws back."""
    ambient(scene, (0.96, 0.98, 1.0), 0.55 * light.strength)
    side_m, power = _WINDOW_M * light.softness / 1.6, 210.0 * light.strength
    hang_area(scene, centre, 2.6, light.key_deg, 32.0, side_m, power, tint(light.warmth))
    hang_area(scene, centre, 3.4, -light.key_deg * 0.6, 50.0, 2.0, 60.0 * light.strength, (1.0, 1.0, 1.0))


def _grid(reach_x: float, reach_y: float) -> list[tuple[float, float, float]]:
    return [(-reach_x, -reach_y, 0.0), (reach_x, -reach_y, 0.0), (reach_x, reach_y, 0.0), (-reach_x, reach_y, 0.0)]


def _panel(scene: Any, corners: list[tuple[float, float, float]], material: Any) -> Any:
    mesh = load().data.meshes.new("panel")
    mesh.from_pydata(corners, [], [tuple(range(len(corners)))])
    mesh.materials.append(material)
    return add_object(scene, mesh)


def _wall(scene: Any, material: Any, at: tuple[float, float], turn_deg: float, height_m: float) -> None:
    """Stand a wall on the floor; its own x runs along it and its own y upwards."""
    corners = [(x, y + height_m / 2, z) for x, y, z in _grid(_REACH_M, height_m / 2)]
    wall = _panel(scene, corners, material)
    wall.location = (*at, 0.0)
    wall.rotation_euler = (np.pi / 2, 0.0, np.radians(turn_deg))


def box(scene: Any, size_m: tuple[float, float, float], centre: tuple[float, float, float], material: Any) -> Any:
    x, y, z = (side / 2 for side in size_m)
    corners = [(sx * x, sy * y, sz * z) for sx in (-1, 1) for sy in (-1, 1) for sz in (-1, 1)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh = load().data.meshes.new("box")
    mesh.from_pydata(corners, [], faces)
    mesh.materials.append(material)
    box = add_object(scene, mesh)
    box.location = centre
    bevel = box.modifiers.new("bevel", "BEVEL")
    bevel.width, bevel.segments = 0.004, 2
    return box


def plain(name: str, color: Color, roughness: float) -> Any:
    graph = Graph.new(name)
    graph.set(Base_Color=linear(color), Roughness=roughness)
    return graph.material


def _skirting(scene: Any, at: tuple[float, float], turn_deg: float) -> None:
    depth, height = _SKIRTING_M
    board = box(scene, (2 * _REACH_M, depth, height), (*at, height / 2), plain("skirting", (0.93, 0.92, 0.9), 0.4))
    board.rotation_euler = (0.0, 0.0, np.radians(turn_deg))


def _rug(scene: Any, rug: Rug) -> None:
    material = rug_covering(rug.colors)
    if rug.round:
        angles = np.linspace(0.0, 2 * np.pi, _RUG_SIDES, endpoint=False)
        corners = [(np.cos(a) * rug.size_m[0] / 2, np.sin(a) * rug.size_m[1] / 2, 0.0) for a in angles]
    else:
        corners = _grid(rug.size_m[0] / 2, rug.size_m[1] / 2)
    mat = _panel(scene, corners, material)
    mat.location = (*rug.at, 0.001)
    thick = mat.modifiers.new("thick", "SOLIDIFY")
    thick.thickness, thick.offset = _RUG_HEIGHT_M, 1.0


def _picture(scene: Any, picture: Picture, wall_m: float) -> None:
    """Hang a dark frame with a pale mount and a soft abstract painting."""
    (x, z), (width, height) = picture.at, picture.size_m
    box(scene, (width, 0.03, height), (x, wall_m - 0.016, z), plain("frame", (0.16, 0.13, 0.11), 0.35))
    box(scene, (width - 0.04, 0.004, height - 0.04), (x, wall_m - 0.033, z), plain("mount", (0.95, 0.94, 0.91), 0.8))
    inner = (width - 0.2, 0.004, height - 0.2)
    box(scene, inner, (x, wall_m - 0.0365, z), _painting(picture.colors))


def _painting(colors: tuple[Color, Color]) -> Any:
    graph = Graph.new("painting")
    where = graph.place((1.0, 1.0, 2.0))
    clouds = graph.node("TexNoise", Vector=where, Scale=2.3, Detail=3.0, Distortion=1.6)
    middle = tuple((a + b) / 2 for a, b in zip(*colors, strict=True))
    stops = [(0.36, colors[1]), (0.48, (middle[0], middle[1], middle[2])), (0.56, colors[0])]
    graph.set(Base_Color=graph.ramp(clouds.outputs["Fac"], stops), Roughness=0.6)
    return graph.material
