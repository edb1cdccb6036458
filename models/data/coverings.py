"""Procedural coverings of floors, walls, boards and rugs: planks, tiles, carpet, paint, brick, plaster, marble, linen.

Every covering reads its pattern from the object's own x and y in metres, so a plank is as long in any room.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models.data.blender import linear
from models.data.scene import Top
from models.data.shots import Color, Floor, Wall
from models.data.surfaces import Graph, shade


def floor_covering(kind: Floor, color: Color) -> Any:
    """Return the material of a floor; `color` is sRGB in [0, 1]."""
    graph = Graph.new(kind)
    _FLOORS[kind](graph, color)
    return graph.material


def wall_covering(kind: Wall, color: Color) -> Any:
    """Return the material of a wall; `color` is sRGB in [0, 1]."""
    graph = Graph.new(kind)
    _WALLS[kind](graph, color)
    return graph.material


def top_covering(kind: Top, color: Color) -> Any:
    """Return the material of a table's top or a shelf; `color` is sRGB in [0, 1]."""
    graph = Graph.new(kind)
    _TOPS[kind](graph, color)
    return graph.material


def rug_covering(colors: tuple[Color, Color]) -> Any:
    """Return a woven material that wanders between two sRGB colours, with a lifted pile."""
    graph = Graph.new("rug")
    where = graph.place((1.0, 1.0, 1.0))
    bands = graph.node("TexWave", Vector=where, Scale=3.0, Distortion=6.0, Detail=2.0, Detail_Scale=1.5)
    graph.set(Base_Color=graph.ramp(bands.outputs["Fac"], [(0.35, colors[0]), (0.6, colors[1])]), Roughness=0.95)
    graph.set(Sheen_Weight=0.3)
    pile = graph.node("TexNoise", Vector=where, Scale=320.0, Detail=2.0)
    graph.bump(pile.outputs["Fac"], 0.7, 0.006)
    return graph.material


def _planks(graph: Graph, color: Color) -> None:
    where = _staggered(graph, graph.place((1.0, 1.0, 1.0)), (1.6, 0.16))
    planks = _bricks(graph, where, (1.6, 0.16), 0.0015, (shade(color, 0.82), shade(color, 1.12), shade(color, 0.25)))
    color_of, fibres = _grained(graph, where, planks.outputs["Color"])
    graph.set(Base_Color=color_of, Roughness=_line(graph, fibres, -0.2, 0.48), Coat_Weight=0.08)
    graph.bump(_line(graph, planks.outputs["Fac"], -1.0, _scaled(graph, fibres, 0.12)), 0.4, 0.002)


def _grained(graph: Graph, where: Any, boards: Any) -> tuple[Any, Any]:
    """Boards (colours, laid along x) with wood's growth rings, fibres and pores, and the fibres in [0, 1]: sockets."""
    # a board's tone moves its grain: no two neighbours go on as one
    own = graph.node("VectorMath")
    own.operation = "MULTIPLY_ADD"
    graph.feed(own.inputs[0], boards)
    own.inputs[1].default_value = (37.0, 53.0, 0.0)
    graph.feed(own.inputs[2], where)
    place = own.outputs["Vector"]
    rings = _streaks(graph, place, (0.9, 15.0), detail=3.0, distortion=1.6)
    fibres = _streaks(graph, place, (9.0, 190.0), detail=7.0, distortion=0.3)
    pores = _streaks(graph, place, (45.0, 620.0), detail=2.0, distortion=0.0)
    tones = (
        graph.ramp(rings, [(0.36, (0.76, 0.73, 0.7)), (0.5, (1.0, 1.0, 1.0)), (0.66, (0.88, 0.87, 0.86))]),
        graph.ramp(fibres, [(0.3, (0.76, 0.74, 0.72)), (0.7, (1.0, 1.0, 1.0))]),
        graph.ramp(pores, [(0.33, (0.62, 0.59, 0.57)), (0.42, (1.0, 1.0, 1.0))]),
    )
    for tone in tones:
        boards = _multiply(graph, boards, tone)
    return boards, fibres


