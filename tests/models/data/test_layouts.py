from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.data.drawn_scenes import draw_scene
from models.data.furniture import CC0, FurnitureModel
from models.data.kinds import kind_of, phrase_of, usable
from models.data.layouts import Stock, draw_layout, split_of, stock_of
from models.data.scene import Scene
from models.data.spots import Spot, bounds, settle, spot_of

NAMES = (
    ("Sofa 2 seats", "Living room", (1.6, 0.8, 0.9)),
    ("Coffee table", "Living room", (1.2, 0.7, 0.45)),
    ("Chair", "Living room", (0.5, 0.5, 0.9)),
    ("Vase", "Living room", (0.2, 0.2, 0.3)),
    ("Coffee mug", "Kitchen", (0.1, 0.1, 0.1)),
    ("Cuckoo clock", "Miscellaneous", (0.3, 0.2, 0.7)),
    ("Wardrobe", "Bedroom", (1.2, 0.6, 2.0)),
    ("Bowl with fruits", "Kitchen", (0.3, 0.3, 0.14)),
)
NUMBERS = st.integers(0, 5000)


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    path = tmp_path_factory.mktemp("models") / "any.obj"
    path.write_text("v 0 0 0\n")
    models = [
        FurnitureModel(f"library/model{number:03}", *NAMES[number % len(NAMES)][:2], "A. Maker", CC0, path, size)
        for number in range(240)
        for size in [NAMES[number % len(NAMES)][2]]
    ]
    return stock_of(models)


def test_the_splits_share_no_product_and_the_benchmarks_products_never_train(stock: Stock) -> None:
    train, held_out = ({model.key for model in stock.models[split]} for split in ("train", "held_out"))
    assert len(held_out) == 110
    assert not train & held_out


@settings(max_examples=60, deadline=None)
@given(number=NUMBERS)
def test_a_scene_shows_products_of_its_own_split_alone(stock: Stock, number: int) -> None:
    scene = draw_scene(number, 0, stock, 4)
    own = {model.key for model in stock.models[scene.split]}
    assert {placed.model.key for placed in (*scene.products, *scene.props)} <= own
    assert scene.split == split_of(number)
    assert 1 <= len(scene.products) <= 8 == len(scene.poses) + (8 - len(scene.products))


@settings(max_examples=20, deadline=None)
@given(number=NUMBERS, seed=st.integers(0, 9))
def test_a_scene_is_drawn_again_from_its_seed_and_number(stock: Stock, number: int, seed: int) -> None:
    assert draw_scene(number, seed, stock, 4) == draw_scene(number, seed, stock, 4)
    assert draw_scene(number, seed, stock, 4) != draw_scene(number, seed + 1, stock, 4)


@settings(max_examples=80, deadline=None)
@example(number=3400)  # a bowl as deep as its shelf
@given(number=NUMBERS)
def test_nothing_stands_inside_another_thing_or_in_the_wall(stock: Stock, number: int) -> None:
    scene = draw_scene(number, 0, stock, 4)
    for level in {placed.base_m for placed in (*scene.products, *scene.props)}:
        spots = [spot_of(placed) for placed in (*scene.products, *scene.props) if placed.base_m == level]
        apart = [not one.overlaps(other, 0.0) for n, one in enumerate(spots) for other in spots[:n]]
        assert all(apart)
    for placed in (*scene.products, *scene.props):
        spot = spot_of(placed)
        assert spot.y + spot.half_y <= scene.room.wall_m + 1e-6


@settings(max_examples=80, deadline=None)
@given(number=NUMBERS)
def test_everything_stands_on_something(stock: Stock, number: int) -> None:
    scene = draw_scene(number, 0, stock, 4)
    for placed in (*scene.products, *scene.props):
        assert placed.base_m == 0.0 or carried(scene, placed.base_m, spot_of(placed)) or scene.stand == "wall"


def carried(scene: Scene, height_m: float, spot: Spot) -> bool:
    if scene.board is not None and scene.board.height_m == height_m:
        width, depth = scene.board.size_m[:2]
        return inside(spot, Spot(*scene.board.at, width / 2, depth / 2))
    return any(
        placed.model.size_m[2] == height_m and inside(spot, spot_of(placed))
        for placed in scene.products
        if placed.base_m == 0.0
    )


def inside(spot: Spot, within: Spot) -> bool:
    return (
        abs(spot.x - within.x) + spot.half_x <= within.half_x + 1e-6
        and abs(spot.y - within.y) + spot.half_y <= within.half_y + 1e-6
    )


def test_layouts_show_one_to_many_products_on_floors_tables_shelves_and_walls(stock: Stock) -> None:
    layouts = [draw_layout(np.random.default_rng(seed), stock, "train") for seed in range(300)]
    assert {layout.stand for layout in layouts} == {"floor", "table", "shelf", "wall"}
    assert max(len(layout.products) for layout in layouts) >= 5


@pytest.mark.parametrize(
    ("name", "category", "size", "mount"),
    [
        ("Coffee mug", "Kitchen", (0.1, 0.1, 0.1), "table"),
        ("Chair", "Living room", (0.45, 0.45, 0.6), "floor"),
        ("Cuckoo clock", "Miscellaneous", (0.3, 0.2, 0.7), "wall"),
        ("Wall switch", "Miscellaneous", (0.1, 0.01, 0.1), None),
        ("Truck", "Vehicles", (2.0, 2.0, 2.0), None),
        ("Bed", "Bedroom", (4.0, 2.0, 1.0), None),
    ],
)
def test_a_models_name_and_size_say_where_it_is_put(
    tmp_path: Path, name: str, category: str, size: tuple[float, float, float], mount: str | None
) -> None:
    path = tmp_path / "any.obj"
    path.write_text("v 0 0 0\n")
    model = FurnitureModel("library/any", name, category, "A. Maker", CC0, path, size)
    kind = kind_of(model)
    assert (kind.mount if kind else None) == mount
    assert (model.key in usable([model])) == (mount is not None)


def test_phrases_are_those_of_a_caption() -> None:
    assert [phrase_of(name) for name in ("Wood bank", "Table with tablecloth", "TV 16:9")] == [
        "wooden bench",
        "table",
        "tv",
    ]


@given(st.integers(0, 2**32 - 1))
def test_a_settled_thing_is_free_of_what_stands_and_within_its_table(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = Spot(0, 0, 1, 0.5)
    taken: list[Spot] = []
    for _ in range(6):
        spot = settle(rng, (0.2, 0.15), taken, lambda rng: tuple(rng.uniform(-1, 1, 2)), table)
        if spot is not None:
            assert inside(spot, table) and not any(spot.overlaps(other) for other in taken)
            taken.append(spot)
    assert taken and inside(bounds(taken), table)
