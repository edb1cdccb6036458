import numpy as np
import pytest

from transforms.ops.doubt import Doubt, doubt_of, visible_doubt


def flat(*rgb):
    return np.full((40, 40, 3), rgb, np.uint8)


def doubt_at(rows, share=255, rgb=(250, 250, 250)):
    plane = np.zeros((40, 40), np.uint8)
    plane[rows] = share
    return Doubt(flat(*rgb), plane)


def test_a_toss_up_is_the_greatest_doubt():
    assert list(doubt_of(np.array([0.0, 0.04, 0.25, 0.5, 0.9, 1.0], np.float32))) == [0, 0, 128, 255, 51, 0]


def test_white_in_doubt_is_seen_before_navy_and_not_before_cream():
    doubt = doubt_at(slice(0, 4))
    navy, cream = (visible_doubt(doubt, flat(*rgb), 160) for rgb in ((47, 62, 82), (244, 240, 230)))
    assert navy > 10 * cream > 0


def test_it_grows_with_the_doubt_and_with_its_extent_and_shrinks_with_the_strip():
    navy = flat(47, 62, 82)
    once = visible_doubt(doubt_at(slice(0, 2)), navy, 160)
    assert visible_doubt(doubt_at(slice(0, 4)), navy, 160) == pytest.approx(2 * once)
    assert visible_doubt(doubt_at(slice(0, 2), share=51), navy, 160) == pytest.approx(once / 5)
    assert visible_doubt(doubt_at(slice(0, 2)), navy, 320) == pytest.approx(once / 2)


def test_it_stays_between_nought_and_one_and_is_nought_without_doubt():
    assert visible_doubt(doubt_at(slice(None)), flat(0, 0, 0), 0) == 1.0
    assert visible_doubt(doubt_at(slice(0, 0)), flat(0, 0, 0), 0) == 0.0


def test_shrinking_keeps_the_mean():
    plane = np.zeros((40, 40), np.uint8)
    plane[:, :20] = 200
    small = Doubt(flat(10, 20, 30), plane).shrunk((10, 20))
    assert small.source.shape == (10, 20, 3) and small.share.shape == (10, 20)
    assert small.share.mean() == 100 and (small.source == (10, 20, 30)).all()
    assert small.shrunk((10, 20)) is small
