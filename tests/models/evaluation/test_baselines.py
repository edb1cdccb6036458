"""Fillings that any editor has."""

import numpy as np
import pytest

from models.evaluation.baselines import blur_fill, edge_stretch, mirror, plain_white


def framed():
    image, known = np.zeros((40, 30, 3), np.uint8), np.zeros((40, 30), bool)
    known[10:30] = True
    image[10:30] = np.random.default_rng(2).integers(0, 255, (20, 30, 3))
    return image, known


@pytest.mark.parametrize("fill", [blur_fill, edge_stretch, mirror, plain_white])
def test_what_is_known_stays_and_all_is_filled(fill):
    image, known = framed()
    filled = fill(image, known)
    assert filled.shape == image.shape
    assert filled.dtype == np.uint8
    assert (filled[known] == image[known]).all()
    assert filled[~known].max() > 0


def test_each_fills_as_it_is_named():
    image, known = framed()
    assert (edge_stretch(image, known)[:10] == image[10]).all()
    assert (mirror(image, known)[9] == image[10]).all()
    assert (mirror(image, known)[0] == image[19]).all()
    assert (plain_white(image, known)[~known] == 255).all()
    assert blur_fill(image, known)[~known].std() < image[known].std() / 2


def test_nothing_known_is_refused():
    with pytest.raises(ValueError, match="no pixel"):
        blur_fill(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), bool))
