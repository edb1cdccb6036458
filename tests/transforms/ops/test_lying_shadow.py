import numpy as np

from transforms.ops.lying import Lying
from transforms.ops.lying_shadow import levels_of, seen_past_layers

LYING = Lying(height=20.0, widest=20.0, foreshortening=0.6)


def slab():
    """Twenty rows of front below thirty rows of top."""
    matte = np.zeros((120, 120), np.uint8)
    matte[40:90, 30:90] = 255
    return matte


def test_every_layer_of_a_block_is_its_footprint():
    for level, layer in levels_of(slab(), LYING):
        assert 0 <= level <= 20
        assert np.flatnonzero(layer.any(axis=1)).tolist() == list(range(60, 90))


def test_what_is_round_is_widest_above_the_floor():
    layers = levels_of(slab(), LYING._replace(widest=10.0))
    rows = [np.flatnonzero(layer.any(axis=1))[0] for _, layer in layers]
    assert rows[0] == 50 and rows[-1] == 60 and rows == sorted(rows)


def test_a_ray_moves_the_footprint_by_what_the_height_throws():
    seen = seen_past_layers(slab(), np.array([[1.0, 0.0]]), LYING)
    # twenty rows are a height of 25 where the camera's pitch has the sine 0.6
    assert seen[75, 30:112].max() < 0.1 and seen[75, 118] == 1 and seen[75, 20] == 1
    assert seen[55].min() == 1  # behind the footprint


def test_light_from_behind_throws_the_shadow_to_the_front():
    seen = seen_past_layers(slab(), np.array([[0.0, -1.0]]), LYING)
    assert seen[95, 60] < 0.1 and seen[110, 60] == 1
