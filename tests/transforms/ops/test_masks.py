import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.ops.backdrop import describe_backdrop
from transforms.ops.masks import (
    Evidence,
    barrier_from_border,
    bounding_box,
    components,
    count_fragments,
    dilated,
    eroded,
    gather_evidence,
    holes,
    join_evidence,
    without_doubtful_holes,
    without_specks,
)
from transforms.records import Box


def disc(size=160, radius=40, centre=(80, 80)):
    y, x = np.mgrid[:size, :size]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2


def random_mask(seed, share=0.5):
    return np.random.Generator(np.random.Philox(seed)).random((30, 26)) < share


def test_the_bounding_box_is_half_open_and_empty_for_nothing():
    mask = np.zeros((10, 12), np.bool_)
    assert bounding_box(mask) == Box(0, 0, 0, 0)
    mask[2:5, 3:9] = True
    assert bounding_box(mask) == Box(2, 3, 5, 9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 4))
def test_erosion_and_dilation_are_duals_and_nest(seed, pixels):
    mask = random_mask(seed, 0.7)
    assert np.array_equal(eroded(mask, pixels), ~dilated(~mask, pixels))
    assert not (eroded(mask, pixels) & ~mask).any()
    assert not (mask & ~dilated(mask, pixels)).any()


def test_the_frame_is_no_outside():
    assert eroded(np.ones((6, 6), np.bool_), 2).all()


def test_components_and_specks():
    mask = np.zeros((40, 40), np.bool_)
    mask[2:22, 2:22] = True
    mask[30:32, 30:32] = True
    _, areas = components(mask)
    assert sorted(areas.tolist()) == [0, 4, 400]
    cleaned = without_specks(mask, 0.02)
    assert cleaned.sum() == 400 and not cleaned[30, 30]


def test_holes_are_what_is_enclosed():
    mask = np.zeros((20, 20), np.bool_)
    mask[3:15, 3:15] = True
    mask[6:9, 6:9] = False
    mask[10:15, 10:12] = False
    found = holes(mask)
    assert found.sum() == 9 and found[7, 7] and not found[12, 11]


def test_the_barrier_is_the_lowest_pass_into_a_basin():
    steps = np.zeros((60, 60), np.float32)
    steps[10:50, 10:50] = 9.0
    steps[13:47, 13:47] = 0.0
    steps[10:13, 30] = 3.5
    barrier = barrier_from_border(steps)
    assert barrier[0, 0] == 1.5
    assert barrier[30, 30] == 4.0
    assert barrier[11, 12] == 10.0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_the_barrier_turns_with_the_picture(seed):
    steps = np.random.Generator(np.random.Philox(seed)).random((24, 30), dtype=np.float32) * 20
    assert np.array_equal(barrier_from_border(steps)[:, ::-1], barrier_from_border(steps[:, ::-1]))
    assert np.array_equal(barrier_from_border(steps).T, barrier_from_border(np.ascontiguousarray(steps.T)))


def carton():
    """A white carton on white: two faces 16 and 22 levels darker than the sheet, a soft contact shadow to its right."""
    image = np.full((160, 160, 3), 252, np.float64)
    shadow = cv2.GaussianBlur(np.float64(disc(160, 22, (124, 128))), (0, 0), 8)
    image *= 1 - 0.06 * shadow[..., None]
    image[40:125, 40:75] = 236
    image[40:125, 75:110] = 230
    truth = np.zeros((160, 160), np.bool_)
    truth[40:125, 40:110] = True
    noise = np.random.Generator(np.random.Philox(3)).normal(0, 0.7, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8), truth


def test_colour_brings_a_faded_white_carton_on_white_back():
    image, truth = carton()
    faded = cv2.GaussianBlur(truth.astype(np.float32), (0, 0), 4) * 0.9
    faded[50:115, 45:75] = 0.44
    joined = join_evidence(faded, gather_evidence(image, faded, describe_backdrop(image)), lightness=99.0)
    before, after = faded > 0.5, joined > 0.5
    assert (before & truth).sum() / (before | truth).sum() < 0.75
    assert (after & truth).sum() / (after | truth).sum() > 0.9


