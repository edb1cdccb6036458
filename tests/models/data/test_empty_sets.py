from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.data.empty_sets import _GEOMETRIES, _distance, _pose, facts_of
from models.data.framing import SENSOR_MM
from models.data.set_table import SETS
from models.export.identity import dependencies_of
from transforms.ops.empty_sets import FACTS, PICTURES, stock
from transforms.records import Size

ROOT = Path(__file__).parents[3]


def test_the_painter_knows_every_set_that_is_rendered() -> None:
    assert {each.name for each in SETS} == {name.removesuffix(".webp") for name in PICTURES}
    words = {each.name: each.words for each in stock()}
    assert all(words[each.name] == each.words for each in SETS)


@pytest.mark.parametrize("each", SETS, ids=lambda each: each.name)
def test_the_floors_end_lies_where_the_camera_sees_it(each: object) -> None:
    """The row that the facts state is where Blender's camera puts the point at the end of the floor."""
    made = next(known for known in SETS if known is each)
    size, geometry, ground = made.size, _GEOMETRIES[made.stand], 0.74 if made.stand == "table" else 0.0
    pose = _pose(geometry, ground, size)
    point = np.array([0.0, geometry.end_m - _distance(geometry), ground])
    right, up, backward = (point - pose.location) @ pose.rotation
    assert right == pytest.approx(0)
    flat = up / -backward * (70.0 / SENSOR_MM) - pose.shift[1]  # in shares of the longer side, up from the centre
    row = 0.5 - flat * max(size) / size.height
    assert row == pytest.approx(facts_of(made, Size(*size), 0.5)["end"], abs=1e-4)


def test_a_served_studios_identity_counts_the_sets() -> None:
    found = dependencies_of(ROOT / "triton_repo" / "studio" / "1" / "model.py").files
    assert {f"transforms/data/empty_sets/{name}" for name in (*PICTURES, FACTS)} <= set(found)