def _staggered(graph: Graph, where: Any, size_m: tuple[float, float]) -> Any:
    """`where` (a vector socket), each row of boards `size_m` (length, height) pushed along by a length of its own."""
    parts = graph.node("SeparateXYZ", Vector=where)
    row = graph.node("Math")
    row.operation = "FLOOR"
    graph.feed(row.inputs[0], _scaled(graph, parts.outputs["Y"], 1 / size_m[1]))
    chance = graph.node("TexWhiteNoise")
    chance.noise_dimensions = "1D"
    graph.feed(chance.inputs["W"], row.outputs["Value"])
    pushed = _line(graph, chance.outputs["Value"], size_m[0], parts.outputs["X"])
    return graph.node("CombineXYZ", X=pushed, Y=parts.outputs["Y"], Z=parts.outputs["Z"]).outputs["Vector"]


def _streaks(graph: Graph, where: Any, scale: tuple[float, float], *, detail: float, distortion: float) -> Any:
    """Noise drawn out along x, `scale` in cells a metre along and across; a socket in [0, 1]."""
    drawn = graph.node("Mapping", Vector=where, Scale=(*scale, 1.0)).outputs["Vector"]
    return graph.node("TexNoise", Vector=drawn, Scale=1.0, Detail=detail, Distortion=distortion).outputs["Fac"]


def _scaled(graph: Graph, value: Any, factor: float) -> Any:
    return _line(graph, value, factor, 0.0)


def _line(graph: Graph, value: Any, slope: float, offset: Any) -> Any:
    """`value` times `slope` plus `offset` (a socket or a number), a socket."""
    made = graph.node("Math")
    made.operation = "MULTIPLY_ADD"
    graph.feed(made.inputs[0], value)
    made.inputs[1].default_value = slope
    graph.feed(made.inputs[2], offset)
    return made.outputs["Value"]


def _tiles(graph: Graph, color: Color) -> None:
    where = graph.place((1.0, 1.0, 1.0))
    tiles = _bricks(graph, where, (0.6, 0.6), 0.006, (shade(color, 0.96), shade(color, 1.03), shade(color, 0.68)))
    tiles.offset = 0.0
    clouds = graph.node("TexNoise", Vector=where, Scale=2.5, Detail=6.0, Distortion=1.2)
    veins = graph.ramp(clouds.outputs["Fac"], [(0.35, (0.88, 0.88, 0.87)), (0.6, (1.0, 1.0, 1.0))])
    graph.set(Base_Color=_multiply(graph, tiles.outputs["Color"], veins), Roughness=0.22)
    graph.bump(tiles.outputs["Fac"], -0.5, 0.004)


def _carpet(graph: Graph, color: Color) -> None:
    where = graph.place((1.0, 1.0, 1.0))
    loops = graph.node("TexVoronoi", Vector=where, Scale=170.0)
    mottle = graph.node("TexNoise", Vector=where, Scale=60.0, Detail=4.0)
    graph.set(Base_Color=graph.ramp(mottle.outputs["Fac"], [(0.3, shade(color, 0.78)), (0.7, shade(color, 1.1))]))
    graph.set(Roughness=0.95, Sheen_Weight=0.3)
    graph.bump(loops.outputs["Distance"], -0.9, 0.008)


def _concrete(graph: Graph, color: Color) -> None:
    clouds = graph.node("TexNoise", Vector=graph.place((1.0, 1.0, 1.0)), Scale=1.8, Detail=9.0, Roughness=0.62)
    stone = graph.ramp(clouds.outputs["Fac"], [(0.3, shade(color, 0.86)), (0.7, shade(color, 1.08))])
    sand = graph.node("TexNoise", Vector=graph.place((1.0, 1.0, 1.0)), Scale=380.0, Detail=3.0)
    holes = graph.node("TexVoronoi", Vector=graph.place((1.0, 1.0, 1.0)), Scale=26.0)
    stone = _multiply(graph, stone, graph.ramp(sand.outputs["Fac"], [(0.35, (0.9, 0.9, 0.9)), (0.6, (1.0, 1.0, 1.0))]))
    stone = _multiply(
        graph, stone, graph.ramp(holes.outputs["Distance"], [(0.04, (0.66, 0.66, 0.66)), (0.07, (1, 1, 1))])
    )
    graph.set(Base_Color=stone, Roughness=0.5)
    graph.bump(clouds.outputs["Fac"], 0.1, 0.01)


