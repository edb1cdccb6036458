"""Sets without a product, for the `studio` painter to place products in: pictures with a known camera, floor and light.

    python -m models.data.empty_sets --furniture DIR --surrounds DIR --out transforms/data/empty_sets

Writes OUT/<name>.webp and OUT/empty_sets.json: by name the horizon, floor plane, camera matrix, light and licence. All
props are public domain, so a creative made of a set names nobody. A set that is there is not rendered again. Needs
`bpy==5.0.1`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.command import told
from models.data import blender, daylight
from models.data.examples import Bytes
from models.data.framing import SENSOR_MM, CameraPose, View, axes
from models.data.furniture import CC0, by_name, read_libraries
from models.data.interiors import color_of
from models.data.key_lights import key_light
from models.data.passes import _Camera, _hurry
from models.data.scene import Board, Daylight, Names, Scene
from models.data.set_table import SETS, EmptySet
from models.data.shots import Picture, Placed, Room
from models.data.stages import put_up
from transforms.ops.empty_sets import FACTS
from transforms.records import Size

_FOCAL_MM = 70.0
_HORIZON = 0.37  # of the height, from the top
_QUALITY = 92
_TABLE_M = 0.74
_TEST_SIDE = 96
_EXPOSURES = 8  # halvings: a hundredth of a stop


@dataclass(frozen=True)
class _Geometry:
    """Metres: the camera's height above what products stand on, its distance to the wall and to that surface's end."""

    eye_m: float
    wall_m: float
    end_m: float


_GEOMETRIES = {"floor": _Geometry(0.7, 4.0, 4.0), "table": _Geometry(0.19, 2.7, 1.25)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m models.data.empty_sets", description=__doc__)
    parser.add_argument("--furniture", type=Path, required=True, help="folder of unpacked furniture libraries")
    parser.add_argument("--surrounds", type=Path, help="folder of environment pictures, <name>.exr")
    parser.add_argument("--out", type=Path, required=True, help="folder of the sets")
    parser.add_argument("--share", type=float, default=1.0, help="of a creative's sides (default %(default)s)")
    parser.add_argument("--samples", type=int, default=16, help="rays a pixel (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of the renderer (default %(default)s)")
    parser.add_argument("--only", default="", help="names, separated by commas; all without")
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(SETS):
        wanted = not args.only or each.name in args.only.split(",")
        if wanted and each.name not in _facts(args.out):
            _make(each, number, args)
            sys.stdout.write(f"rendered {each.name}\n")
    return 0


def _make(each: EmptySet, number: int, args: argparse.Namespace) -> None:
    size = Size(round(each.size.height * args.share), round(each.size.width * args.share))
    scene = scene_of(each, number, size, args.samples, args.furniture)
    made = blender.empty_scene(*size, args.samples, number, args.threads)
    _hurry(made)
    # a set is seen at a creative's size: the quick filter takes fine grain for noise
    made.cycles.denoising_prefilter, made.cycles.denoising_quality = "ACCURATE", "HIGH"
    put_up(made, scene)
    geometry = _GEOMETRIES[each.stand]
    ground = _ground_m(each)
    centre = np.array([0.0, 0.0, ground + 0.3])
    daylight.light(made, scene.light, centre, 1.0, args.surrounds, number)
    with tempfile.TemporaryDirectory() as folder:
        shoot = _Camera(made, Path(folder) / "shot.png")
        blender.add_camera(made, _pose(geometry, ground, size), _view(each))
        _, pixels = shoot.metered(scene.light.exposure, _EXPOSURES)
        share = _key_share(shoot, size)
    encoded = cv2.imencode(".webp", pixels[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])[1]
    (args.out / f"{each.name}.webp").write_bytes(encoded.tobytes())
    facts = _facts(args.out) | {each.name: facts_of(each, size, share)}
    (args.out / FACTS).write_text(json.dumps(facts, indent=1) + "\n")


def _facts(folder: Path) -> dict[str, object]:
    path = folder / FACTS
    return dict(json.loads(path.read_text())) if path.exists() else {}


def facts_of(each: EmptySet, size: Size, key_share: float) -> dict[str, object]:
    """What the painter needs to know of a set, rows and pixels as shares of the picture's height."""
    geometry = _GEOMETRIES[each.stand]
    focal = _FOCAL_MM / SENSOR_MM * max(size) / size.height
    sky, azimuth, height, _, _, _, _ = each.light
    key = key_light(sky, azimuth, height)
    return {
        "words": list(each.words),
        "stand": each.stand,
        "ratio": round(size.width / size.height, 5),
        "horizon": _HORIZON,
        "focal": round(focal, 5),
        "eye_m": geometry.eye_m,
        "end": round(_HORIZON + focal * geometry.eye_m / geometry.end_m, 5),
        "camera": [[round(focal, 5), 0, 0.5 * size.width / size.height], [0, round(focal, 5), _HORIZON], [0, 0, 1]],
        "light_across": round(key.across, 4),
        "light_back": round(key.back, 4),
        "light_softness": key.softness,
        "key_share": round(key_share, 4),
        "licence": CC0,
    }


