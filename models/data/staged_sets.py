"""Scenes in the very sets that ship for the `studio` painter, one product each: what staging ought to look like."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from models.data.empty_sets import scene_of, surface_of
from models.data.examples import BUCKETS
from models.data.framing import View
from models.data.kinds import Mount
from models.data.layouts import Stock, split_of
from models.data.scene import Names, Scene
from models.data.set_table import SETS, EmptySet
from models.data.shots import Placed
from models.data.spots import Rng, halves
from transforms.records import Size

_FREE_M = 0.55  # to the left of the middle: a plant stands beyond
_BEHIND_M = 0.05
_LARGEST_M = {"floor": 1.7, "table": 0.5}


def draw_staged(number: int, seed: int, stock: Stock, samples: int, long_side: int, furniture: Path) -> Scene:
    """Scene `number` of `seed`, in one set after the other; always the same from the same stock."""
    rng, each = np.random.Generator(np.random.Philox(key=[seed, number])), SETS[number % len(SETS)]
    bucket = BUCKETS[rng.integers(len(BUCKETS))]
    size = Size(*(round(length * long_side / 304 / 16) * 16 for length in bucket))
    product, view = _draw_product(rng, each, stock, number), _draw_view(rng)
    bare, split = scene_of(each, number, size, samples, furniture), split_of(number)
    keys = {model.key for model in stock.models[split]}
    return replace(
        bare,
        seed=seed,
        split=split,
        products=(product,),
        props=tuple(prop for prop in bare.props if prop.model.key in keys),  # what is held out is nowhere else
        view=view,
        later=view,
        poses=((float(rng.uniform(-30, 30)), float(rng.uniform(2, 20))),),
        names=Names(each.words[0], f"{each.wall[0]} wall", each.words[0] if each.top else None, each.room),
    )


def _draw_product(rng: Rng, each: EmptySet, stock: Stock, number: int) -> Placed:
    """A product of the set's surface, turned a little, somewhere about the middle."""
    ground_m, free_m = surface_of(each)
    mount: Mount = "table" if each.stand == "table" else "floor"
    models = [one for one in stock.of(split_of(number), mount) if max(one.size_m) < _LARGEST_M[mount]]
    placed = Placed(models[rng.integers(len(models))], base_m=ground_m, turn_deg=float(rng.uniform(-45, 45)))
    half_x, half_y = halves(placed)
    back = max(-0.3, free_m - half_y - _BEHIND_M)
    across = max(float(rng.uniform(-0.3, 0.3)), half_x - _FREE_M)
    return replace(placed, at=(across, float(rng.uniform(min(-0.2, back), back))))


def _draw_view(rng: Rng) -> View:
    """As the painter shows its sets: hardly from above, the product large and low."""
    fill = float(rng.uniform(0.45, 0.82))
    offset = (float(rng.uniform(-0.25, 0.25) * (1 - fill)), float(-rng.uniform(0.0, 0.35) * (1 - fill)))
    return View(float(rng.normal(0, 4)), float(rng.uniform(1, 10)), 70.0, fill, offset)