def _paint(graph: Graph, color: Color) -> None:
    roller = graph.node("TexNoise", Vector=graph.place((1.0, 1.0, 1.0)), Scale=260.0, Detail=2.0)
    graph.set(Base_Color=linear(color), Roughness=0.7)
    graph.bump(roller.outputs["Fac"], 0.15, 0.001)


def _brick(graph: Graph, color: Color) -> None:
    where = graph.place((1.0, 1.0, 1.0))
    courses = _bricks(graph, where, (0.24, 0.075), 0.009, (shade(color, 0.7), shade(color, 1.2), (0.72, 0.69, 0.64)))
    courses.inputs["Mortar Smooth"].default_value = 0.25
    stains = graph.node("TexNoise", Vector=where, Scale=22.0, Detail=8.0, Roughness=0.7)
    dirt = graph.ramp(stains.outputs["Fac"], [(0.3, (0.72, 0.7, 0.7)), (0.65, (1.0, 1.0, 1.0))])
    graph.set(Base_Color=_multiply(graph, courses.outputs["Color"], dirt), Roughness=0.9)
    graph.bump(courses.outputs["Fac"], -0.8, 0.012)


def _plaster(graph: Graph, color: Color) -> None:
    trowel = graph.node(
        "TexNoise", Vector=graph.place((1.0, 1.0, 1.0)), Scale=3.0, Detail=8.0, Roughness=0.6, Distortion=0.8
    )
    graph.set(Base_Color=graph.ramp(trowel.outputs["Fac"], [(0.3, shade(color, 0.9)), (0.7, shade(color, 1.04))]))
    graph.set(Roughness=0.85)
    graph.bump(trowel.outputs["Fac"], 0.2, 0.01)


def _slats(graph: Graph, color: Color) -> None:
    where = graph.place((1.0, 1.0, 1.0))
    slats = graph.node("TexWave", Vector=where, Scale=5.2)
    fibres = graph.node("TexNoise", Vector=graph.place((55.0, 2.2, 1.0)), Scale=1.0, Detail=6.0)
    wood = graph.ramp(fibres.outputs["Fac"], [(0.3, shade(color, 0.75)), (0.7, shade(color, 1.1))])
    gaps = graph.ramp(slats.outputs["Fac"], [(0.18, (0.12, 0.1, 0.09)), (0.3, (1.0, 1.0, 1.0))])
    graph.set(Base_Color=_multiply(graph, wood, gaps), Roughness=0.5)
    graph.bump(gaps, 0.8, 0.02)


def _herringbone(graph: Graph, color: Color) -> None:
    """Planks laid at right angles in turn, a column each; the columns' own planks run along x or y by a checker."""
    where = graph.place((1.0, 1.0, 1.0))
    across = graph.node("VectorRotate", Vector=where, Angle=0.785398)
    along = graph.node("VectorRotate", Vector=where, Angle=-0.785398)
    for turned in (across, along):
        turned.rotation_type = "Z_AXIS"
    colors = (shade(color, 0.84), shade(color, 1.1), shade(color, 0.3))
    one, two = (
        _grained(graph, way, _bricks(graph, way, (0.5, 0.09), 0.001, colors).outputs["Color"])[0]
        for way in (across.outputs["Vector"], along.outputs["Vector"])
    )
    columns = graph.node("TexWave", Vector=where, Scale=1.41)
    side = graph.node("Math")
    side.operation = "GREATER_THAN"
    graph.feed(side.inputs[0], columns.outputs["Fac"])
    graph.set(Base_Color=_mix(graph, side.outputs["Value"], one, two), Roughness=0.35, Coat_Weight=0.1)


