import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import framed_boxes, images, sizes
from transforms.ops.geometry import lay, overlap, resample, resample_matte, to_placement, to_source
from transforms.records import Box, Size, Transform

transforms = st.builds(
    Transform, st.just(1.0), sizes(1, 60), st.integers(-80, 80), st.integers(-80, 80), st.just("lanczos3")
)


def test_the_same_size_gives_the_very_same_pixels():
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert resample(pixels, Size(4, 4)) is pixels


def test_resampling_is_pillows_lanczos_on_the_whole_image():
    pixels = np.random.default_rng(1).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    from PIL import Image

    expected = np.asarray(Image.fromarray(pixels).resize((77, 51), Image.Resampling.LANCZOS))
    assert np.array_equal(resample(pixels, Size(51, 77)), expected)


@given(images(), sizes(1, 60))
def test_resampling_gives_the_asked_size_and_keeps_flat_colours(pixels, scaled):
    flat = np.full_like(pixels, pixels[0, 0])
    result = resample(flat, scaled)
    assert result.shape == (*scaled, 3) and result.dtype == np.uint8
    assert (result == pixels[0, 0]).all()


def test_a_resampled_matte_does_not_overshoot():
    matte = np.zeros((20, 20), np.float32)
    matte[5:15, 5:15] = 1
    result = resample_matte(matte, Size(53, 47))
    assert result.shape == (53, 47) and result.dtype == np.float32
    assert result.min() == 0 and result.max() == 1


@given(transforms, sizes(1, 60))
def test_lay_shows_exactly_the_pixels_that_the_offset_says(transform, canvas):
    height, width = transform.scaled
    source = np.arange(height * width, dtype=np.int32).reshape(height, width) + 1
    laid, known = lay(source, transform, canvas)
    assert laid.shape == known.shape == tuple(canvas)
    assert np.array_equal(laid > 0, known)
    rows, columns = np.nonzero(known)
    assert np.array_equal(laid[known], source[rows - transform.top, columns - transform.left])
    there = overlap(transform, canvas).canvas
    assert known.sum() == there.size.height * there.size.width


def test_lay_fills_colours_around_an_image():
    laid, known = lay(np.zeros((2, 2, 3), np.uint8), Transform(1, Size(2, 2), 1, -1, "identity"), Size(4, 3), (9, 8, 7))
    assert known.sum() == 2 and (laid[~known] == (9, 8, 7)).all() and (laid[known] == 0).all()


@given(framed_boxes(300), sizes(1, 600), st.integers(-500, 500), st.integers(-500, 500))
def test_a_box_mapped_there_and_back_contains_itself(framed, scaled, top, left):
    source, box = framed
    transform = Transform(1.0, scaled, top, left, "lanczos3")
    back = to_source(to_placement(box, source, transform), source, transform)
    assert back.top <= box.top and back.left <= box.left and back.bottom >= box.bottom and back.right >= box.right


@pytest.mark.parametrize("offset", [(0, 0), (-7, 12)])
def test_the_identity_maps_boxes_by_the_offset_alone(offset):
    transform = Transform(1.0, Size(90, 70), *offset, "identity")
    placed = to_placement(Box(3, 5, 40, 60), Size(90, 70), transform)
    assert placed == Box(3 + offset[0], 5 + offset[1], 40 + offset[0], 60 + offset[1])
