"""Plain scenes: composed of one split's products, which stand where the order of their pictures says."""

import numpy as np
import pytest

pytest.importorskip("webdataset", reason="the extra `models` is not installed")

from models.data.descriptions import SOURCE
from models.data.examples import BUCKETS, Example
from models.data.interiors import PAINTS
from models.data.shards import write_shards
from models.registry import VARIANTS
from models.training.conditions import conditions_of, mirrored
from models.training.plain_scenes import plain_examples
from transforms.errors import ConfigError

RED, BLUE = (200, 30, 30), (30, 30, 200)


def product(colour):
    pixels = np.zeros((40, 30, 4), np.uint8)
    pixels[5:35, 5:25] = (*colour, 255)
    return pixels


def rendered(key, split, colours, source=SOURCE):
    words = {"products": [{"phrase": "box", "noun": "box", "colors": [key]} for _ in colours]}
    return Example(
        key=key,
        scene=np.zeros((208, 304, 3), np.uint8),
        coverage=np.zeros((208, 304), np.uint8),
        registered=None,
        products=tuple(product(colour) for colour in colours),
        later=None,
        captions=("boxes",),
        source=source,
        licence="CC-BY-3.0",
        authors=("somebody",),
        split=split,
        bucket="208x304",
        words=words,
    )


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    out = tmp_path_factory.mktemp("set") / "shards"
    write_shards([rendered("red", "train", [RED, RED]), rendered("blue", "held_out", [BLUE])], out)
    return out


def seen(example, colour):
    """Columns in which a colour stands."""
    near = np.abs(example.scene.astype(int) - colour).max(axis=2) < 20
    return np.flatnonzero(near.any(axis=0))


def test_they_show_products_of_their_own_split_before_a_colour_that_they_name(shards):
    for split, own, other in (("train", RED, BLUE), ("held_out", BLUE, RED)):
        for number, example in enumerate(plain_examples(shards, split, 6)):
            assert example.bucket == f"{BUCKETS[number % 3][0]}x{BUCKETS[number % 3][1]}" and example.split == split
            assert len(seen(example, own)) > 20 and not len(seen(example, other))
            assert any(example.captions[0].startswith(colour) for colour in PAINTS)
            assert example.authors == ("somebody",) and example.licence == "CC-BY-3.0"
            assert (example.registered[..., 3] == example.coverage).all() and 0.01 < (example.coverage > 0).mean() < 0.6


def test_the_same_number_is_the_same_scene(shards):
    first, again = (list(plain_examples(shards, "train", 4)) for _ in range(2))
    assert all(np.array_equal(one.scene, other.scene) for one, other in zip(first, again, strict=True))
    assert len({example.scene.tobytes() for example in first}) == 4


def test_references_keep_their_order_from_left_to_right_in_a_mirror(tmp_path):
    shards = tmp_path / "shards"
    write_shards([rendered("both", "train", [RED, BLUE])], shards)
    examples = [example for example in plain_examples(shards, "train", 40) if len(example.products) == 2]
    mixed = [each for each in examples if len(seen(each, RED)) and len(seen(each, BLUE))]
    assert mixed
    for example in mixed:
        pair = conditions_of(example, VARIANTS["scene_synthesis"], np.random.default_rng(0))
        for shown in (pair, mirrored(pair)):
            middles = [
                np.flatnonzero((np.abs(shown.target.astype(int) - colour).max(axis=2) < 20).any(axis=0)).mean()
                for colour in (RED, BLUE)
            ]
            first_is_red = np.abs(shown.references[0, 32, 32].astype(int) - RED).max() < 20
            assert (middles[0] < middles[1]) == first_is_red


def test_photographs_alone_give_none(tmp_path):
    shards = tmp_path / "shards"
    write_shards([rendered("shirt", "train", [RED], source="clothing-dataset")], shards)
    with pytest.raises(ConfigError, match="no rendered products"):
        list(plain_examples(shards, "train", 1))
