"""A scene's light in Blender: a surround, a main light, and what it falls through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from models.data.blender import add_object, load, move
from models.data.framing import Floats
from models.data.scene import Daylight, Pattern
from models.data.studio import ambient, facing, hang_area, tint

_MAP_SIDE = 128
_SUN_W = 4.2
_GLARE, _BALANCED = 20.0, 0.75
_WINDOW_W, _LAMP_W, _FILL_W = 190.0, 120.0, 45.0
_AMBIENT = {"window": 0.5, "sun": 0.55, "overcast": 1.0, "evening": 0.4, "lamp": 0.3}
_PANES = (2, 3)
_OPENING_M = (1.5, 1.9)
_BAR_M, _SHEET_M = 0.07, 9.0
_LEAVES, _LEAF_M = 260, 0.17


def light(scene: Any, daylight: Daylight, centre: Floats, size_m: float, surrounds: Path | None, seed: int) -> None:
    """Light what stands about `centre`; `size_m` is how large it is.

    Args:
        scene: the renderer's.
        daylight: what light it is.
        centre: of the products, metres.
        size_m: largest extent of the products.
        surrounds: folder of environment pictures (EXR); None lights evenly in their place.
        seed: of the leaves' places.
    """
    _surround(scene, daylight, surrounds)
    if daylight.sky in ("sun", "evening"):
        _sun(scene, daylight)
        if daylight.pattern is not None:
            _screen(scene, daylight, centre, seed)
    else:
        away = max(2.0, 1.6 * size_m) if daylight.sky != "lamp" else max(1.3, 1.2 * size_m)
        side = {"window": 1.5, "overcast": 2.8, "lamp": 0.35}[daylight.sky] * away / 2.0
        power = (_LAMP_W if daylight.sky == "lamp" else _WINDOW_W) * daylight.strength * (away / 2.0) ** 2
        power *= 0.4 if daylight.sky == "overcast" else 1.0
        hang_area(scene, centre, away, daylight.azimuth_deg, daylight.height_deg, side, power, tint(daylight.warmth))
    reach = max(3.0, 1.6 * size_m)
    hang_area(scene, centre, reach, -0.6 * daylight.azimuth_deg, 50.0, 2.0, _FILL_W * (reach / 3) ** 2, (1.0, 1.0, 1.0))
    _hide_lamps(scene)


def _hide_lamps(scene: Any) -> None:
    for item in scene.objects:
        if item.type == "LIGHT":
            item.visible_camera = False


def _surround(scene: Any, daylight: Daylight, folder: Path | None) -> None:
    warm = tint(0.4 * daylight.warmth)
    ambient(scene, (min(1.0, warm[0]), min(1.0, warm[1]), min(1.0, warm[2])), _AMBIENT[daylight.sky])
    if folder is None or daylight.surround is None:
        return
    tree = scene.world.node_tree
    picture = tree.nodes.new("ShaderNodeTexEnvironment")
    picture.image = load().data.images.load(str(folder / f"{daylight.surround}.exr"))
    turn = tree.nodes.new("ShaderNodeMapping")
    turn.inputs["Rotation"].default_value = (0.0, 0.0, np.radians(daylight.turn_deg))
    source = tree.nodes.new("ShaderNodeTexCoord")
    tree.links.new(source.outputs["Generated"], turn.inputs["Vector"])
    tree.links.new(turn.outputs["Vector"], picture.inputs["Vector"])
    background = tree.nodes["Background"]
    tree.links.new(picture.outputs["Color"], background.inputs["Color"])
    scene.world.cycles.sampling_method = "MANUAL"
    scene.world.cycles.sample_map_resolution = _MAP_SIDE  # a finer one costs two seconds and shows nothing
    background.inputs["Strength"].default_value = _AMBIENT[daylight.sky]
    _balance(picture.image)


def _balance(image: Any) -> None:
    """Bring a surround's mean to 1 and most of its cast away, as a camera's white balance would."""
    flat = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(flat)
    pixels = flat.reshape(-1, 4)
    mean = np.minimum(pixels[:, :3], _GLARE).mean(axis=0)
    pixels[:, :3] *= (mean.mean() / np.maximum(mean, 1e-4)) ** _BALANCED / max(float(mean.mean()), 1e-4)
    image.pixels.foreach_set(np.ascontiguousarray(pixels).reshape(-1))


def _toward(daylight: Daylight) -> Floats:
    azimuth, height = np.radians([daylight.azimuth_deg, daylight.height_deg])
    return np.array([np.sin(azimuth) * np.cos(height), -np.cos(azimuth) * np.cos(height), np.sin(height)])


def _sun(scene: Any, daylight: Daylight) -> None:
    data = load().data.lights.new("sun", "SUN")
    data.energy, data.color = _SUN_W * daylight.strength, tint(daylight.warmth)
    data.angle = np.radians(1.2)
    move(add_object(scene, data), facing(np.zeros(3), _toward(daylight)))


def _screen(scene: Any, daylight: Daylight, centre: Floats, seed: int) -> None:
    """Hang a sheet with a window, or a tree's leaves, between the sun and the products: seen by shadows alone."""
    rng = np.random.default_rng([seed, 7])
    pattern: Pattern = daylight.pattern or "panes"
    rectangles = _window(rng) if pattern == "panes" else _leaves(rng)
    mesh = load().data.meshes.new(pattern)
    mesh.from_pydata(
        [corner for rectangle in rectangles for corner in rectangle],
        [],
        [tuple(range(4 * i, 4 * i + 4)) for i in range(len(rectangles))],
    )
    sheet = add_object(scene, mesh)
    away = 3.0 if pattern == "panes" else 4.5
    move(sheet, facing(centre + _toward(daylight) * away, _toward(daylight)))
    for kind in ("camera", "diffuse", "glossy", "transmission", "volume_scatter"):
        setattr(sheet, f"visible_{kind}", False)


