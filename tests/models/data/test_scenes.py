from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.data.empty_sets import surface_of
from models.data.examples import Split
from models.data.furniture import CC0, FurnitureModel
from models.data.kinds import usable
from models.data.layouts import Stock
from models.data.pairs import read_pair
from models.data.passes import Pictures, product_shape, with_alpha
from models.data.scenes import Order, render_one
from models.data.set_table import SETS
from models.data.shards import from_webp
from models.data.spots import halves
from models.data.staged_sets import draw_staged

CUBE = """v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 1\nv 1 0 1\nv 1 1 1\nv 0 1 1
f 1 4 3 2\nf 5 6 7 8\nf 1 2 6 5\nf 3 4 8 7\nf 1 5 8 4\nf 2 3 7 6\n"""


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(tmp_path, tmp_path / "scenes", 0, 48, 2, 1, None)


@pytest.fixture
def stock(tmp_path: Path) -> Stock:
    path = tmp_path / "cube.obj"
    path.write_text(CUBE)
    things = (("Chair", (0.5, 0.5, 0.9)), ("Vase", (0.2, 0.2, 0.3)), ("Cuckoo clock", (0.3, 0.2, 0.5)))
    models = tuple(
        FurnitureModel(f"test/{name}", name, "Living room", "A. Maker", CC0, path, size) for name, size in things
    )
    splits: tuple[Split, ...] = ("train", "held_out")
    return Stock(dict.fromkeys(splits, models), usable(models))


def test_a_scene_is_rendered_whole_registered_and_only_once(order: Order, stock: Stock) -> None:
    pytest.importorskip("bpy", reason="Blender's module is a tool to make data with, not a dependency")
    assert render_one(order, stock, 1)
    folder = order.out / "s0-000001"
    about = json.loads((folder / "about.json").read_text())
    scene, later = (from_webp((folder / f"{name}.webp").read_bytes()) for name in ("scene", "later"))
    registered = from_webp((folder / "registered.webp").read_bytes())
    coverage = cv2.imread(str(folder / "coverage.png"), cv2.IMREAD_UNCHANGED)
    assert scene.shape == later.shape == (*about["size"], 3)
    assert np.array_equal(registered[..., 3], coverage)
    assert 0.02 < (coverage > 127).mean() < 0.95
    assert 70 < scene.mean() < 215
    assert np.abs(scene.astype(int) - later).mean() > 0.5
    assert (folder / "product0.webp").exists()
    assert not render_one(order, stock, 1)


def test_a_scene_without_its_products_is_itself_elsewhere_and_is_rendered_where_it_is_missing(
    order: Order, stock: Stock
) -> None:
    pytest.importorskip("bpy", reason="Blender's module is a tool to make data with, not a dependency")
    assert render_one(replace(order, still=True), stock, 1)
    folder = order.out / "s0-000001"
    assert not (folder / "later.webp").exists()
    scene, empty = (from_webp((folder / f"{name}.webp").read_bytes()).astype(int) for name in ("scene", "empty"))
    away = cv2.imread(str(folder / "coverage.png"), cv2.IMREAD_UNCHANGED) == 0
    change = np.abs(scene - empty).mean(axis=2)
    assert change[~away].mean() > 4 * np.median(change[away])
    before = (folder / "empty.webp").read_bytes()
    (folder / "empty.webp").unlink()
    assert render_one(order, stock, 1)
    again = from_webp((folder / "empty.webp").read_bytes()).astype(int)
    assert np.abs(again - empty).max() <= 2 or (folder / "empty.webp").read_bytes() == before
    assert not render_one(order, stock, 1)


def test_the_same_scene_is_the_same_to_the_byte(order: Order, stock: Stock, tmp_path: Path) -> None:
    pytest.importorskip("bpy", reason="Blender's module is a tool to make data with, not a dependency")
    render_one(order, stock, 2)
    other = Order(tmp_path, tmp_path / "again", 0, 48, 2, 1, None)
    render_one(other, stock, 2)
    for path in sorted((order.out / "s0-000002").iterdir()):
        assert path.read_bytes() == (other.out / "s0-000002" / path.name).read_bytes(), path.name


def test_a_scene_that_was_cut_off_is_no_scene(
    order: Order, stock: Stock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import models.data.scenes as program

    def cut_off(*_: object, **__: object) -> Pictures:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "photograph", lambda *_, **__: None)
    monkeypatch.setattr(program, "write_pictures", cut_off)
    with pytest.raises(KeyboardInterrupt):
        render_one(order, stock, 1)
    assert not (order.out / "s0-000001").exists()


def test_edges_that_the_coarser_picture_lacks_take_their_colour_from_beside() -> None:
    lit = np.zeros((20, 20, 4), np.uint8)
    lit[5:15, 5:15] = (200, 30, 30, 255)
    coverage = np.zeros((20, 20), np.uint8)
    coverage[4:16, 4:16] = 90
    coverage[5:15, 5:15] = 255
    made = with_alpha(lit, coverage)
    assert np.array_equal(made[..., 3], coverage)
    assert np.abs(made[4, 10, :3].astype(int) - (200, 30, 30)).max() < 12


@pytest.mark.parametrize(
    ("size", "shape"), [((1, 1, 3), (160, 120)), ((3, 1, 0.5), (120, 160)), ((1, 1, 1), (160, 160))]
)
def test_a_products_own_picture_has_its_proportions(size: tuple[float, ...], shape: tuple[int, int]) -> None:
    assert product_shape(np.array([[0.0, 0.0, 0.0], size]), 160) == shape


def test_a_set_that_ships_is_staged_with_one_product_that_stands_in_it(order: Order, stock: Stock) -> None:
    for number in range(3 * len(SETS)):
        scene = draw_staged(number, 5, stock, 2, 304, order.furniture) if not SETS[number % len(SETS)].props else None
        if scene is None:
            continue
        (product,), each = scene.products, SETS[number % len(SETS)]
        assert scene == draw_staged(number, 5, stock, 2, 304, order.furniture)
        assert scene.split == ("held_out" if number % 10 == 0 else "train")
        assert product.base_m == surface_of(each)[0]
        assert product.at[1] + halves(product)[1] < surface_of(each)[1]
        assert (scene.light.sky, scene.light.azimuth_deg) == each.light[:2]


def test_staged_sets_are_rendered_like_other_scenes(order: Order, stock: Stock) -> None:
    pytest.importorskip("bpy", reason="Blender's module is a tool to make data with, not a dependency")
    assert render_one(replace(order, sets=True, seed=5), stock, 3)
    found = read_pair(order.out / "s5-000003").example
    assert found.empty is not None and found.light is not None and len(found.products) == 1
    assert found.light.across > 0 > SETS[3].light[1], "lit from the left, the shadow falls to the right"
