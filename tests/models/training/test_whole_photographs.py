"""Photographs as examples: whose split they are in, and which variants can learn from them."""

import cv2
import numpy as np
import pytest

from models.movement import Movement, movement_of
from models.registry import VARIANTS
from models.training.conditions import conditions_of
from models.training.whole_photographs import covering, photograph_examples, two_frames
from transforms.errors import ConfigError
from transforms.records import Size


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(60):
        pixels = np.full((90, 60 + number, 3), number * 4, np.uint8)
        cv2.imwrite(str(folder / f"p{number}.png"), pixels)
    return folder


def taken(photos, split):
    return {example.key for example in photograph_examples(photos, split, 100, licence="CC0-1.0")}


def test_a_photograph_is_in_one_split_and_none_is_lost(photos):
    train, held_out = taken(photos, "train"), taken(photos, "held_out")
    assert train and held_out
    assert not train & held_out
    assert len(train | held_out) == 60


def test_a_sender_s_photographs_are_all_in_one_split(photos):
    rows = [f"p{number},{number // 3}" for number in range(60)]
    (photos.parent / "images.csv").write_text("image,sender_id\n" + "\n".join(rows) + "\n")
    held_out = {int(key.removeprefix("photo-p")) for key in taken(photos, "held_out")}
    assert held_out
    assert held_out == {number for number in range(60) if 3 * (number // 3) in held_out}


def test_only_variants_that_need_no_product_learn_from_it(photos):
    example = next(photograph_examples(photos, "train", 1, licence="CC0-1.0"))
    rng = np.random.default_rng(0)
    able = {name for name, variant in VARIANTS.items() if conditions_of(example, variant, rng) is not None}
    assert able == {"outpaint", "super_resolution"}


def test_one_that_moves_has_a_later_frame_that_is_moved_as_was_drawn(photos):
    example = next(photograph_examples(photos, "train", 1, licence="CC0-1.0", moving=True))
    assert example.later.shape == example.scene.shape
    assert conditions_of(example, VARIANTS["image_to_motion"], np.random.default_rng(0)) is not None
    noise = np.random.Generator(np.random.Philox(3)).normal(0, 1, (300, 400, 3))
    pixels = np.clip(128 + 300 * cv2.GaussianBlur(noise, (0, 0), 3), 0, 255).astype(np.uint8)
    for across, nearer in ((0.035, 0.0), (0.0, 0.07), (-0.035, -0.05)):
        found = movement_of(*two_frames(pixels, Size(208, 304), across, nearer))
        assert found == pytest.approx(Movement(across, nearer), abs=0.008)


def test_the_middle_is_kept_and_the_size_covered():
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, 100:200] = 255
    shown = covering(pixels, Size(64, 64))
    assert shown.shape == (64, 64, 3)
    assert shown.mean() > 250


def test_a_folder_without_pictures_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no train pictures"):
        list(photograph_examples(tmp_path, "train", 1, licence="CC0-1.0"))
