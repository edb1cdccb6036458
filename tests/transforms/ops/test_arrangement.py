"""A row of products: inside the safe zone, apart from each other, on one line, undistorted."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import framed_boxes, placements
from transforms.errors import Skipped
from transforms.ops.arrangement import ArrangementLimits, Piece, arrange
from transforms.ops.geometry import to_placement
from transforms.placements import PLACEMENTS, Placement
from transforms.records import Box, Size

LIMITS = ArrangementLimits()
SQUARE = Piece(Size(400, 400), Box(100, 100, 300, 300))
TALL = Piece(Size(900, 400), Box(50, 100, 850, 300))


def laid(pieces, placement, **options):
    transforms = arrange(pieces, placement, **options)
    return [to_placement(each.box, each.source, how) for each, how in zip(pieces, transforms, strict=True)]


@given(st.lists(framed_boxes(), min_size=1, max_size=8), placements(), st.booleans(), st.booleans())
@example([(Size(5, 1), Box(0, 0, 5, 1))], Placement("any", Size(64, 64)), False, False)  # 2 comes out as 2 + 4e-16
def test_products_lie_apart_in_the_safe_zone_in_order_or_are_refused(framed, placement, standing, known):
    pieces = [Piece(*each, float(number + 1) if known else None) for number, each in enumerate(framed)]
    try:
        transforms = arrange(pieces, placement, standing=standing)
    except Skipped as refusal:
        assert refusal.reason in {"no_room", "frame_too_large"}
        return
    boxes = [to_placement(each.box, each.source, how) for each, how in zip(pieces, transforms, strict=True)]
    zone = placement.safe_zone
    for box in boxes:
        assert zone.top <= box.top and box.bottom <= zone.bottom and zone.left <= box.left and box.right <= zone.right
    assert all(left.right <= right.left for left, right in pairwise(boxes))
    assert not standing or len({box.bottom for box in boxes}) == 1
    for piece, how in zip(pieces, transforms, strict=True):
        pairs = zip(piece.source, how.scaled, strict=True)
        assert all(abs(side * how.scale - got) <= 1 for side, got in pairs)
        assert how.scale <= LIMITS.max_upscale and (how.kernel == "identity") == (how.scaled == piece.source)


def test_real_heights_keep_their_proportions_and_without_them_areas_are_equal():
    placement = PLACEMENTS["pmax_landscape"]
    low, high = laid([SQUARE._replace(height=0.4), TALL._replace(height=1.6)], placement)
    assert high.size.height / low.size.height == pytest.approx(4, rel=0.03)
    square, tall = (box.size.height * box.size.width for box in laid([SQUARE, TALL], placement))
    assert square == pytest.approx(tall, rel=0.05)
    # one height alone says nothing
    assert laid([SQUARE._replace(height=9.0), TALL], placement) == laid([SQUARE, TALL], placement)


def test_the_row_lies_in_the_middle_with_even_gaps():
    zone = PLACEMENTS["pmax_square"].safe_zone
    boxes = laid([SQUARE] * 3, PLACEMENTS["pmax_square"])
    assert abs((boxes[0].left - zone.left) - (zone.right - boxes[-1].right)) <= 1
    assert boxes[1].left - boxes[0].right == boxes[2].left - boxes[1].right > 10
    (alone,) = laid([TALL], PLACEMENTS["pmax_square"])
    assert alone.size.height <= LIMITS.max_height * zone.size.height + 1
