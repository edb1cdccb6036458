from __future__ import annotations

import sys

import pytest

from models.data.blender import linear, load
from models.data.surfaces import shade


def test_srgb_becomes_linear() -> None:
    assert linear((0.0, 0.5, 1.0)) == pytest.approx((0.0, 0.2140, 1.0, 1.0), abs=1e-4)


def test_a_shade_stays_a_colour() -> None:
    assert shade((0.2, 0.8, 1.0), 1.5) == pytest.approx((0.3, 1.0, 1.0))


def test_importing_the_scene_program_loads_no_renderer() -> None:
    import models.data.render  # noqa: F401

    assert "bpy" not in sys.modules


def test_the_renderer_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bpy", None)
    with pytest.raises(ModuleNotFoundError, match="bpy"):
        load()
