from pathlib import Path

import numpy as np
import pytest

from models.data.cutouts import Layers, draw_shot, products_in_order, read_layers, shape_of, take_apart, write_layers
from models.data.furniture import FurnitureModel


def model(key: str, size: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> FurnitureModel:
    return FurnitureModel(key, key, "Office", "Jane Doe", "CC0-1.0", Path("a.obj"), size)


def test_products_come_in_the_seeds_order_and_people_are_none():
    models = [model(f"Scopia/{number}") for number in range(9)] + [model("Reallusion/anna")]
    first, second, other = (products_in_order(models, seed) for seed in (0, 0, 1))
    assert first == second != other
    assert sorted(item.key for item in first) == [item.key for item in models[:9]]


def test_a_product_and_its_shadow_are_taken_apart_exactly():
    coverage = np.array([[0, 0, 128, 255]], np.uint8)
    shadow = np.array([[0, 100, 60, 0]], np.float32)
    alpha = coverage + (255.0 - coverage) * shadow / 255
    premultiplied = np.array([200.0, 100.0, 50.0]) * coverage[..., None] / 255
    seen = np.rint(np.dstack([premultiplied / np.maximum(alpha, 1)[..., None] * 255, alpha])).astype(np.uint8)
    layers = take_apart(seen, coverage)
    assert np.abs(layers.color[0, 2:].astype(int) - [200, 100, 50]).max() <= 2
    assert not layers.color[0, :2].any()
    assert np.abs(layers.shadow.astype(int) - shadow).max() <= 2


def test_layers_come_back_as_they_were_kept(tmp_path):
    coverage = np.zeros((40, 30), np.uint8)
    coverage[10:30, 8:20] = 255
    color = np.where(coverage[..., None] > 0, np.uint8(90), np.uint8(0)).repeat(3, axis=2)
    for shadow in (None, coverage // 2):
        write_layers(Layers(color, coverage, shadow), tmp_path / f"chair.{shadow is None}")
        held = read_layers(tmp_path / f"chair.{shadow is None}.webp")
        assert np.array_equal(held.coverage, coverage)
        assert np.abs(held.color[15, 12].astype(int) - 90).max() <= 3
        assert (held.shadow is None) if shadow is None else np.array_equal(held.shadow, shadow)
    with pytest.raises(FileNotFoundError):
        read_layers(tmp_path / "none.webp")


def test_a_shot_follows_its_generator_and_its_products_shape():
    tall = model("Scopia/lamp", (0.3, 0.3, 1.5))
    shots = [draw_shot(tall, np.random.default_rng(seed), 320, 8) for seed in (5, 5, 6)]
    assert shots[0] == shots[1] != shots[2]
    assert (shots[0].height, shots[0].width) == shape_of(tall, 320) == (320, 240)
    assert shape_of(model("Scopia/rug", (2.0, 1.0, 0.02)), 320) == (240, 320)