def _deck(graph: Graph, color: Color) -> None:
    where = _staggered(graph, graph.place((1.0, 1.0, 1.0)), (4.0, 0.14))
    planks = _bricks(graph, where, (4.0, 0.14), 0.007, (shade(color, 0.8), shade(color, 1.1), (0.03, 0.03, 0.03)))
    graph.set(Base_Color=_grained(graph, where, planks.outputs["Color"])[0], Roughness=0.7)
    graph.bump(planks.outputs["Fac"], -0.8, 0.006)


def _terrazzo(graph: Graph, color: Color) -> None:
    where = graph.place((1.0, 1.0, 1.0))
    chips = graph.node("TexVoronoi", Vector=where, Scale=42.0, Randomness=1.0)
    size = graph.ramp(chips.outputs["Distance"], [(0.32, (1.0, 1.0, 1.0)), (0.36, (0.0, 0.0, 0.0))])
    tones = graph.node("SeparateColor", Color=chips.outputs["Color"]).outputs["Red"]
    stops = [(0.0, shade(color, 0.35)), (0.35, (0.55, 0.36, 0.27)), (0.6, (0.7, 0.68, 0.64)), (0.8, shade(color, 1.0))]
    stones = graph.ramp(tones, stops)
    graph.set(Base_Color=_mix(graph, size, shade(color, 1.02), stones), Roughness=0.25)


def _wall_tiles(graph: Graph, color: Color) -> None:
    where = graph.place((1.0, 1.0, 1.0))
    tiles = _bricks(graph, where, (0.2, 0.1), 0.003, (shade(color, 0.97), shade(color, 1.03), (0.82, 0.81, 0.79)))
    tiles.offset = 0.5
    graph.set(Base_Color=tiles.outputs["Color"], Roughness=0.12, Coat_Weight=0.3)
    graph.bump(tiles.outputs["Fac"], -0.5, 0.003)


def _wallpaper(graph: Graph, color: Color) -> None:
    where = graph.place((1.0, 1.0, 1.0))
    motif = graph.node("TexVoronoi", Vector=where, Scale=7.0, Randomness=0.12)
    leaves = graph.node("TexNoise", Vector=where, Scale=16.0, Detail=2.0, Distortion=1.2)
    shape = graph.node("Math")
    shape.operation = "MULTIPLY_ADD"
    graph.feed(shape.inputs[0], leaves.outputs["Fac"])
    shape.inputs[1].default_value = 0.55
    graph.feed(shape.inputs[2], motif.outputs["Distance"])
    light = sum(color) / 3 < 0.5
    other = shade(color, 1.5 if light else 0.74)
    graph.set(Base_Color=graph.ramp(shape.outputs["Value"], [(0.52, other), (0.56, color)]), Roughness=0.75)


def _timber(graph: Graph, color: Color) -> None:
    where = _staggered(graph, graph.place((1.0, 1.0, 1.0)), (1.3, 0.11))
    lamellae = _bricks(graph, where, (1.3, 0.11), 0.0004, (shade(color, 0.9), shade(color, 1.07), shade(color, 0.6)))
    color_of, fibres = _grained(graph, where, lamellae.outputs["Color"])
    graph.set(Base_Color=color_of, Roughness=_line(graph, fibres, -0.15, 0.48))
    graph.bump(fibres, 0.1, 0.001)


def _marble(graph: Graph, color: Color) -> None:
    where = graph.place((1.0, 1.0, 1.0))
    bend = graph.node("TexNoise", Vector=where, Scale=2.2, Detail=8.0, Roughness=0.6, Distortion=1.5)
    veins = graph.node("Math")
    veins.operation = "PINGPONG"
    graph.feed(veins.inputs[0], bend.outputs["Fac"])
    veins.inputs[1].default_value = 0.06
    dark = sum(color) / 3 < 0.4
    vein = shade(color, 3.2 if dark else 0.62)
    graph.set(Base_Color=graph.ramp(veins.outputs["Value"], [(0.0, vein), (0.011, color)]), Roughness=0.12)