Corners = tuple[tuple[float, float, float], ...]


def _rectangle(left: float, bottom: float, right: float, top: float) -> Corners:
    return (left, bottom, 0.0), (right, bottom, 0.0), (right, top, 0.0), (left, top, 0.0)


def _window(rng: np.random.Generator) -> list[Corners]:
    """A wall with an opening of panes; the opening is somewhat off the centre."""
    (wide, tall), (columns, rows) = _OPENING_M, _PANES
    x, y = rng.uniform(-0.35, 0.35), rng.uniform(-0.35, 0.35)
    left, bottom, right, top = x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2
    sheets = [
        _rectangle(-_SHEET_M, -_SHEET_M, left, _SHEET_M),
        _rectangle(right, -_SHEET_M, _SHEET_M, _SHEET_M),
        _rectangle(left, -_SHEET_M, right, bottom),
        _rectangle(left, top, right, _SHEET_M),
    ]
    for n in range(1, columns):
        at = left + wide * n / columns
        sheets.append(_rectangle(at - _BAR_M / 2, bottom, at + _BAR_M / 2, top))
    for n in range(1, rows):
        at = bottom + tall * n / rows
        sheets.append(_rectangle(left, at - _BAR_M / 2, right, at + _BAR_M / 2))
    return sheets


def _leaves(rng: np.random.Generator) -> list[Corners]:
    """Small turned rectangles in clusters, as the leaves of a tree before a window."""
    twigs = rng.uniform(-2.2, 2.2, (14, 2))
    made: list[Corners] = []
    for _ in range(_LEAVES):
        x, y = twigs[rng.integers(len(twigs))] + rng.normal(0, 0.32, 2)
        angle, half = rng.uniform(0, np.pi), _LEAF_M / 2 * rng.uniform(0.5, 1.3)
        along = np.array([np.cos(angle), np.sin(angle)]) * half
        across = np.array([-along[1], along[0]]) * 0.4
        corners = [np.array([x, y]) + a * along + b * across for a, b in ((-1, 0), (0, -1), (1, 0), (0, 1))]
        made.append(tuple((float(c[0]), float(c[1]), 0.0) for c in corners))
    return made
