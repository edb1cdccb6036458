"""Materials: what the library's flat ones are turned into, and the procedural ones of floors, walls and rugs."""

from __future__ import annotations

from typing import Any

from models.data.blender import linear, load
from models.data.shots import Color, Finish, Placed

_ROUGHNESS: dict[Finish, float] = {
    "fabric": 0.85,
    "leather": 0.42,
    "plastic": 0.35,
    "metal": 0.28,
    "ceramic": 0.12,
    "wood": 0.45,
    "glass": 0.0,
    "plant": 0.5,
}
_CLEAR_ALPHA = 0.9


class Graph:
    """A material under construction; `shader` is its Principled node."""

    def __init__(self, material: Any) -> None:
        material.use_nodes = True
        self.material = material
        self.tree = material.node_tree
        self.shader = next(node for node in self.tree.nodes if node.type == "BSDF_PRINCIPLED")

    @classmethod
    def new(cls, name: str) -> Graph:
        """Return the graph of a new material."""
        return cls(load().data.materials.new(name))

    def node(self, kind: str, **inputs: Any) -> Any:
        """Add a `ShaderNode<kind>`; `inputs` are named sockets (underscores for spaces), values or other sockets."""
        made = self.tree.nodes.new(f"ShaderNode{kind}")
        for name, value in inputs.items():
            self.feed(made.inputs[name.replace("_", " ")], value)
        return made

    def feed(self, socket: Any, value: Any) -> None:
        """Link `value` to `socket` if it is a socket, else set it."""
        if hasattr(value, "is_output"):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def set(self, **inputs: Any) -> None:
        """Feed the Principled shader's sockets."""
        for name, value in inputs.items():
            self.feed(self.shader.inputs[name.replace("_", " ")], value)

    def ramp(self, factor: Any, stops: list[tuple[float, Color]]) -> Any:
        """Return the colour socket of a ramp through `stops`, (position, sRGB)."""
        made = self.node("ValToRGB", Fac=factor)
        elements = made.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(1.0)
        for element, (position, color) in zip(elements, stops, strict=True):
            element.position, element.color = position, linear(color)
        return made.outputs["Color"]

    def place(self, scale: tuple[float, float, float], space: str = "Object") -> Any:
        """Return a vector socket: coordinates of `space` times `scale`."""
        source = self.node("TexCoord").outputs[space]
        return self.node("Mapping", Vector=source, Scale=scale).outputs["Vector"]

    def bump(self, height: Any, strength: float, distance_m: float) -> None:
        """Raise the surface by `height` (a socket in [0, 1]) times `distance_m`."""
        made = self.node("Bump", Height=height, Strength=strength, Distance=distance_m)
        self.set(Normal=made.outputs["Normal"])


def shade(color: Color, factor: float) -> Color:
    """Return `color` made lighter (factor above 1) or darker, clipped to [0, 1].

    >>> shade((0.5, 1.0, 0.0), 1.5)
    (0.75, 1.0, 0.0)
    """
    red, green, blue = (min(max(channel * factor, 0.0), 1.0) for channel in color)
    return red, green, blue


def restore(material: Any, placed: Placed, grain_m: float) -> None:
    """Make an imported OBJ material fit for a photograph.

    The library's colours are sRGB and are read as linear; PNG cut-outs carry their alpha in the picture; glass is only
    see-through. `grain_m` is the size of the finish's structure in metres.
    """
    graph = Graph(material)
    base, alpha = graph.shader.inputs["Base Color"], graph.shader.inputs["Alpha"]
    clear = not alpha.is_linked and alpha.default_value < _CLEAR_ALPHA
    if base.is_linked:
        _use_picture_alpha(graph, base.links[0].from_node)
    else:
        base.default_value = linear(placed.tint or tuple(base.default_value)[:3])
    if placed.coat is not None:
        _paint_over(graph, placed.coat)
    if clear or placed.finish == "glass":
        make_glass(graph)
    else:
        _give_finish(graph, placed.finish, grain_m)


def _paint_over(graph: Graph, coat: Color) -> None:
    base = graph.shader.inputs["Base Color"]
    for link in list(base.links):
        graph.tree.links.remove(link)
    base.default_value = linear(coat)


def _use_picture_alpha(graph: Graph, texture: Any) -> None:
    picture = getattr(texture, "image", None)
    alpha = graph.shader.inputs["Alpha"]
    if picture is not None and picture.depth == 32 and not alpha.is_linked:
        graph.feed(alpha, texture.outputs["Alpha"])


def make_glass(graph: Graph) -> None:
    """Turn the material into clear glass that keeps a hint of its colour."""
    graph.set(Alpha=1.0, Transmission_Weight=1.0, Roughness=0.0, IOR=1.45, Metallic=0.0)
    base = graph.shader.inputs["Base Color"]
    if not base.is_linked:
        red, green, blue, _ = base.default_value
        base.default_value = (0.7 + 0.3 * red, 0.7 + 0.3 * green, 0.7 + 0.3 * blue, 1.0)


def _give_finish(graph: Graph, finish: Finish | None, grain_m: float) -> None:
    if finish is None:
        rough = graph.shader.inputs["Roughness"]
        if not rough.is_linked:
            rough.default_value = min(max(rough.default_value, 0.3), 0.8)
        return
    graph.set(Roughness=_ROUGHNESS[finish], Metallic=1.0 if finish == "metal" else 0.0)
    if finish == "fabric":
        _weave(graph, grain_m)
    elif finish == "leather":
        _pores(graph, grain_m)
    elif finish in ("ceramic", "plastic"):
        graph.set(Coat_Weight=0.4 if finish == "ceramic" else 0.1)
    elif finish == "plant":
        graph.set(Subsurface_Weight=0.15, Subsurface_Scale=grain_m)


def _weave(graph: Graph, grain_m: float) -> None:
    """Crossed threads that lift the surface, a soft sheen and a slight mottle."""
    where = graph.place((1.0 / grain_m,) * 3)
    across = graph.node("TexWave", Vector=where, Scale=1.0, Distortion=1.0)
    along = graph.node("TexWave", Vector=where, Scale=1.0, Distortion=1.0)
    across.bands_direction, along.bands_direction = "X", "Z"
    both = graph.node("Math")
    graph.feed(both.inputs[0], across.outputs["Fac"])
    graph.feed(both.inputs[1], along.outputs["Fac"])
    graph.bump(both.outputs["Value"], 0.35, grain_m * 0.4)
    graph.set(Sheen_Weight=0.25, Sheen_Roughness=0.6)


def _pores(graph: Graph, grain_m: float) -> None:
    """The cells of grained leather."""
    cells = graph.node("TexVoronoi", Vector=graph.place((1.0 / grain_m,) * 3), Scale=1.0)
    graph.bump(cells.outputs["Distance"], 0.25, grain_m * 0.5)
