"""All pictures of one scene from one set-up in Blender: it, two seconds later, products alone, exact coverage."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import cv2
import numpy as np

from models.data import blender, daylight, studio
from models.data.examples import Bytes
from models.data.framing import CameraPose, Floats, View, frame
from models.data.scene import Scene
from models.data.shots import Light
from models.data.stages import Stage, put_up

_COVERAGE_SAMPLES = 16
_STUDIO_SAMPLES = 8
_PRODUCT_SIDE = 160
_EXPOSURES = 4  # rounds of metering
_STEEPEST_EV = 3.0
_STUDIO = Light(key_deg=-40.0, strength=1.0, warmth=0.0, softness=1.8)


class Pictures(NamedTuple):
    """As in `models.data.examples.Example`; `pose` is the scene's camera, `exposure_ev` what was added to it."""

    scene: Bytes
    coverage: Bytes
    registered: Bytes
    products: tuple[Bytes, ...]
    later: Bytes | None
    empty: Bytes
    pose: CameraPose
    exposure_ev: float


def photograph(scene: Scene, surrounds: Path | None, *, later: bool = True, threads: int = 1) -> Pictures:
    """Render `scene`; the same scene gives the same pictures on the same machine.

    Args:
        scene: what to show.
        surrounds: folder of environment pictures (EXR), None for an even light from everywhere.
        later: render the frame two seconds later too.
        threads: of the renderer.
    """
    with _set_up(scene, surrounds, threads) as (shoot, stage, points):
        pose = shoot.aim(points, scene.view, scene.height, scene.width)
        exposure, picture = shoot.metered(scene.light.exposure)
        empty = _empty(shoot, stage)
        after = None
        if later:
            shoot.aim(points, scene.later, scene.height, scene.width)
            after = shoot.opaque()
            shoot.aim(points, scene.view, scene.height, scene.width)
        coverage, registered = _registered(shoot, stage, scene, points)
        alone = tuple(_alone(shoot, stage, number, pose_) for number, pose_ in enumerate(scene.poses))
    return Pictures(picture, coverage, registered, alone, after, empty, pose, exposure)


def photograph_empty(scene: Scene, surrounds: Path | None, exposure_ev: float, *, threads: int = 1) -> Bytes:
    """`Pictures.empty` alone, [H, W, 3], for a scene that was photographed before with `exposure_ev`."""
    with _set_up(scene, surrounds, threads) as (shoot, stage, points):
        shoot.aim(points, scene.view, scene.height, scene.width)
        shoot.made.view_settings.exposure = exposure_ev
        return _empty(shoot, stage)


@contextmanager
def _set_up(scene: Scene, surrounds: Path | None, threads: int) -> Iterator[tuple[_Camera, Stage, Floats]]:
    """A camera before `scene`, built and lit, and the corners of its products."""
    made = blender.empty_scene(scene.height, scene.width, scene.samples, scene.number, threads)
    _hurry(made)
    stage = put_up(made, scene)
    points = blender.vertices([item for product in stage.products for item in product])
    daylight.light(made, scene.light, _middle(points), float(np.ptp(points, axis=0).max()), surrounds, scene.number)
    with tempfile.TemporaryDirectory() as folder:
        yield _Camera(made, Path(folder) / "shot.png"), stage, points


def _hurry(made: Any) -> None:
    """Settings for many small pictures: light is cut short where nobody would see it."""
    cycles = made.cycles
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces, cycles.transmission_bounces = 5, 2, 2, 4
    cycles.denoising_prefilter, cycles.denoising_quality = "FAST", "BALANCED"
    cycles.use_adaptive_sampling = False
    made.view_settings.look = "AgX - High Contrast"
    made.render.use_persistent_data = True


def _middle(points: Floats) -> Floats:
    return (points.min(axis=0) + points.max(axis=0)) / 2


class _Camera:
    """Takes pictures of the renderer's scene."""

    def __init__(self, made: Any, path: Path) -> None:
        self.made, self.path = made, path

    def aim(self, points: Floats, view: View, height: int, width: int) -> CameraPose:
        """Frame `points`; the camera before is given up."""
        if self.made.camera is not None:
            blender.load().data.objects.remove(self.made.camera)
        self.made.render.resolution_x, self.made.render.resolution_y = width, height
        pose = frame(points, view, height, width)
        blender.add_camera(self.made, pose, view)
        return pose

    def metered(self, wanted: float, tries: int = _EXPOSURES) -> tuple[float, Bytes]:
        """The picture exposed so that its mean is near `wanted`, nearer with more `tries`, and its exposure (EV)."""
        picture = self.opaque()
        low, high = -_STEEPEST_EV, _STEEPEST_EV
        for _ in range(tries):
            middle = (low + high) / 2
            picture = self._developed(middle)[..., :3]
            low, high = (middle, high) if picture.mean() / 255 < wanted else (low, middle)
        return self.made.view_settings.exposure, np.ascontiguousarray(picture)

    def opaque(self) -> Bytes:
        """[H, W, 3], with everything that stands there."""
        self.made.render.film_transparent = False
        self._render()
        return np.ascontiguousarray(self._developed(self.made.view_settings.exposure)[..., :3])

    def transparent(self) -> Bytes:
        """[H, W, 4], straight alpha, of what is not hidden."""
        self.made.render.film_transparent = True
        self._render()
        return self._developed(self.made.view_settings.exposure)

    def _render(self) -> None:
        blender.load().ops.render.render()

    def _developed(self, exposure_ev: float) -> Bytes:
        self.made.view_settings.exposure = exposure_ev
        result = blender.load().data.images["Render Result"]
        result.save_render(str(self.path), scene=self.made)
        pixels = cast(Bytes, cv2.imread(str(self.path), cv2.IMREAD_UNCHANGED))
        return np.ascontiguousarray(pixels[..., [2, 1, 0, *range(3, pixels.shape[2])]])


