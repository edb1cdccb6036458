import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.ops.tiles import blend_tiles, tiles_of
from transforms.records import Box

sides = st.integers(1, 90)


@given(st.integers(0, 20), st.integers(0, 20), sides, sides)
@settings(max_examples=60, deadline=None)
def test_tiles_lie_in_their_box_and_cover_it(top, left, tall, wide):
    box = Box(top, left, top + tall, left + wide)
    covered = np.zeros((120, 120), np.bool_)
    for tile in tiles_of(box):
        assert box.top <= tile.top < tile.bottom <= box.bottom and box.left <= tile.left < tile.right <= box.right
        covered[tile.top : tile.bottom, tile.left : tile.right] = True
    assert covered.sum() == tall * wide


def test_tiles_that_agree_leave_no_trace_of_their_rims_and_nothing_else_changes():
    plane = np.full((40, 50), 0.2, np.float32)
    boxes = tiles_of(Box(5, 5, 35, 45))
    blended = blend_tiles(plane, boxes, [np.full(box.size, 0.9, np.float32) for box in boxes])
    assert np.allclose(blended[5:35, 5:45], 0.9, atol=1e-6)
    assert (blended[:5] == plane[:5]).all() and (blended[:, 45:] == plane[:, 45:]).all()


def test_where_tiles_disagree_the_one_whose_middle_is_nearer_has_the_word():
    plane = np.zeros((20, 64), np.float32)
    left, right = Box(0, 0, 20, 40), Box(0, 24, 20, 64)
    blended = blend_tiles(plane, (left, right), [np.ones(left.size, np.float32), np.zeros(right.size, np.float32)])
    middle = blended[10]
    assert middle[10] == 1 and middle[60] == 0
    assert (np.diff(middle[24:40]) <= 0).all() and middle[26] > 0.85 and middle[37] < 0.15
