"""Rendered sets without a product: which one a prompt asks for, where a product stands in it, and its light there.

A set's camera is level, so upright lines stay upright and a floor point's scale grows linearly below the horizon:
a length of one metre on the floor at row v spans (v - horizon) / eye height. From the product's height in metres (a
guess, by its shape and by what it stands on) follows where the horizon must lie in the placement, and with it how far
the set is enlarged and how deep in it the product stands. Lengths are shares of the picture's height throughout.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.ops.footing import find_footing, parts_of
from transforms.ops.oklab import Floats, to_linear, to_srgb
from transforms.ops.shadows import KeyLight, floor_shadow

Pixels = NDArray[np.uint8]

# Every data file is named here in full, so that a served model's identity counts it.
FACTS = "empty_sets.json"
PICTURES = (
    "oak_living_room.webp",
    "herringbone_sage.webp",
    "concrete_loft.webp",
    "carpet_bedroom.webp",
    "terrace.webp",
    "walnut_dark.webp",
    "pale_living_room.webp",
    "tiled_bathroom.webp",
    "oak_table.webp",
    "marble_table.webp",
    "linen_table.webp",
    "walnut_desk.webp",
)
_FOLDER = "data/empty_sets"
_SIDE_M = {"floor": 0.8, "table": 0.2}  # of a product as tall as wide
_GUESSES = (1.0, 0.85, 1.2, 0.7, 1.45, 0.55, 1.8, 0.45, 0.35)  # times the height, until the set has room for it
_MOST_ENLARGED = 2.4
_MOST_WHOLE = 1 << 25  # pixels, 100 MB: of usual placements no set is larger; of 8192 x 8192 it would be 1.2 GB
_REACH = 3  # pixels beside a part that its kernel looks at
_CLEAR = 0.012  # between the product's footprint and the end of the floor
_DEPTH = 1.35  # as in `transforms.ops.sets`
_FADE = 0.012
_BOUNCE = 0.12  # of the sky's light reaches even the darkest corner


@dataclass(frozen=True)
class EmptySet:
    """What is known about a set.

    Attributes:
        name: of its picture.
        words: phrases that ask for it.
        stand: `floor` or `table`.
        ratio: width over height.
        horizon, end: rows of the horizon and of the floor's (the table's) far end.
        eye_m: the camera's height above the floor or the table, metres.
        key: the main light, as shadows need it.
        key_share: its share of the light on the floor.
    """

    name: str
    words: tuple[str, ...]
    stand: str
    ratio: float
    horizon: float
    end: float
    eye_m: float
    key: KeyLight
    key_share: float


class Place(NamedTuple):
    """A set in a placement: row = `scale` x the set's row + `down`, column = `scale` x its column + `across`.

    `height_m` is how tall the product is taken to be.
    """

    empty: EmptySet
    height_m: float
    scale: float
    down: float
    across: float
    mirrored: bool


def find_place(matte: Floats, prompt: str, seed: int, lit_side: float) -> Place | None:
    """Where a product stands in a set that `prompt` asks for; None where it asks for none, or none has room.

    Args:
        matte: float32 [h, w] in [0, 1].
        prompt: sets are chosen by their phrases in it, such as "wooden floor" or "living room".
        seed: chooses among sets that fit equally well.
        lit_side: -1 or 1 where the product is clearly lit from the left or right, else 0.
    """
    asked = asked_for(prompt)
    if not asked:
        return None
    rng = np.random.Generator(np.random.Philox(key=[seed % 2**64, 5]))
    for number in rng.permutation(len(asked)):
        place = _place(matte, asked[number], lit_side, float(rng.uniform(-1, 1)))
        if place is not None:
            return place
    return None


def asked_for(prompt: str) -> tuple[EmptySet, ...]:
    """The sets whose phrases `prompt` names most often, none where it names none.

    >>> asked_for("seamless studio backdrop, soft even light")
    ()
    """
    text = " ".join(re.findall(r"[a-z]+", prompt.lower()))  # a living-room is a living room
    counts = {each: sum(bool(re.search(rf"\b{word}\b", text)) for word in each.words) for each in stock()}
    most = max(counts.values(), default=0)
    return tuple(each for each, count in counts.items() if count == most) if most else ()


def _place(matte: Floats, empty: EmptySet, lit_side: float, nudge: float) -> Place | None:
    parts = parts_of(matte)
    footings = [footing for footing in map(find_footing, parts) if footing is not None]
    solid = matte > 0.5
    if not footings:
        return None
    height, width = matte.shape
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    base = (max(footing.floor_row for footing in footings) + 0.5) / height
    back = (min(footing.back_row for footing in footings) + 0.5) / height
    tall = (rows[-1] - rows[0] + 1) / height
    shape = float(np.clip(np.sqrt(_slenderness(parts)), 0.25, 2.0))
    found = _fitted(empty, base, back, tall, _SIDE_M[empty.stand] * shape, width / height)
    if found is None:
        return None
    scale, horizon, height_m = found
    mirrored = lit_side * -empty.key.across < 0
    slack = scale * empty.ratio - width / height
    centre = (columns[0] + columns[-1] + 1) / 2 / height
    across = float(np.clip(centre - scale * empty.ratio / 2 + 0.25 * slack * nudge, -slack, 0.0))
    return Place(empty, height_m, scale, horizon - scale * empty.horizon, across, mirrored)


def _slenderness(parts: list[Floats]) -> float:
    """Height over width of a product; where several stand side by side, of the tallest."""
    sizes = []
    for part in parts:
        rows, columns = (np.flatnonzero((part > 0.5).any(axis=axis)) for axis in (1, 0))
        sizes.append((int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1))
    height, width = max(sizes)
    return height / width


def _fitted(
    empty: EmptySet, base: float, back: float, tall: float, height_m: float, ratio: float
) -> tuple[float, float, float] | None:
    """(scale, the horizon's row in the placement, the product's metres); None where it would not stand on the floor."""
    for guess in _GUESSES:
        horizon = base - empty.eye_m * tall / (height_m * guess)
        scale = max(ratio / empty.ratio, horizon / empty.horizon, (1 - horizon) / (1 - empty.horizon))
        stands = empty.horizon + (back - horizon) / scale
        if scale <= _MOST_ENLARGED and stands > empty.end + _CLEAR:
            return scale, horizon, height_m * guess
    return None


def light_in(place: Place, matte: Floats) -> Floats:
    """The set around a product of `matte` (float32 [h, w]), with its shadow: linear sRGB float32 [h, w, 3]."""
    empty = place.empty
    end = place.scale * empty.end + place.down
    wall = empty.stand == "floor"  # behind a table's end there is nothing near
    key_seen, sky_seen = floor_shadow(matte, key_of(place), float(np.clip(end, 0.0, 1.0)), wall=wall)
    if not wall:
        rows = (np.arange(len(matte), dtype=np.float32)[:, None] + 0.5) / len(matte)
        reach = np.clip((rows - end) / _FADE + 1, 0.0, 1.0)
        key_seen, sky_seen = 1 - (1 - key_seen) * reach, 1 - (1 - sky_seen) * reach
    light = light_past(key_seen, sky_seen, empty.key_share)
    return np.asarray(to_linear(cut(place, matte.shape)) * light[..., None], np.float32)


def key_of(place: Place) -> KeyLight:
    """The set's main light as the placement shows it."""
    key = place.empty.key
    return key._replace(across=-key.across) if place.mirrored else key


