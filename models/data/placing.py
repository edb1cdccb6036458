"""Putting a furniture model into a scene: import, size, turn, surfaces."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.data.blender import load, move, vertices
from models.data.framing import Floats
from models.data.shots import Placed
from models.data.surfaces import restore

_SHARP_DEG = 35.0
_GRAIN_SHARE = 0.006
# The file's frame is y up, the world's z up: (x, y, z) of the file is (x, z, -y) of the world.
_FILE_TO_WORLD = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def put_down(placed: Placed, unit_m: float | None = None) -> list[Any]:
    """Import the model, stand it where `placed` says and return its objects.

    Args:
        placed: what and where.
        unit_m: length in the scene of its largest side, whatever its own size; None keeps metres.
    """
    objects = _import(placed)
    points = vertices(objects)
    matrix = _stand(points, placed, unit_m)
    for item in objects:
        move(item, matrix @ np.array(item.matrix_world))
    grain_m = float(np.ptp(vertices(objects), axis=0).max()) * _GRAIN_SHARE
    for material in {slot.material for item in objects for slot in item.material_slots if slot.material}:
        restore(material, placed, grain_m)
    return objects


def _import(placed: Placed) -> list[Any]:
    bpy = load()
    before = set(bpy.data.objects)
    bpy.ops.wm.obj_import(filepath=str(placed.model.path), forward_axis="NEGATIVE_Z", up_axis="Y")
    objects = [item for item in bpy.data.objects if item not in before and item.type == "MESH"]
    for item in objects:
        if not item.data.has_custom_normals:
            item.data.shade_smooth()
            item.data.set_sharp_from_angle(angle=np.radians(_SHARP_DEG))
    return objects


def _stand(points: Floats, placed: Placed, unit_m: float | None) -> Floats:
    """Return the (4, 4) matrix that turns, sizes and centres imported `points` (N, 3), the lowest on the floor."""
    own = _FILE_TO_WORLD @ np.array(placed.model.turn).reshape(3, 3) @ _FILE_TO_WORLD.T
    turned = points @ own.T
    low, span = turned.min(axis=0), np.maximum(np.ptp(turned, axis=0), 1e-6)
    size = np.array(placed.model.size_m)
    largest = unit_m or placed.metres
    scale = np.diag((size / size.max() * largest if largest else size) / span)
    turn = _about_z(placed.turn_deg)
    foot = low + span * np.array([0.5, 0.5, 0.0])
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ scale @ own
    matrix[:3, 3] = np.array([*placed.at, placed.base_m]) - turn @ scale @ foot
    return matrix


def _about_z(degrees: float) -> Floats:
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0], [0.0, 0.0, 1.0]])
