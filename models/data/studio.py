"""The photo studio: soft lights around the product and the seamless backdrop behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.data.blender import add_object, linear, load, move
from models.data.framing import Floats
from models.data.shots import Color, Light, Sweep
from models.data.surfaces import Graph

_CURVE_STEPS = 24


def light_product(scene: Any, light: Light, azimuth_deg: float, centre: Floats, size_m: float) -> None:
    """Set a key, a fill and a rim light around `centre`; their distance and power follow `size_m`."""
    warm = tint(light.warmth)
    key = azimuth_deg + light.key_deg
    power = 62.0 * light.strength * size_m**2
    softness = light.softness * size_m
    hang_area(scene, centre, size_m * 2.2, key, 48.0, softness, power, warm)
    hang_area(
        scene,
        centre,
        size_m * 2.6,
        azimuth_deg - np.sign(light.key_deg) * 60.0,
        25.0,
        softness * 1.3,
        power * 0.4,
        (1, 1, 1),
    )
    hang_area(
        scene, centre, size_m * 2.4, azimuth_deg + 180.0 - light.key_deg * 0.5, 60.0, softness, power * 0.5, (1, 1, 1)
    )


def ambient(scene: Any, color: Color, strength: float) -> None:
    """Light the scene evenly from everywhere."""
    world = load().data.worlds.new("world")
    world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = linear(color)
    background.inputs["Strength"].default_value = strength
    scene.world = world


def hang_area(
    scene: Any,
    centre: Floats,
    distance: float,
    azimuth_deg: float,
    height_deg: float,
    side: float,
    power: float,
    color: Color,
) -> None:
    """Hang a square area light `distance` from `centre`, facing it."""
    azimuth, height = np.radians([azimuth_deg, height_deg])
    away = np.array([np.sin(azimuth) * np.cos(height), -np.cos(azimuth) * np.cos(height), np.sin(height)])
    data = load().data.lights.new("area", "AREA")
    data.size, data.energy, data.color = side, power, color
    lamp = add_object(scene, data)
    move(lamp, facing(centre + away * distance, away))


def facing(location: Floats, backward: Floats) -> Floats:
    """Return the matrix of an object at `location` that looks along `-backward`."""
    right = np.cross([0.0, 0.0, 1.0], backward)
    right = right / max(float(np.linalg.norm(right)), 1e-9)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, np.cross(backward, right), backward], axis=1)
    matrix[:3, 3] = location
    return matrix


def tint(warmth: float) -> Color:
    """Return the colour of a light: 1 is late afternoon, 0 neutral, -1 a clear sky."""
    return (
        (1.0, 1.0 - 0.12 * max(warmth, 0.0), 1.0 - 0.3 * warmth)
        if warmth >= 0
        else (1.0 + 0.25 * warmth, 1.0 + 0.1 * warmth, 1.0)
    )


def hang_sweep(scene: Any, sweep: Sweep, azimuth_deg: float, back_m: float, size_m: float) -> None:
    """Roll out seamless paper: flat under the product, curved up `back_m` behind it, facing the camera."""
    radius, front, width, top = size_m * 1.2, size_m * 6.0, size_m * 9.0, size_m * 8.0
    bend = np.linspace(0.0, np.pi / 2, _CURVE_STEPS)
    profile = [(-front, 0.0)]
    profile += [(back_m + radius * np.sin(a), radius * (1 - np.cos(a))) for a in bend]
    profile += [(back_m + radius, top)]
    mesh = load().data.meshes.new("sweep")
    corners = [(side * width, y, z) for y, z in profile for side in (-1.0, 1.0)]
    faces = [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(len(profile) - 1)]
    mesh.from_pydata(corners, [], faces)
    mesh.shade_smooth()
    paper = Graph.new("paper")
    paper.set(Base_Color=linear(sweep.color), Roughness=0.75)
    mesh.materials.append(paper.material)
    add_object(scene, mesh).rotation_euler = (0.0, 0.0, np.radians(azimuth_deg))


def catch_shadow(scene: Any, size_m: float) -> None:
    """Lay an invisible floor that shows only the product's shadow."""
    mesh = load().data.meshes.new("floor")
    side = size_m * 12.0
    mesh.from_pydata(
        [(-side, -side, 0.0), (side, -side, 0.0), (side, side, 0.0), (-side, side, 0.0)], [], [(0, 1, 2, 3)]
    )
    paper = Graph.new("floor")
    paper.set(Base_Color=(0.8, 0.8, 0.8, 1.0), Roughness=0.9)
    mesh.materials.append(paper.material)
    add_object(scene, mesh).is_shadow_catcher = True
