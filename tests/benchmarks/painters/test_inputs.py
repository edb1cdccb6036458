"""Inputs of the comparison: frames that cut no product, prompts that say what is measured."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.painters.measures import elsewhere
from benchmarks.painters.photographs import DIRECTIONS, PLACEMENTS, framing_of, photographs_of
from benchmarks.painters.products import key_of, product_job, products_of, seed_of
from benchmarks.painters.prompts import COLOURS, ROOMS, SURFACES, plain_prompt, room_prompt
from transforms.errors import ConfigError
from transforms.ops.empty_sets import asked_for
from transforms.ops.papers import read_prompt
from transforms.records import Box, Size
from transforms.rooms import _table


@st.composite
def boxes(draw):
    height, width = draw(st.integers(200, 900)), draw(st.integers(200, 900))
    top, left = draw(st.integers(0, height - 20)), draw(st.integers(0, width - 20))
    bottom, right = draw(st.integers(top + 10, height)), draw(st.integers(left + 10, width))
    return Size(height, width), Box(top, left, bottom, right)


@given(boxes(), st.sampled_from(DIRECTIONS))
def test_a_frame_holds_the_whole_product_and_leaves_something_to_paint(sized, direction):
    size, box = sized
    found = framing_of(size, box, direction)
    if found is None:
        return
    window, frame = found
    for inner, outer in ((box, frame), (frame, window), (window, Box(0, 0, *size))):
        assert outer.top <= inner.top and outer.left <= inner.left
        assert outer.bottom >= inner.bottom and outer.right >= inner.right
    wanted = PLACEMENTS[direction].size
    assert window.size.height / window.size.width == pytest.approx(wanted.height / wanted.width, rel=0.02)
    area = frame.size.height * frame.size.width / (window.size.height * window.size.width)
    assert area <= 0.81
    upright = direction == "to_landscape"
    assert frame.size.height == window.size.height if upright else frame.size.width == window.size.width


def test_a_product_that_fills_its_photograph_leaves_no_frame():
    assert framing_of(Size(600, 400), Box(20, 20, 580, 380), "to_portrait") is None


@given(st.integers(1, 30), st.integers(0, 2**32))
def test_a_control_frame_has_the_same_size_and_seams(rows, seed):
    known = np.zeros((40, 30), bool)
    known[(40 - rows) // 2 : (40 - rows) // 2 + rows] = True
    moved = elsewhere(known, np.random.default_rng(seed))
    assert moved.sum() == known.sum()
    lines = np.flatnonzero(moved.any(axis=1))
    assert lines[-1] - lines[0] + 1 == rows
    assert lines[0] > 0 and lines[-1] < 39


def test_every_colour_and_surface_is_asked_as_often():
    asked = [plain_prompt(number, 3) for number in range(len(COLOURS) * len(SURFACES))]
    assert len({each.words for each in asked}) == len(asked)
    assert sum(each.rough for each in asked) == 20
    assert all(read_prompt(each.words).colour for each in asked)
    assert [plain_prompt(number, 3) for number in range(len(asked))] == asked


def test_rooms_are_asked_in_words_that_the_stock_of_sets_knows():
    assert all(asked_for(words) for words, _ in ROOMS.values())
    known = {room for spot, _ in _table() for room in spot.rooms}
    assert known == ROOMS.keys()


def test_products_are_asked_for_rooms_that_they_belong_in_and_for_none_where_none_fits():
    mugs = {room_prompt("coffee mug", number, 0).words for number in range(40)}
    assert mugs == {ROOMS["oak table"][0], ROOMS["marble table"][0]}
    assert room_prompt("wardrobe", 1, 0).words == ROOMS["bedroom"][0]
    assert room_prompt("rowboat", 1, 0) == plain_prompt(1, 0)


def test_products_are_read_in_both_forms(tmp_path):
    shot = np.full((60, 80, 3), 255, np.uint8)
    shot[20:50, 30:60] = (0, 0, 200)
    alpha = np.zeros((60, 80), np.uint8)
    alpha[20:50, 30:60] = 255
    rendered = tmp_path / "renders" / "lib__redBox"
    rendered.mkdir(parents=True)
    cv2.imwrite(str(rendered / "white.jpg"), shot)
    cv2.imwrite(str(rendered / "alpha.png"), alpha)
    (tmp_path / "cutouts").mkdir()
    for name in ("lib__redBox.0.webp", "lib__mug.0.png"):
        cv2.imwrite(str(tmp_path / "cutouts" / name), np.dstack([shot, alpha]))
    found = products_of([tmp_path / "renders", tmp_path / "cutouts"])
    assert [key_of(path) for path in found] == ["lib__mug", "lib__redBox"]
    assert found[1].name == "white.jpg"
    for path in found:
        job = product_job(path, "teal paper", 1)
        assert job.cutout.box == Box(20, 30, 50, 60)
        assert job.image.pixels[0, 0].tolist() == [255, 255, 255]
        assert abs(int(job.image.pixels[35, 45, 0]) - 200) < 8
        assert job.product.seed == seed_of(key_of(path), 1) != seed_of(key_of(path), 2)
    assert product_job(found[1], "", 1).product.title == "red box"


def test_folders_without_inputs_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no product"):
        products_of([tmp_path])
    with pytest.raises(ConfigError, match="no picture"):
        photographs_of([tmp_path])


def test_a_product_that_is_still_being_rendered_is_none(tmp_path):
    for name in ("chair", "sofa.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "white.jpg").touch()
    assert [path.parent.name for path in products_of([tmp_path])] == ["chair"]
