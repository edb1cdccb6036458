"""A folder of three products, for nights that make scenes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from feeds import write_product
from scene_nights import Night


@pytest.fixture
def night(tmp_path: Path) -> Night:
    for name, colour in (("red", (190, 50, 40)), ("blue", (30, 60, 150)), ("dark", (40, 50, 40))):
        write_product(tmp_path / f"{name}.png", colour, size=(120, 80) if name == "red" else (80, 140))
    return Night(tmp_path)