def test_a_soft_shadow_stays_outside():
    image, truth = carton()
    soft = cv2.GaussianBlur(truth.astype(np.float32), (0, 0), 3)
    joined = join_evidence(soft, gather_evidence(image, soft, describe_backdrop(image)), lightness=99.0)
    assert (joined > 0.5)[~dilated(truth, 3)].mean() < 0.002


def test_a_gap_that_shows_a_coloured_backdrop_is_opened():
    image = np.full((160, 160, 3), (90, 160, 120), np.uint8)
    ring = disc(radius=50) & ~disc(radius=30)
    image[ring] = (120, 30, 30)
    filled = cv2.GaussianBlur(disc(radius=50).astype(np.float32), (0, 0), 2) * 0.8
    joined = join_evidence(filled, gather_evidence(image, filled, describe_backdrop(image)))
    assert not (joined > 0.5)[disc(radius=26)].any()
    assert (joined > 0.5)[ring & ~disc(radius=33) & disc(radius=47)].all()


@pytest.mark.parametrize(("chance", "filled"), [(0.45, True), (0.2, False)])
def test_a_hole_is_filled_where_it_is_hardly_less_probable_than_the_rest(chance, filled):
    probability = np.where(disc(radius=50), 0.9, 0.05).astype(np.float32)
    probability[disc(radius=6)] = chance
    closed = without_doubtful_holes(probability)
    assert (closed[disc(radius=6)] > 0.5).all() == filled
    assert np.array_equal(closed[~disc(radius=6)], probability[~disc(radius=6)])


def patch(chance, *, lightness, agreement=0.0, radius=38, fence=12):
    """What becomes of a fenced patch of some radius whose colour is `agreement` dE from the backdrop's."""
    rim = np.where(disc(radius=42) & ~disc(radius=radius), 20, agreement).astype(np.float32)
    evidence = Evidence(np.where(disc(radius=42), fence, 1.5).astype(np.float32), rim, rim, rim / 4)
    coarse = np.where(disc(), chance, 0.01).astype(np.float32)
    return join_evidence(coarse, evidence, lightness=lightness)[80, 80]


def test_before_white_a_patch_of_its_colour_is_opened_unless_the_networks_are_sure_of_it():
    assert patch(0.99, lightness=99.0) == np.float32(0.99)
    assert patch(0.8, lightness=99.0) < 0.5


def test_before_a_colour_a_large_patch_that_agrees_with_it_is_opened_whatever_the_networks_say():
    assert patch(0.99, lightness=70.0) == 0
    assert patch(0.99, lightness=70.0, agreement=1.5) > 0.5


def test_before_a_colour_a_small_patch_is_opened_unless_the_networks_are_sure_of_it():
    assert patch(0.99, lightness=70.0, radius=8) == np.float32(0.99)
    assert patch(0.8, lightness=70.0, radius=8) == 0
    assert patch(0.99, lightness=70.0, radius=8, fence=22) == 0


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_joined_evidence_is_a_probability(level):
    coarse = np.full((8, 8), level, np.float32)
    for barrier, distance in ((1.5, 0.0), (28.0, 100.0)):
        evidence = Evidence(*(np.full((8, 8), value, np.float32) for value in (barrier, distance, distance, 0.5)))
        joined = join_evidence(coarse, evidence)
        assert joined.dtype == np.float32
        assert np.all((joined >= 0) & (joined <= 1))


def test_pieces_of_a_strip_are_counted() -> None:
    mask = np.zeros((2, 4000), bool)
    mask[:, 100:1100] = True
    mask[:, 2000:2020] = True
    assert count_fragments(mask) == count_fragments(mask.T) == 1


def test_a_piece_that_floats_apart_is_a_fragment_and_a_second_shoe_is_not() -> None:
    mask = np.zeros((600, 600), bool)
    mask[300:560, 250:350] = True
    assert count_fragments(mask) == 0
    mask[294:298, 250:350] = True  # a hairline away
    assert count_fragments(mask) == 0
    mask[100:104, 280:320] = True
    assert count_fragments(mask) == 1
    mask[300:560, 400:500] = True
    assert count_fragments(mask) == 1