def light_past(key_seen: Floats, sky_seen: Floats, key_share: float) -> Floats:
    """The share of a floor's light that is left where it sees so much of the key and of the sky, float32 [h, w]."""
    sky = (1 - key_share) * (_BOUNCE + (1 - _BOUNCE) * sky_seen**_DEPTH)
    return np.asarray(key_share * key_seen**_DEPTH + sky, np.float32)


def cut(place: Place, shape: tuple[int, ...]) -> Pixels:
    """The part of the set that the placement shows, uint8 [h, w, 3]."""
    height, width = shape
    picture = picture_of(place.empty.name)
    picture = np.ascontiguousarray(picture[:, ::-1]) if place.mirrored else picture
    tall, wide = max(height, round(place.scale * height)), max(width, round(place.scale * height * place.empty.ratio))
    shrinks = tall < picture.shape[0]
    top = int(np.clip(round(-place.down * height), 0, tall - height))
    left = int(np.clip(round(-place.across * height), 0, wide - width))
    if tall * wide > _MOST_WHOLE:
        return _part(picture, _span(picture.shape[0], tall, top, height), _span(picture.shape[1], wide, left, width))
    whole = cv2.resize(picture, (wide, tall), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.ascontiguousarray(whole[top : top + height, left : left + width])


class _Span(NamedTuple):
    """Rows or columns of a picture that a part of its enlargement needs, their enlarged length, where the part lies."""

    source: slice
    length: int
    part: slice


def _span(length: int, enlarged: int, start: int, count: int) -> _Span:
    factor = enlarged / length
    first, last = max(0, int(start / factor) - _REACH), min(length, int((start + count) / factor) + 1 + _REACH)
    grown = round((last - first) * factor)
    begin = min(start - round(first * factor), grown - count)
    return _Span(slice(first, last), grown, slice(begin, begin + count))


def _part(picture: Pixels, rows: _Span, columns: _Span) -> Pixels:
    """A part of an enlarged picture, from what it needs alone; half a pixel beside the whole one's at most."""
    needed = picture[rows.source, columns.source]
    enlarged = cv2.resize(needed, (columns.length, rows.length), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(enlarged[rows.part, columns.part])


def lit(place: Place, matte: Floats) -> Floats:
    """`light_in` as sRGB in [0, 1], float32 [h, w, 3]."""
    return to_srgb(light_in(place, matte))


@cache
def stock() -> tuple[EmptySet, ...]:
    """All sets, in the order of their table."""
    facts = json.loads((files("transforms") / _FOLDER / FACTS).read_text())
    return tuple(_read(name.removesuffix(".webp"), facts[name.removesuffix(".webp")]) for name in PICTURES)


def _read(name: str, facts: dict[str, Any]) -> EmptySet:
    key = KeyLight(facts["light_across"], facts["light_back"], facts["light_softness"])
    known = {field: facts[field] for field in ("stand", "ratio", "horizon", "end", "eye_m", "key_share")}
    return EmptySet(name=name, words=tuple(facts["words"]), key=key, **known)


@cache
def picture_of(name: str) -> Pixels:
    """A set's picture, uint8 [H, W, 3]; decoded once a process."""
    packed = np.frombuffer((files("transforms") / _FOLDER / f"{name}.webp").read_bytes(), np.uint8)
    decoded = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    if decoded is None:
        raise ValueError(f"{name}.webp cannot be decoded")
    pixels: Pixels = np.ascontiguousarray(decoded[..., ::-1]).astype(np.uint8)
    pixels.setflags(write=False)
    return pixels
