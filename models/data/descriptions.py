"""What is known about a rendered scene, as JSON: its words, whose work it shows, its camera and its light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.data.color_names import colors_of
from models.data.furniture import CC0, FurnitureModel
from models.data.kinds import Kind
from models.data.passes import Pictures
from models.data.scene import Scene, Sky
from models.data.shots import Placed

SOURCE = "rendered scenes"
LIGHT_WORDS: dict[Sky, str] = {
    "window": "soft window light",
    "sun": "bright sunlight",
    "overcast": "soft even daylight",
    "evening": "warm evening light",
    "lamp": "warm lamp light",
}
_PATTERN_WORDS = {"panes": "falling through a window", "leaves": "dappled by leaves"}


def describe(scene: Scene, pictures: Pictures, kinds: Mapping[str, Kind]) -> dict[str, object]:
    """Everything that captions, curation and the data card need; plain JSON values."""
    shown = [placed.model for placed in (*scene.products, *scene.props)]
    return {
        "key": scene.key,
        "seed": scene.seed,
        "number": scene.number,
        "split": scene.split,
        "size": [scene.height, scene.width],
        "source": SOURCE,
        "licence": licence_of(shown),
        "authors": authors_of(shown),
        "products": [placed.model.key for placed in scene.products],
        "props": [placed.model.key for placed in scene.props],
        "words": _words(scene, pictures, kinds),
        "camera": _camera(scene, pictures),
    }


def licence_of(models: Sequence[FurnitureModel]) -> str:
    """The most demanding licence among `models`."""
    demanding = [model.licence for model in models if model.licence != CC0]
    return demanding[0] if demanding else CC0


def authors_of(models: Sequence[FurnitureModel]) -> list[str]:
    """Who made `models`, each once, sorted."""
    return sorted({model.creator for model in models})


def _words(scene: Scene, pictures: Pictures, kinds: Mapping[str, Kind]) -> dict[str, object]:
    light = scene.light
    return {
        "category": kinds[scene.products[0].model.key].phrase,
        "products": [
            {
                "phrase": kinds[placed.model.key].phrase,
                "noun": kinds[placed.model.key].noun,
                "colors": list(colors_of(alone[..., :3], alone[..., 3])),
            }
            for placed, alone in zip(scene.products, pictures.products, strict=True)
        ],
        "props": [kinds[placed.model.key].phrase for placed in scene.props],
        "stand": scene.stand,
        "room": scene.names.room,
        "floor": scene.names.floor,
        "wall": scene.names.wall,
        "board": scene.names.board,
        "rug": scene.room.rug is not None,
        "picture": scene.room.picture is not None,
        "light": LIGHT_WORDS[light.sky],
        "pattern": _PATTERN_WORDS[light.pattern] if light.pattern else None,
        "side": "left" if light.azimuth_deg < 0 else "right",
        "blurred": scene.view.f_stop is not None and scene.view.f_stop <= 4.0,
        "from_above": scene.view.pitch_deg > 32,
        "share": round(float((pictures.coverage > 127).mean()), 4),
        "coat": [_hex(placed) for placed in scene.products],
    }


def _hex(placed: Placed) -> str | None:
    color = placed.coat or placed.tint
    return None if color is None else "#" + "".join(f"{round(channel * 255):02x}" for channel in color)


def _camera(scene: Scene, pictures: Pictures) -> dict[str, object]:
    pose = pictures.pose
    return {
        "location_m": np.round(pose.location, 5).tolist(),
        "rotation": np.round(pose.rotation, 6).tolist(),
        "shift": [round(part, 6) for part in pose.shift],
        "focal_mm": round(scene.view.focal_mm, 3),
        "f_stop": scene.view.f_stop,
        "light_deg": [round(scene.light.azimuth_deg, 2), round(scene.light.height_deg, 2)],
        "exposure_ev": round(pictures.exposure_ev, 4),
    }
