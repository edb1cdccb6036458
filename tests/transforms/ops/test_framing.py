from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.strategies import framed_boxes, placements
from transforms.errors import Skipped
from transforms.ops.framing import FramingLimits, place_frame, place_product
from transforms.ops.geometry import to_placement
from transforms.placements import PLACEMENTS, Placement
from transforms.records import Box, Size

LIMITS = FramingLimits()
PRODUCT_REFUSALS = {"too_small", "frame_too_large", "no_room"}
FRAME_REFUSALS = PRODUCT_REFUSALS | {"already_fits", "too_much_to_paint"}


def inside(inner: Box, outer: Box) -> bool:
    return (
        inner.top >= outer.top
        and inner.left >= outer.left
        and inner.bottom <= outer.bottom
        and inner.right <= outer.right
    )


def keeps_aspect(source: Size, scaled: Size, scale: float) -> bool:
    return all(abs(side * scale - got) <= 1 for side, got in zip(source, scaled, strict=True))


@given(framed_boxes(), placements())
def test_a_placed_product_lies_in_the_safe_zone_undistorted_or_is_refused(framed, placement):
    source, box = framed
    try:
        transform = place_product(source, box, placement, LIMITS)
    except Skipped as refusal:
        assert refusal.reason in PRODUCT_REFUSALS
        return
    assert inside(to_placement(box, source, transform), placement.safe_zone)
    assert keeps_aspect(source, transform.scaled, transform.scale)
    assert transform.scale <= LIMITS.max_upscale
    assert (transform.kernel == "identity") == (transform.scaled == source)
    assert transform == place_product(source, box, placement, LIMITS)


@given(framed_boxes(), placements(), st.booleans())
def test_a_placed_frame_is_whole_and_its_product_in_the_safe_zone_or_is_refused(framed, placement, known):
    source, box = framed
    try:
        transform = place_frame(source, box if known else None, placement, LIMITS)
    except Skipped as refusal:
        assert refusal.reason in FRAME_REFUSALS
        return
    frame = to_placement(Box(0, 0, *source), source, transform)
    assert frame.size == transform.scaled and inside(frame, Box(0, 0, *placement.size))
    assert not known or inside(to_placement(box, source, transform), placement.safe_zone)
    assert keeps_aspect(source, transform.scaled, transform.scale)
    assert transform.scale <= LIMITS.max_upscale


@given(framed_boxes(), placements())
def test_a_frame_without_a_known_product_touches_two_opposite_sides(framed, placement):
    source, _ = framed
    try:
        transform = place_frame(source, None, placement, replace(LIMITS, max_painted=0.9))
    except Skipped:
        assume(False)
    assert transform.scaled.height == placement.size.height or transform.scaled.width == placement.size.width


@pytest.mark.parametrize("placement", PLACEMENTS.values(), ids=lambda placement: placement.name)
def test_an_ordinary_product_shot_finds_its_place_on_every_placement(placement):
    source, box = Size(2000, 2000), Box(300, 500, 1800, 1500)
    placed = to_placement(box, source, place_product(source, box, placement, LIMITS))
    zone = placement.safe_zone.size
    fill = max(placed.size.height / zone.height, placed.size.width / zone.width)
    assert LIMITS.min_fill - 0.01 <= fill <= LIMITS.max_fill + 0.01


def test_position_and_size_of_the_shot_are_kept_where_the_ratio_is_the_same():
    source, box = Size(750, 500), Box(150, 100, 675, 400)
    placed = to_placement(
        box, source, place_product(source, box, PLACEMENTS["pinterest_standard"], replace(LIMITS, snap=0))
    )
    assert placed == Box(300, 200, 1350, 800)


def test_a_small_product_grows_to_the_least_fill_and_no_further():
    placement = PLACEMENTS["meta_feed_square"]
    placed = to_placement(
        box := Box(900, 900, 1200, 1100), Size(2000, 2000), place_product(Size(2000, 2000), box, placement, LIMITS)
    )
    assert placed.size.height == pytest.approx(LIMITS.min_fill * placement.safe_zone.size.height, abs=2)


def test_a_product_that_would_be_enlarged_too_far_is_skipped_with_both_values():
    with pytest.raises(Skipped) as caught:
        place_product(Size(300, 300), Box(100, 100, 200, 200), PLACEMENTS["pmax_square"], LIMITS)
    assert caught.value.reason == "too_small"
    assert caught.value.value == pytest.approx(0.55 * 960 / 100) and caught.value.limit == 2.0


def test_a_scale_near_one_becomes_one():
    source = Size(1060, 1060)
    transform = place_product(source, Box(200, 300, 900, 760), PLACEMENTS["meta_feed_square"], LIMITS)
    assert transform.kernel == "identity" and transform.scale == 1.0 and transform.scaled == source


def test_a_hanging_product_keeps_its_height_and_a_standing_one_its_floor():
    placement = Placement("tall", Size(2000, 1000), (0.0, 0.0, 0.0, 0.0))
    hanging, standing = Box(50, 300, 450, 700), Box(500, 300, 900, 700)
    limits = replace(LIMITS, min_fill=0.1, snap=0)
    high = to_placement(hanging, Size(1000, 1000), place_product(Size(1000, 1000), hanging, placement, limits))
    low = to_placement(standing, Size(1000, 1000), place_product(Size(1000, 1000), standing, placement, limits))
    assert (high.top + high.bottom) / 2 == pytest.approx(0.25 * 2000, abs=2)
    assert low.bottom == pytest.approx(0.9 * 2000, abs=2)


def test_nothing_is_outpainted_where_the_ratio_fits():
    with pytest.raises(Skipped) as caught:
        place_frame(Size(1506, 1000), None, PLACEMENTS["pinterest_standard"], LIMITS)
    assert caught.value.reason == "already_fits" and caught.value.value < caught.value.limit


def test_too_much_to_paint_is_skipped_with_the_share():
    with pytest.raises(Skipped) as caught:
        place_frame(Size(600, 2400), None, PLACEMENTS["meta_stories"], LIMITS)
    assert caught.value.reason == "too_much_to_paint"
    assert caught.value.value == pytest.approx(1 - (270 * 1080) / (1080 * 1920), abs=1e-3)


def test_a_product_under_the_stories_furniture_makes_the_frame_smaller():
    placement = PLACEMENTS["meta_stories"]
    source, box = Size(1500, 1080), Box(20, 40, 1480, 1040)
    transform = place_frame(source, box, placement, LIMITS)
    assert transform.scaled.width < placement.size.width
    assert inside(to_placement(box, source, transform), placement.safe_zone)


def test_the_resampled_source_is_bounded():
    with pytest.raises(Skipped) as caught:
        place_product(Size(8000, 8000), Box(4000, 4000, 4300, 4300), PLACEMENTS["meta_feed_square"], LIMITS)
    assert caught.value.reason == "frame_too_large"


@pytest.mark.parametrize(("lean", "top"), [(0.0, 0), (0.5, 420), (1.0, 840)])
def test_a_frame_leans_to_an_end_of_its_room(lean, top):
    transform = place_frame(Size(1080, 1080), None, PLACEMENTS["meta_stories"], LIMITS, lean)
    assert (transform.top, transform.left) == (top, 0)


def test_a_leaning_frame_still_keeps_its_product_in_the_safe_zone():
    placement, source, box = PLACEMENTS["meta_stories"], Size(1080, 1080), Box(300, 200, 1000, 800)
    transform = place_frame(source, box, placement, LIMITS, 1.0)
    assert transform.top == placement.safe_zone.bottom - 1000
    assert inside(to_placement(box, source, transform), placement.safe_zone)
