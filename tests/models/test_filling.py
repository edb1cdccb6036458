"""What stands where a picture is not known: grey, or what is known carried on."""

import numpy as np

from models.filling import GREY, masked


def test_grey_stands_where_nothing_is_known():
    picture, known = np.full((8, 6, 3), 200, np.uint8), np.zeros((8, 6), bool)
    known[2:4] = True
    shown = masked(picture, known)
    assert (shown[2:4] == 200).all() and (shown[:2] == GREY).all() and (shown[4:] == GREY).all()
    assert (masked(picture, np.zeros_like(known), fills=True) == GREY).all()


def test_colours_are_carried_on_from_the_nearest_side_and_what_is_not_known_does_not_matter():
    picture, known = np.full((64, 96, 3), (10, 250, 90), np.uint8), np.zeros((64, 96), bool)
    known[:, 32:64] = True
    picture[:, 32:48], picture[:, 48:64] = (200, 60, 40), (40, 60, 200)
    shown = masked(picture, known, fills=True)
    assert np.array_equal(shown[known], picture[known])
    left, right = (shown[:, columns].reshape(-1, 3).mean(0) for columns in (slice(0, 32), slice(64, 96)))
    assert left[0] > left[2] + 5 and right[2] > right[0] + 5
    picture[:, :32] = 0
    assert np.array_equal(masked(picture, known, fills=True), shown)
