"""Photographs of furniture models, rendered by Cycles from a description: products on white, in a studio, in a room.

One description gives every pair that training needs: the same `Shot` with another backdrop, frame or light.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from models.data import blender, figure, placing, rooms, studio
from models.data.framing import frame
from models.data.shots import Cutout, Figure, Placed, Room, Shot, Sweep

_STUDIO_UNIT_M = 1.0
_ALPHA_SAMPLES = 32


def render(shot: Shot, path: Path, depth: int = 8, threads: int = 2) -> None:
    """Write `shot` to `path` as an RGBA PNG with `depth` (8 or 16) bits a channel.

    A `Cutout` leaves alpha as the product's exact coverage (with its shadow as black, if asked); any other backdrop is
    opaque. The same shot gives the same bytes on the same machine.
    """
    scene = blender.empty_scene(shot.height, shot.width, shot.samples, shot.seed, threads)
    objects = _set_up(scene, shot)
    points = blender.vertices(objects)
    pose = frame(points, shot.view, shot.height, shot.width)
    blender.add_camera(scene, pose, shot.view)
    path.parent.mkdir(parents=True, exist_ok=True)
    blender.write_png(scene, path, isinstance(shot.backdrop, Cutout), depth)


def render_alpha(shot: Shot, path: Path, threads: int = 2) -> None:
    """Write the product's exact coverage as the alpha of an RGBA PNG, whatever `shot` has as its backdrop.

    Nothing is lit, so it costs a fraction of the photograph; the camera is that of `render`.
    """
    scene = blender.empty_scene(shot.height, shot.width, _ALPHA_SAMPLES, shot.seed, threads)
    blender.measure_coverage_only(scene)
    objects = _stand_product(scene, shot.product, isinstance(shot.backdrop, Room))
    pose = frame(blender.vertices(objects), shot.view, shot.height, shot.width)
    blender.add_camera(scene, pose, shot.view)
    path.parent.mkdir(parents=True, exist_ok=True)
    blender.write_png(scene, path, transparent=True)


def _set_up(scene: Any, shot: Shot) -> list[Any]:
    """Build everything but the camera; return the product's objects."""
    objects = _stand_product(scene, shot.product, isinstance(shot.backdrop, Room))
    for prop in shot.props:
        placing.put_down(prop)
    points = blender.vertices(objects)
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    if isinstance(shot.backdrop, Room):
        rooms.build_room(scene, shot.backdrop)
        rooms.light_room(scene, shot.light, centre)
    else:
        _hang_backdrop(scene, shot, float(np.abs(points[:, :2]).max()))
        studio.light_product(scene, shot.light, shot.view.azimuth_deg, centre, _STUDIO_UNIT_M)
    return objects


def _stand_product(scene: Any, product: Placed | Figure, in_room: bool) -> list[Any]:
    """Stand the product at its own size in a room, at the studio's size before a backdrop; people are never sized."""
    if isinstance(product, Figure):
        return figure.stand_figure(scene, product)
    return placing.put_down(product, None if in_room else _STUDIO_UNIT_M)


def _hang_backdrop(scene: Any, shot: Shot, reach_m: float) -> None:
    backdrop = shot.backdrop
    if isinstance(backdrop, Sweep):
        studio.ambient(scene, (1.0, 1.0, 1.0), 0.35)
        studio.hang_sweep(scene, backdrop, shot.view.azimuth_deg, reach_m + 0.6, _STUDIO_UNIT_M)
    elif isinstance(backdrop, Cutout):
        studio.ambient(scene, (1.0, 1.0, 1.0), 0.5)
        if backdrop.shadow:
            studio.catch_shadow(scene, _STUDIO_UNIT_M)