def scene_of(each: EmptySet, number: int, size: Size, samples: int, furniture: Path) -> Scene:
    """The set as a scene without products."""
    models = by_name(read_libraries(furniture)) if each.props else {}
    geometry = _GEOMETRIES[each.stand]
    wall_m = geometry.wall_m - _distance(geometry)
    sky, azimuth, height, strength, warmth, surround, pattern = each.light
    props = tuple(Placed(models[name], at=(x, wall_m - behind), turn_deg=turn) for name, x, behind, turn in each.props)
    if any(prop.model.licence != CC0 for prop in props):
        raise ValueError(f"{each.name}: a shipped set shows public-domain models alone")
    picture = Picture(each.picture, (0.6, 0.8)) if each.picture else None
    room = Room(
        *(each.floor[0], each.wall[0], color_of(each.floor[1]), color_of(each.wall[1])),
        wall_m=wall_m,
        picture=picture,
        height_m=4.6,
    )
    light = Daylight(sky, azimuth, height, strength, warmth, surround, 200.0, pattern, each.exposure)
    names = Names("", "", None, each.room)
    view = _view(each)
    return Scene(
        *(number, 0, "train", each.stand, (), props, room, _board(each, geometry), light, view, view, (), names),
        height=size.height,
        width=size.width,
        samples=samples,
    )


def _board(each: EmptySet, geometry: _Geometry) -> Board | None:
    """A table that reaches from under the camera to where the set's surface ends."""
    if each.top is None:
        return None
    depth = geometry.end_m + 0.2
    at = (0.0, geometry.end_m - _distance(geometry) - depth / 2)
    return Board(each.top[0], color_of(each.top[1]), (3.0, depth, 0.04), _TABLE_M, at)


def surface_of(each: EmptySet) -> tuple[float, float]:
    """Metres: a set's surface above the floor, and how far it goes on behind where a product is likely to stand."""
    geometry = _GEOMETRIES[each.stand]
    return _ground_m(each), geometry.end_m - _distance(geometry)


def _ground_m(each: EmptySet) -> float:
    return _TABLE_M if each.stand == "table" else 0.0


def _distance(geometry: _Geometry) -> float:
    """From the camera to where a product is likely to stand, which is the origin: two thirds of the way."""
    return geometry.end_m * 0.72


def _pose(geometry: _Geometry, ground_m: float, size: Size) -> CameraPose:
    """Level, so that upright lines stay upright; the horizon is shifted to its row."""
    distance = _distance(geometry)
    location = np.array([0.0, -distance, ground_m + geometry.eye_m])
    shift = (_HORIZON - 0.5) * size.height / max(size)
    return CameraPose(location, axes(0.0, 0.0), (0.0, shift), distance)


def _view(each: EmptySet) -> View:
    # stopped down: what lies before the product is enlarged with it, and a blur there looks smeared
    return View(0.0, 0.0, _FOCAL_MM, f_stop=11.0 if each.stand == "table" else 5.6)


def _key_share(shoot: _Camera, size: Size) -> float:
    """The main light's share of the light on the ground: from two small pictures, with it and without."""
    made = shoot.made
    scale = _TEST_SIDE / max(size)
    made.render.resolution_x, made.render.resolution_y = round(size.width * scale), round(size.height * scale)
    made.view_settings.view_transform, made.view_settings.look = "Standard", "None"
    made.view_settings.exposure = -3.0
    both = _ground(shoot.opaque())
    (made.objects.get("sun") or made.objects["area"]).hide_render = True  # the fill stays: it is named area.001
    return float(np.clip(1 - _ground(shoot.opaque()) / max(both, 1e-6), 0.1, 0.9))


def _ground(pixels: Bytes) -> float:
    """Linear light of the picture's lower quarter."""
    low = pixels[-(len(pixels) // 4) :].astype(np.float64) / 255
    return float(np.where(low <= 0.04045, low / 12.92, ((low + 0.055) / 1.055) ** 2.4).mean())


if __name__ == "__main__":
    sys.exit(told(main))
