"""Object expansion."""

import numpy as np
import pytest

from transforms.ops.expansion import expansion


def block(top, left, bottom, right):
    mask = np.zeros((60, 60), bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_same_mask_has_not_grown():
    assert expansion(block(10, 10, 30, 30), block(10, 10, 30, 30)) == 0.0


def test_a_shrunken_product_has_not_grown():
    assert expansion(block(15, 15, 25, 25), block(10, 10, 30, 30)) == 0.0


def test_a_pixel_around_is_the_segmenters_imprecision():
    assert expansion(block(9, 9, 31, 31), block(10, 10, 30, 30)) == 0.0


def test_a_second_product_doubles_it():
    found = block(10, 10, 30, 30) | block(35, 35, 55, 55)
    assert expansion(found, block(10, 10, 30, 30)) == pytest.approx(1.0)


def test_only_the_painted_part_counts_where_asked():
    found = block(10, 10, 30, 30) | block(35, 35, 55, 55)
    assert expansion(found, block(10, 10, 30, 30), where=block(0, 0, 34, 60)) == 0.0


def test_nothing_laid_cannot_grow():
    assert expansion(block(10, 10, 30, 30), block(0, 0, 0, 0)) == 0.0
