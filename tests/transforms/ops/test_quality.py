"""Cover, box and safe zone."""

import numpy as np
import pytest

from transforms.ops.compositing import core_of
from transforms.ops.quality import box_of, cover_of, height_fraction, outside_px
from transforms.records import Box, Size


def lamp():
    """A thick shade on a thin pole."""
    mask = np.zeros((200, 120), bool)
    mask[10:80, 20:100] = True
    mask[80:190, 57:63] = True
    return mask


def test_thin_parts_are_reported_apart():
    mask = lamp()
    core = core_of(mask, mask.astype(np.float32), 1)
    cover = cover_of(core, mask)
    assert cover.thin_share == pytest.approx(660 / mask.sum(), abs=0.01)
    assert cover.thick_share > 0.94 > cover.share


def test_a_product_all_thin_has_no_thick_part_to_fail():
    mask = np.zeros((50, 50), bool)
    mask[10:40, 20:24] = True
    assert cover_of(np.zeros_like(mask), mask) == (0.0, 1.0, 1.0)


def test_an_empty_mask_is_covered():
    assert cover_of(np.zeros((5, 5), bool), np.zeros((5, 5), bool)) == (1.0, 1.0, 0.0)


def test_a_product_cut_by_the_frame_is_not_thin_there():
    mask = np.zeros((60, 60), bool)
    mask[:, :30] = True
    assert cover_of(mask, mask).thin_share == 0.0


def test_boxes_zones_and_heights():
    assert box_of(lamp()) == Box(10, 20, 190, 100)
    assert box_of(np.zeros((3, 3), bool)) is None
    assert outside_px(Box(10, 20, 190, 100), Box(10, 20, 190, 100)) == 0
    assert outside_px(Box(10, 20, 190, 100), Box(10, 20, 183, 99)) == 7
    assert height_fraction(Box(10, 20, 190, 100), Size(200, 120)) == 0.9
