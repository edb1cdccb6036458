import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.ops.mask_metrics import boundary_iou, iou, mean_absolute_error, s_measure


def square(top, left, side, size=40):
    mask = np.zeros((size, size), np.bool_)
    mask[top : top + side, left : left + side] = True
    return mask


def test_iou_of_shifted_squares_is_the_overlap_counted_by_hand():
    # 10 x 10 squares, 5 columns apart: 50 shared, 150 in the union
    assert iou(square(10, 10, 10), square(10, 15, 10)) == pytest.approx(50 / 150)


def test_iou_of_two_empty_masks_is_one_and_of_an_empty_and_a_full_one_is_zero():
    empty = np.zeros((4, 4), np.bool_)
    assert iou(empty, empty) == 1.0
    assert iou(empty, ~empty) == 0.0


def test_mean_absolute_error_by_hand():
    assert mean_absolute_error(np.array([[0.0, 0.5]]), np.array([[1.0, 0.5]])) == pytest.approx(0.5)


def test_boundary_iou_counts_the_bands_only():
    # diagonal 56.6, share 0.0177: bands of 1 pixel; a ring of 36 pixels against one of 44 that encloses it: no overlap
    assert boundary_iou(square(10, 10, 10), square(9, 9, 12), width_share=0.0177) == 0.0
    assert iou(square(10, 10, 10), square(9, 9, 12)) == pytest.approx(100 / 144)


def test_boundary_iou_of_a_hole_is_below_its_iou():
    holed = square(5, 5, 30)
    holed[18:22, 18:22] = False
    assert boundary_iou(holed, square(5, 5, 30), width_share=0.0177) == pytest.approx(116 / 136)
    assert iou(holed, square(5, 5, 30)) == pytest.approx(884 / 900)


def test_s_measure_of_the_truth_is_one_and_of_its_inverse_is_near_zero():
    truth = square(10, 12, 14)
    assert s_measure(truth.astype(np.float32), truth) == pytest.approx(1.0, abs=1e-6)
    assert s_measure((~truth).astype(np.float32), truth) < 0.1


def test_s_measure_of_an_empty_truth_is_what_the_matte_leaves_empty():
    assert s_measure(np.full((4, 4), 0.25, np.float32), np.zeros((4, 4), np.bool_)) == pytest.approx(0.75)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_all_measures_are_flip_invariant_and_bounded(seed):
    rng = np.random.Generator(np.random.Philox(seed))
    a, b = rng.random((2, 24, 30)) < rng.random()
    for measure in (iou, boundary_iou):
        assert measure(a, b) == measure(b, a) == measure(a[:, ::-1], b[:, ::-1])
        assert 0 <= measure(a, b) <= 1
    assert 0 <= s_measure(a.astype(np.float32), b) <= 1 + 1e-9
