"""The few calls to Blender that every scene needs: an empty scene, Cycles' settings, the camera, the finished picture.

`bpy` is a tool to make data with, not a dependency: it is imported when a function runs, never when this module is.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from models.data.framing import SENSOR_MM, CameraPose, Floats, View
from models.data.shots import Color

_THREADS = 2


def load() -> Any:
    """Return the `bpy` module.

    Raises:
        ModuleNotFoundError: it is not installed; `pip install bpy==5.0.1` in an environment of its own.
    """
    return importlib.import_module("bpy")


def empty_scene(height: int, width: int, samples: int, seed: int, threads: int = _THREADS) -> Any:
    """Throw away what is loaded and return a scene that renders `height` x `width` pixels with Cycles on the CPU."""
    bpy = load()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    _set_cycles(scene.cycles, samples, seed)
    _set_look(scene)
    return scene


def _set_cycles(cycles: Any, samples: int, seed: int) -> None:
    cycles.device = "CPU"
    cycles.samples, cycles.seed = samples, seed
    cycles.use_adaptive_sampling, cycles.adaptive_threshold = True, 0.03
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 8, 2, 3
    cycles.transmission_bounces, cycles.transparent_max_bounces = 8, 16
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 6.0


def measure_coverage_only(scene: Any) -> None:
    """Spend every sample on edges and see-through textures, none on light."""
    cycles = scene.cycles
    cycles.use_adaptive_sampling = cycles.use_denoising = False
    cycles.max_bounces = 0


def _set_look(scene: Any) -> None:
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    settings = scene.render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGBA", "8"
    settings.compression = 30


def linear(color: Color) -> tuple[float, float, float, float]:
    """Return an sRGB colour in [0, 1] as linear RGBA.

    >>> linear((0.0, 1.0, 0.5))[:2]
    (0.0, 1.0)
    """
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color)
    return red, green, blue, 1.0


def add_camera(scene: Any, pose: CameraPose, view: View) -> None:
    """Put the camera where `pose` says; with `view.f_stop`, sharp at the product's centre."""
    bpy = load()
    data = bpy.data.cameras.new("camera")
    data.lens, data.sensor_width = view.focal_mm, SENSOR_MM
    data.sensor_fit = "AUTO"
    data.shift_x, data.shift_y = pose.shift
    data.clip_start, data.clip_end = pose.distance * 0.01, 100.0
    if view.f_stop is not None:
        data.dof.use_dof, data.dof.focus_distance = True, pose.distance
        data.dof.aperture_fstop = view.f_stop
    camera = add_object(scene, data)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = pose.rotation, pose.location
    move(camera, matrix)
    scene.camera = camera


def add_object(scene: Any, data: Any) -> Any:
    """Wrap a data block into an object of `scene` and return it."""
    made = load().data.objects.new(data.name, data)
    scene.collection.objects.link(made)
    return made


def move(item: Any, matrix: Floats) -> None:
    """Give `item` the (4, 4) world matrix, rows first."""
    item.matrix_world = importlib.import_module("mathutils").Matrix(matrix.tolist())


def vertices(objects: list[Any]) -> Floats:
    """Return all corners of the meshes among `objects` in world coordinates, (N, 3) metres."""
    load().context.view_layer.update()
    parts = [_world_vertices(item) for item in objects if item.type == "MESH" and len(item.data.vertices)]
    if not parts:
        raise ValueError("nothing to frame: no mesh has a vertex")
    return np.concatenate(parts)


def _world_vertices(item: Any) -> Floats:
    flat = np.empty(len(item.data.vertices) * 3, dtype=np.float64)
    item.data.vertices.foreach_get("co", flat)
    matrix = np.array(item.matrix_world, dtype=np.float64)
    world: Floats = flat.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
    return world


def write_png(scene: Any, path: Path, transparent: bool, depth: int = 8) -> None:
    """Render to an RGBA PNG of `depth` bits a channel; `transparent` leaves alpha 0 where nothing stands."""
    scene.render.film_transparent = transparent
    scene.render.image_settings.color_depth = str(depth)
    scene.render.filepath = str(path)
    load().ops.render.render(write_still=True)
