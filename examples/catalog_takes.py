"""What the example catalog's photographs show: a literal table of takes, and how each becomes a `Shot`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from models.data.framing import View
from models.data.furniture import FurnitureModel
from models.data.shots import Backdrop, Cutout, Figure, Finish, Light, Picture, Placed, Room, Rug, Shot, Sweep

ON_WHITE = Cutout(shadow=True)
BARE = Cutout(shadow=False)
SAMPLES = 16
_STUDIO_LIGHT = Light(strength=1.5)
_CATCHER_LIGHT = Light(strength=1.25)


@dataclass(frozen=True)
class Take:
    """One photograph: a library model (None is a person), how it is placed, and what stands around it."""

    model: str | None
    backdrop: Backdrop
    view: View = View()
    height: int = 960
    width: int = 960
    finish: Finish | None = None
    placed: Mapping[str, Any] = field(default_factory=dict)
    light: Light | None = None
    props: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def models(self) -> tuple[str, ...]:
        """Return the names of all library models in the picture, the product first."""
        own = () if self.model is None else (self.model,)
        return own + tuple(name for name, _ in self.props)

    def shot(self, models: Mapping[str, FurnitureModel], seed: int) -> Shot:
        """Return the take with its models looked up by name."""
        product = Figure() if self.model is None else Placed(models[self.model], finish=self.finish, **self.placed)
        props = tuple(Placed(models[name], **how) for name, how in self.props)
        light = self.light or (_CATCHER_LIGHT if isinstance(self.backdrop, Cutout) else _STUDIO_LIGHT)
        return Shot(product, self.backdrop, self.view, light, props, self.height, self.width, SAMPLES, seed)


_DAYLIGHT = Light(key_deg=-55.0, strength=0.9, warmth=0.25)
_EVENING = Light(key_deg=50.0, strength=0.9, warmth=0.55)


def _room_view(
    fill: float, right: float = 0.0, up: float = -0.13, azimuth_deg: float = 0.0, focal_mm: float = 34.0
) -> View:
    return View(azimuth_deg, 6.0, focal_mm, fill, (right, up), f_stop=5.6)


PLAIN: dict[str, Take] = {
    "oak_chair": Take("oakChair", ON_WHITE, View(28, 12, fill=0.78), 1080, 810, "wood"),
    "cactus": Take("cactus", Sweep((0.95, 0.75, 0.68)), View(0, 10, fill=0.76), finish="plant"),
    "teddy_bear": Take("teddyBear", Sweep((0.72, 0.84, 0.92)), View(18, 10, fill=0.8), finish="fabric"),
    "beige_sofa": Take("sofa2", Sweep((0.93, 0.93, 0.92)), View(24, 10, fill=0.8), 800, 1200, "fabric"),
    "coffee_maker": Take("coffeeBrewer", ON_WHITE, View(32, 14, fill=0.76), finish="plastic"),
    "basketball": Take("basketball", ON_WHITE, View(0, 12, fill=0.72), 900, 900),
    "ankle_boots": Take("bootie", Sweep((0.93, 0.87, 0.77)), View(-30, 16, fill=0.74), finish="leather"),
    "orchid": Take("orchids", Sweep((0.62, 0.71, 0.64)), View(15, 8, fill=0.82), 1120, 840, "plant"),
    "bentwood_chair": Take("thonet", BARE, View(-28, 12, fill=0.82)),
    "banquet_chair": Take("chair2", ON_WHITE, View(26, 10, fill=0.8), 1080, 810, "fabric"),
    "deck_chair": Take("deckChair", ON_WHITE, View(-35, 12, fill=0.78)),
    "electric_guitar": Take("electricGuitar", ON_WHITE, View(14, 6, fill=0.84), 1160, 870),
    "rocking_horse": Take("caballito", ON_WHITE, View(20, 10, fill=0.76), 840, 1120, "wood"),
    "cuckoo_clock": Take("cuckooClock", BARE, View(12, 4, fill=0.82), 1120, 840),
    "oak_table": Take("oakTable", Sweep((0.9, 0.88, 0.85)), View(10, 13, fill=0.8), 840, 1120, "wood"),
    "bar_stool": Take("silla2", Sweep((0.55, 0.66, 0.72)), View(28, 10, fill=0.82), 1120, 840),
    "green_armchair": Take("armchair", ON_WHITE, View(25, 10, fill=0.8), 900, 900, "plastic"),
    "fire_extinguisher": Take("fireExtinguisher", Sweep((0.97, 0.97, 0.96)), View(10, 8, fill=0.82), 960, 720),
    "briefcase": Take("briefcase", Sweep((0.9, 0.9, 0.9)), View(25, 12, fill=0.76), 900, 900, "leather"),
    "cupcake": Take("cupcake", Sweep((0.98, 0.86, 0.88)), View(0, 14, fill=0.76), 900, 900),
    "wood_toy": Take("woodToy", Sweep((0.98, 0.9, 0.66)), View(22, 10, fill=0.8), finish="wood"),
}
AWKWARD: dict[str, Take] = {
    "white_sofa": Take(
        "L_shaped_sofa", ON_WHITE, View(24, 12, fill=0.82), 800, 1200, "fabric", {"tint": (0.96, 0.96, 0.95)}
    ),
    "beer_mug": Take(
        "beerGlass", Sweep((1.0, 1.0, 1.0)), View(20, 10, fill=0.76), finish="glass", light=Light(strength=2.4)
    ),
    "stool_cut": Take("stool2", ON_WHITE, View(25, 14, fill=1.25, offset=(0.12, 0.24)), finish="wood"),
    "planter": Take("plantie", Sweep((0.8, 0.74, 0.66)), View(22, 14, fill=0.78), 840, 1120, "plant"),
    "desk_lamp": Take("desklamp", Sweep((0.84, 0.86, 0.84)), View(0, 8, fill=0.8), 1080, 864, "plastic"),
    "plastic_chair": Take("plasticChair", BARE, View(28, 12, fill=0.84), 1000, 800, "plastic"),
    "umbrella": Take("umbrellaFolded", ON_WHITE, View(0, 4, fill=0.84), 480, 480),
    "barrel": Take("barrel", Sweep((0.95, 0.94, 0.92)), View(0, 10, fill=0.76), 840, 1120, "wood"),
    "crate": Take("crate", Sweep((0.86, 0.88, 0.9)), View(30, 16, fill=0.74), 900, 900, "wood"),
    "sweater": Take(None, Sweep((0.82, 0.83, 0.84)), View(16, 3, fill=0.88), 1120, 780, light=Light(strength=2.4)),
}
_BRICK = Room("wood", "brick", (0.6, 0.44, 0.3), (0.6, 0.35, 0.27), wall_m=0.95)
_GREEN = Room("carpet", "paint", (0.72, 0.68, 0.62), (0.4, 0.51, 0.49), wall_m=1.0)
_LOFT = Room("concrete", "slats", (0.62, 0.61, 0.6), (0.55, 0.4, 0.28), wall_m=1.1)
_DINING = Room("tile", "plaster", (0.84, 0.83, 0.8), (0.86, 0.77, 0.66), wall_m=1.5)
_BLUE_RUG = Rug((3.1, 1.9), ((0.86, 0.83, 0.77), (0.42, 0.48, 0.52)), (0.0, -0.55))
_SAND_RUG = Rug((2.6, 2.6), ((0.8, 0.76, 0.68), (0.72, 0.66, 0.57)), (0.2, -0.7), round=True)

SCENES: dict[str, Take] = {
    "scene_sofa": Take(
        "sofa2",
        replace(_BRICK, rug=_BLUE_RUG),
        _room_view(0.56, -0.06),
        *(800, 1200, "fabric", {"tint": (0.35, 0.45, 0.42), "at": (0.0, 0.2)}, _DAYLIGHT),
        props=(("decorativePlant", {"at": (1.5, 0.35)}),),
    ),
    "scene_osaka_chair": Take(
        "osakaChair",
        replace(_GREEN, picture=Picture((0.85, 1.45))),
        _room_view(0.5, 0.06, -0.14, focal_mm=38),
        *(960, 960, "wood", {"turn_deg": -25}, _EVENING),
        props=(("plant", {"at": (-0.85, 0.5)}),),
    ),
    "scene_couch": Take(
        "couch2",
        replace(_LOFT, rug=_SAND_RUG),
        _room_view(0.56, 0.03),
        *(800, 1200, "fabric", {"tint": (0.3, 0.31, 0.33)}, _DAYLIGHT),
        props=(("plant", {"at": (1.75, 0.4)}),),
    ),
    "scene_dining": Take(
        "oakTable",
        replace(_DINING, picture=Picture((0.75, 1.75), (0.8, 0.6))),
        _room_view(0.5, -0.08, -0.14, focal_mm=32),
        *(840, 1120, "wood", {}, _DAYLIGHT),
        props=(("oakChair", {"at": (1.25, 0.35), "turn_deg": -60, "finish": "wood"}),),
    ),
}
TAKES: dict[str, Take] = PLAIN | AWKWARD | SCENES
