"""A standing person built from rounded limbs, for a picture that shows a human: the CC0 library has none."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from models.data.blender import add_object, linear, load
from models.data.shots import Color, Figure
from models.data.surfaces import Graph

Point = tuple[float, float, float]


@dataclass(frozen=True)
class _Limb:
    """Joints (x, y, z; metres) with their radii (side, front), joined by bones; `color` names a field of `Figure`."""

    color: str
    joints: tuple[tuple[Point, tuple[float, float]], ...]
    bones: tuple[tuple[int, int], ...]


def stand_figure(scene: Any, figure: Figure) -> list[Any]:
    """Stand a person 1.75 m tall at the origin, facing -y, and return the objects."""
    colors = {name: getattr(figure, name) for name in ("skin", "hair", "shirt", "trousers", "shoes")}
    materials = {name: _material(name, color) for name, color in colors.items()}
    made = [_grow(scene, limb, materials[limb.color]) for limb in _LIMBS]
    made += [_ball(at, radii, materials[name]) for name, at, radii in _BALLS]
    dark = _material("eye", (0.08, 0.06, 0.05))
    made += [_ball((side * 0.031, -0.098, 1.655), (0.011, 0.008, 0.007), dark) for side in (-1, 1)]
    lips = _material("lips", (0.72, 0.36, 0.34))
    return [*made, _ball((0.0, -0.098, 1.59), (0.022, 0.008, 0.006), lips)]


def _sides(*joints: tuple[Point, tuple[float, float]]) -> tuple[tuple[Point, tuple[float, float]], ...]:
    """Return the joints of the left limb, then those of the right."""
    return joints + tuple(((-x, y, z), radii) for (x, y, z), radii in joints)


def _chain(*numbers: int) -> tuple[tuple[int, int], ...]:
    return tuple(pairwise(numbers))


_LIMBS: tuple[_Limb, ...] = (
    _Limb(
        "trousers",
        (
            ((0.0, 0.0, 0.99), (0.15, 0.108)),
            ((0.0, 0.0, 0.9), (0.15, 0.115)),
            *_sides(
                ((0.09, 0.0, 0.78), (0.09, 0.095)),
                ((0.105, -0.01, 0.48), (0.066, 0.07)),
                ((0.12, 0.015, 0.2), (0.058, 0.06)),
                ((0.125, 0.015, 0.02), (0.06, 0.065)),
            ),
        ),
        (*_chain(0, 1, 2, 3, 4, 5), *_chain(1, 6, 7, 8, 9)),
    ),
    _Limb(
        "shirt",
        (
            ((0.0, 0.0, 0.86), (0.165, 0.122)),
            ((0.0, 0.0, 1.06), (0.142, 0.105)),
            ((0.0, 0.0, 1.27), (0.165, 0.118)),
            ((0.0, 0.005, 1.4), (0.11, 0.09)),
            ((0.0, 0.01, 1.5), (0.062, 0.06)),
            *_sides(
                ((0.165, 0.005, 1.405), (0.066, 0.068)),
                ((0.225, 0.01, 1.27), (0.055, 0.056)),
                ((0.255, 0.01, 1.12), (0.047, 0.05)),
                ((0.27, -0.05, 0.87), (0.038, 0.04)),
            ),
        ),
        (*_chain(0, 1, 2, 3, 4), *_chain(3, 5, 6, 7, 8), *_chain(3, 9, 10, 11, 12)),
    ),
    *(
        _Limb(
            "skin",
            (
                ((side * 0.269, -0.04, 0.93), (0.026, 0.029)),
                ((side * 0.268, -0.055, 0.87), (0.022, 0.038)),
                ((side * 0.262, -0.07, 0.74), (0.018, 0.03)),
            ),
            _chain(0, 1, 2),
        )
        for side in (-1, 1)
    ),
    _Limb("skin", (((0.0, 0.015, 1.42), (0.052, 0.054)), ((0.0, 0.0, 1.62), (0.05, 0.055))), ((0, 1),)),
    *(
        _Limb(
            "shoes",
            (
                ((side * 0.122, 0.09, 0.045), (0.046, 0.045)),
                ((side * 0.124, -0.04, 0.042), (0.05, 0.042)),
                ((side * 0.132, -0.21, 0.03), (0.044, 0.028)),
            ),
            _chain(0, 1, 2),
        )
        for side in (-1, 1)
    ),
)
_BALLS: tuple[tuple[str, Point, Point], ...] = (
    ("skin", (0.0, -0.01, 1.645), (0.077, 0.095, 0.115)),
    ("skin", (0.0, -0.1, 1.625), (0.011, 0.014, 0.018)),
    ("skin", (0.077, 0.0, 1.635), (0.012, 0.02, 0.03)),
    ("skin", (-0.077, 0.0, 1.635), (0.012, 0.02, 0.03)),
    ("hair", (0.0, 0.014, 1.682), (0.084, 0.098, 0.094)),
)


def _material(name: str, color: Color) -> Any:
    graph = Graph.new(name)
    graph.set(Base_Color=linear(color), Roughness=0.55 if name == "skin" else 0.8)
    if name == "skin":
        graph.set(Subsurface_Weight=0.2, Subsurface_Scale=0.01)
    if name in ("shirt", "trousers"):
        folds = graph.node("TexNoise", Vector=graph.place((14.0, 14.0, 5.0)), Scale=1.0, Detail=3.0, Distortion=0.8)
        graph.bump(folds.outputs["Fac"], 0.5, 0.03)
    return graph.material


def _grow(scene: Any, limb: _Limb, material: Any) -> Any:
    """Grow a skin around the limb's bones."""
    mesh = load().data.meshes.new(limb.color)
    mesh.from_pydata([at for at, _ in limb.joints], list(limb.bones), [])
    grown = add_object(scene, mesh)
    skin = grown.modifiers.new("skin", "SKIN")
    skin.use_smooth_shade, skin.branch_smoothing = True, 0.6
    for cell, (_, radii) in zip(mesh.skin_vertices[0].data, limb.joints, strict=True):
        cell.radius = radii
    mesh.skin_vertices[0].data[0].use_root = True
    smooth = grown.modifiers.new("smooth", "SUBSURF")
    smooth.levels = smooth.render_levels = 3
    mesh.materials.append(material)
    return grown


def _ball(at: Point, radii: Point, material: Any) -> Any:
    bpy = load()
    bpy.ops.mesh.primitive_uv_sphere_add(segments=48, ring_count=32, location=at)
    ball = bpy.context.object
    ball.scale = radii
    ball.data.shade_smooth()
    ball.data.materials.append(material)
    return ball
