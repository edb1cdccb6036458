from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.data.framing import View
from models.data.furniture import CC0, FurnitureModel
from models.data.shots import Cutout, Placed, Shot, Sweep

CUBE = """v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 1\nv 1 0 1\nv 1 1 1\nv 0 1 1
f 1 4 3 2\nf 5 6 7 8\nf 1 2 6 5\nf 3 4 8 7\nf 1 5 8 4\nf 2 3 7 6\n"""


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    pytest.importorskip("bpy", reason="Blender's module is a tool to make data with, not a dependency")
    path = tmp_path / "cube.obj"
    path.write_text(CUBE)
    cube = FurnitureModel("test/cube", "Cube", "Test", "nobody", CC0, path, (1.0, 1.0, 1.0))
    return Shot(Placed(cube), Cutout(), View(0, 0, fill=0.5), height=48, width=64, samples=4)


def test_a_cutouts_alpha_covers_the_stated_share(shot: Shot, tmp_path: Path) -> None:
    from models.data.render import render

    render(shot, tmp_path / "cut.png")
    alpha = cv2.imread(str(tmp_path / "cut.png"), cv2.IMREAD_UNCHANGED)[..., 3]
    rows = np.flatnonzero(alpha.max(axis=1) > 127)
    assert alpha.shape == (48, 64)
    assert len(rows) == pytest.approx(24, abs=2)


def test_a_sweep_fills_the_frame_and_repeats_bit_for_bit(shot: Shot, tmp_path: Path) -> None:
    from models.data.render import render

    for name in ("one.png", "two.png"):
        render(replace(shot, backdrop=Sweep((0.5, 0.6, 0.7))), tmp_path / name, threads=1)
    one, two = (cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED) for name in ("one.png", "two.png"))
    assert one[..., 3].min() == 255
    assert np.array_equal(one, two)