def _empty(shoot: _Camera, stage: Stage) -> Bytes:
    """The scene as it is without its products: neither they nor what they cast."""
    with _hidden(item for product in stage.products for item in product):
        return shoot.opaque()


def _registered(shoot: _Camera, stage: Stage, scene: Scene, points: Floats) -> tuple[Bytes, Bytes]:
    """(coverage, products alone in studio light), both by the scene's camera and cut by what stands before them."""
    made = shoot.made
    board = [item for item in stage.room if scene.board is not None and item.name.startswith(("box", "disc"))]
    masks = [*stage.props, *board]
    with _hidden(item for item in stage.room if item not in board), _masking(masks), _studio(made, points, scene.view):
        made.cycles.samples, made.view_settings.exposure = _STUDIO_SAMPLES, 0.0
        lit = shoot.transparent()
        with _coverage_only(made):
            coverage = shoot.transparent()[..., 3]
    return np.ascontiguousarray(coverage), with_alpha(lit, coverage)


def _alone(shoot: _Camera, stage: Stage, number: int, pose: tuple[float, float]) -> Bytes:
    """One product in studio light, cropped to itself."""
    made, objects = shoot.made, stage.products[number]
    points = blender.vertices(list(objects))
    view = View(azimuth_deg=pose[0], pitch_deg=pose[1], focal_mm=60.0, fill=0.94)
    height, width = product_shape(points, _PRODUCT_SIDE)
    others = [item for other in stage.products if other is not objects for item in other]
    with _hidden([*others, *stage.props, *stage.room]), _studio(made, points, view):
        made.cycles.samples, made.view_settings.exposure = _STUDIO_SAMPLES, 0.0
        shoot.aim(points, view, height, width)
        return shoot.transparent()


def product_shape(points: Floats, side: int) -> tuple[int, int]:
    """(height, width): upright for tall things, wide for broad ones, square between; `side` is the longer one.

    >>> product_shape(np.array([[0.0, 0, 0], [1.0, 1.0, 3.0]]), 160)
    (160, 120)
    """
    width, depth, height = np.ptp(points, axis=0)
    ratio = height / max(float(np.hypot(width, depth)) * 0.8, 1e-6)
    if ratio > 1.35:
        return side, side * 3 // 4
    return (side * 3 // 4, side) if ratio < 0.7 else (side, side)


def with_alpha(lit: Bytes, coverage: Bytes) -> Bytes:
    """The colours of `lit` ([H, W, 4], straight) under the finer `coverage` [H, W]; edges that it lacks are grown."""
    known = lit[..., 3] > 8
    color = np.where(known[..., None], lit[..., :3], 0)
    missing = ~known & (coverage > 0)
    if missing.any() and known.any():
        weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), 2.0)
        spread = cv2.GaussianBlur(color.astype(np.float32), (0, 0), 2.0) / np.maximum(weight, 1e-3)[..., None]
        color = np.where(missing[..., None], np.clip(spread, 0, 255).astype(np.uint8), color)
    return np.dstack([color, coverage]).astype(np.uint8)


@contextmanager
def _hidden(items: Iterator[Any] | Sequence[Any]) -> Iterator[None]:
    hidden = list(items)
    for item in hidden:
        item.hide_render = True
    try:
        yield
    finally:
        for item in hidden:
            item.hide_render = False


@contextmanager
def _masking(items: Sequence[Any]) -> Iterator[None]:
    """Cut holes where `items` stand before the products, without their shadows and reflections."""
    rays = ("diffuse", "glossy", "transmission", "shadow", "volume_scatter")

    def switch(on: bool) -> None:
        for item in items:
            item.is_holdout = on
            for ray in rays:
                setattr(item, f"visible_{ray}", not on)

    switch(True)
    try:
        yield
    finally:
        switch(False)


@contextmanager
def _studio(made: Any, points: Floats, view: View) -> Iterator[None]:
    """Studio light in place of the scene's."""
    lamps = [item for item in made.objects if item.type == "LIGHT" or item.name in ("panes", "leaves")]
    world = made.world
    with _hidden(lamps):
        studio.ambient(made, (1.0, 1.0, 1.0), 0.5)
        there = set(made.objects)
        size = float(np.ptp(points, axis=0).max())
        studio.light_product(made, _STUDIO, view.azimuth_deg, _middle(points), size)
        added = [item for item in made.objects if item not in there]
        try:
            yield
        finally:
            made.world = world
            for item in added:
                blender.load().data.objects.remove(item)


@contextmanager
def _coverage_only(made: Any) -> Iterator[None]:
    cycles = made.cycles
    before = cycles.samples, cycles.use_denoising, cycles.max_bounces
    cycles.samples, cycles.use_denoising, cycles.max_bounces = _COVERAGE_SAMPLES, False, 0
    try:
        yield
    finally:
        cycles.samples, cycles.use_denoising, cycles.max_bounces = before
