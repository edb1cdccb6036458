"""What a furniture model is called in a caption and where it is put: on the floor, on a table, on the wall, or nowhere.

The library's own categories do not say; its names and sizes do. Rules are literal, narrow ones before broad ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from models.data.furniture import FurnitureModel

Mount = Literal["floor", "table", "wall"]

_HEAVIEST_BYTES = 4_000_000
_TABLE_M, _TABLE_HEIGHT_M = 0.62, 0.8
_FLOOR_M = 2.6
_NEVER = re.compile(
    r"\b(plugs?|switch|socket|RJ45|antenna|dimmer|parking|arrow|rails?|railing|crossing|swimming|pool|bill|chimney|"
    r"container|sidewalk|column|tree|maple|pine|acacia|poplar|cypress|beech|coconut|palm|hedge|bush|hut|barnum|tatami|"
    r"goal|elevator|street|shower|island|cooktop|induction|sink|shutter|hood|smoke|contemporary|pendant|chandelier|"
    r"hanging|ceiling|rowboat|fountain|jacuzzi|furnace|bell|spotlight|strip|track|fluorescent|diving|barrel|porch|blind|"
    r"stall|escalator|park light|lamppost|bath|bathtub|hammock|curtain|coathanger|iron|tent|sandpit|hydrant|seesaw|"
    r"swing|snowman|fence|pallet|speech|urinal|motorbike|mower|trampoline|emergency|CCTV|faucet|basketball net|rock|"
    r"sleeping|air conditioning - external|surveillance|keyboard)\b",
    re.IGNORECASE,
)
_ROOMS = {
    "Kitchen": "kitchen",
    "Bathroom": "bathroom",
    "Bedroom": "bedroom",
    "Office": "office",
    "Exterior": "terrace",
}
_ELSEWHERE = ("Vehicles", "Characters", "Staircases", "Doors and windows")
_ON_WALL = re.compile(
    r"\b(cuckoo|dart|upper|wall light|wall lamp|wall flat|intercom|thermometer|radiator|internal unit|water heater|"
    r"towel rack|paper dispenser|wall hanger)\b",
    re.IGNORECASE,
)
_ON_FLOOR = re.compile(
    r"\b(chair|seat|stool|toilet|toilets|bidet|washbasin|lavatory|bedside|cabinet|dustbin|trash can|trashcan|safe|oven|"
    r"extinguisher|bench|clothes basket|shopping basket|bathmat|doormat|stove|crate|basketball|soccer|cone|suitcase|"
    r"carpet|rug|punching|locker|umbrella|shovel)\b",
    re.IGNORECASE,
)
_LOW_ON_WALL = re.compile(r"\bradiator\b", re.IGNORECASE)
_FLAT_TOP = re.compile(r"\b(table|desk|dresser|cabinet|chest|drawers|nightstand|TV stand|trunk)\b", re.IGNORECASE)
_BACK_TO_WALL = re.compile(
    r"\b(sofa|couch|bed|wardrobe|cabinet|bookcase|shelves|dresser|cupboard|fireplace|piano|desk|TV|fridge|freezer|oven|"
    r"stove|washing|dryer|vanity|washbasin|box|lavatory|toilets)\b",
    re.IGNORECASE,
)
_RENAMED = {
    "wood bank": "wooden bench",
    "little bank": "bench",
    "hashtray": "ashtray",
    "mocassin": "moccasins",
    "trunck": "trunk",
    "puff": "pouf",
    "penbox": "pen box",
    "teck chair": "teak chair",
    "relax chair": "lounge chair",
    "tool": "kitchen utensil",
    "flipper": "pinball machine",
    "bootie": "ankle boots",
    "clear sofa": "light sofa",
    "screen": "folding screen",
    "osaka chair": "wooden chair",
    "punching ball": "punching bag",
    "toilets unit": "toilet",
    "flacon": "perfume bottle",
    "socket": "socks",
    "short": "shorts",
    "mp": "music player",
    "tv remote control": "remote control",
}


@dataclass(frozen=True)
class Kind:
    """How a model is used.

    Attributes:
        phrase: what it is, in lower case: `coffee table`.
        noun: the last word of it: `table`.
        mount: where it is put.
        low: on the wall near the floor, as radiators are.
        top: carries small things.
        backed: stands with its back to a wall.
        room: where one finds it.
    """

    phrase: str
    noun: str
    mount: Mount
    low: bool = False
    top: bool = False
    backed: bool = False
    room: str = "living room"


def kind_of(model: FurnitureModel) -> Kind | None:
    """How `model` is used, None where it has no place in a room or is too heavy to render often."""
    if model.category in _ELSEWHERE or _NEVER.search(model.name) or model.path.stat().st_size > _HEAVIEST_BYTES:
        return None
    mount = _mount(model)
    if mount is None:
        return None
    phrase = phrase_of(model.name)
    return Kind(
        phrase=phrase,
        noun=phrase.split()[-1],
        mount=mount,
        low=bool(_LOW_ON_WALL.search(model.name)),
        top=bool(_FLAT_TOP.search(model.name)) and 0.3 < model.size_m[2] < 0.95,
        backed=bool(_BACK_TO_WALL.search(model.name)),
        room=_ROOMS.get(model.category, "living room"),
    )


def phrase_of(name: str) -> str:
    """The library's `name` as a noun phrase.

    >>> phrase_of("Sofa 2 seats"), phrase_of("Bowl with fruits"), phrase_of("Hashtray")
    ('sofa', 'bowl', 'ashtray')
    """
    text = re.split(r" with | - |,|\d|\(| and ", name)[0].strip().lower()
    text = re.sub(r"\bw/.*", "", text).strip() or name.lower()
    return _RENAMED.get(text, text)


def usable(models: Sequence[FurnitureModel]) -> dict[str, Kind]:
    """The kinds of those of `models` that are used, by key."""
    kinds = {model.key: kind_of(model) for model in models}
    return {key: kind for key, kind in kinds.items() if kind is not None}


def _mount(model: FurnitureModel) -> Mount | None:
    width, depth, height = model.size_m
    if _ON_WALL.search(model.name):
        return "wall" if depth < 0.45 else None
    if _ON_FLOOR.search(model.name):
        return "floor" if max(width, depth) <= _FLOOR_M else None
    if max(width, depth) <= _TABLE_M and height <= _TABLE_HEIGHT_M and model.category != "Exterior":
        return None if max(model.size_m) < 0.05 or height > 2.2 * _TABLE_M else "table"
    if max(width, depth) <= _FLOOR_M and height <= 2.4:
        return "floor"
    return None