def _laminate(graph: Graph, color: Color) -> None:
    graph.set(Base_Color=linear(color), Roughness=0.3)


def _linen(graph: Graph, color: Color) -> None:
    where = graph.place((1.0, 1.0, 1.0))
    slubs = graph.node("TexNoise", Vector=graph.place((14.0, 260.0, 1.0)), Scale=1.0, Detail=4.0)
    warp = graph.node("TexNoise", Vector=graph.place((420.0, 24.0, 1.0)), Scale=1.0, Detail=3.0)
    cloth = graph.ramp(slubs.outputs["Fac"], [(0.3, shade(color, 0.84)), (0.7, shade(color, 1.06))])
    threads = graph.ramp(warp.outputs["Fac"], [(0.3, (0.86, 0.86, 0.85)), (0.6, (1.0, 1.0, 1.0))])
    graph.set(Base_Color=_multiply(graph, cloth, threads))
    folds = graph.node("TexNoise", Vector=where, Scale=3.0, Detail=2.0, Distortion=0.4)
    graph.set(Roughness=0.95, Sheen_Weight=0.2)
    graph.bump(folds.outputs["Fac"], 0.5, 0.05)


def _slate(graph: Graph, color: Color) -> None:
    clouds = graph.node("TexNoise", Vector=graph.place((1.0, 1.0, 1.0)), Scale=9.0, Detail=10.0, Roughness=0.7)
    graph.set(Base_Color=graph.ramp(clouds.outputs["Fac"], [(0.3, shade(color, 0.8)), (0.7, shade(color, 1.1))]))
    graph.set(Roughness=0.6)
    graph.bump(clouds.outputs["Fac"], 0.3, 0.004)


_FLOORS: dict[Floor, Callable[[Graph, Color], None]] = {
    "wood": _planks,
    "tile": _tiles,
    "carpet": _carpet,
    "concrete": _concrete,
    "herringbone": _herringbone,
    "deck": _deck,
    "terrazzo": _terrazzo,
}
_WALLS: dict[Wall, Callable[[Graph, Color], None]] = {
    "paint": _paint,
    "brick": _brick,
    "plaster": _plaster,
    "slats": _slats,
    "tiles": _wall_tiles,
    "wallpaper": _wallpaper,
}
_TOPS: dict[Top, Callable[[Graph, Color], None]] = {
    "timber": _timber,
    "marble": _marble,
    "laminate": _laminate,
    "linen": _linen,
    "slate": _slate,
}


def _bricks(
    graph: Graph, where: Any, size_m: tuple[float, float], joint_m: float, colors: tuple[Color, Color, Color]
) -> Any:
    """Add a running bond of stones `size_m` (length, height); colours of the two kinds of stone and of the joint."""
    made = graph.node(
        "TexBrick", Vector=where, Scale=1.0, Mortar_Size=joint_m, Brick_Width=size_m[0], Row_Height=size_m[1]
    )
    for name, color in zip(("Color1", "Color2", "Mortar"), colors, strict=True):
        made.inputs[name].default_value = linear(color)
    made.inputs["Mortar Smooth"].default_value = 0.1
    made.offset = 0.37
    return made


def _multiply(graph: Graph, first: Any, second: Any) -> Any:
    made = graph.node("Mix")
    made.data_type, made.blend_type = "RGBA", "MULTIPLY"
    graph.feed(made.inputs["Factor"], 1.0)
    graph.feed(made.inputs[6], first)
    graph.feed(made.inputs[7], second)
    return made.outputs[2]


def _mix(graph: Graph, factor: Any, first: Any, second: Any) -> Any:
    """A socket between two colours (sockets, or sRGB)."""
    made = graph.node("Mix")
    made.data_type = "RGBA"
    graph.feed(made.inputs["Factor"], factor)
    for number, value in ((6, first), (7, second)):
        graph.feed(made.inputs[number], linear(value) if isinstance(value, tuple) else value)
    return made.outputs[2]
