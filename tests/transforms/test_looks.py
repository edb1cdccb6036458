"""What is shown to the networks: a backdrop in the middle tones, a box around what was found, a cutout elsewhere."""

import cv2
import numpy as np
import pytest

from transforms.inference.fake import FakeClient
from transforms.looks import recheck, toned, working_size, zoom_box
from transforms.ops.mask_gate import measure_recheck
from transforms.records import Box, Size


@pytest.mark.parametrize(("level", "darker"), [(250, True), (20, False)])
def test_toning_brings_the_backdrop_towards_the_middle_and_spreads_what_lies_by_it(level, darker):
    image = np.full((40, 40, 3), level, np.uint8)
    image[10:30, 10:30] = level - 6
    result = toned(image).astype(int)
    assert (result[0, 0, 0] < level) == darker
    assert result[0, 0, 0] - result[20, 20, 0] > 6


def test_working_size_keeps_the_ratio_and_the_zoom_box_keeps_inside():
    assert working_size(Size(1500, 1000)) == Size(512, 341)
    mask = np.zeros((100, 100), np.bool_)
    assert zoom_box(mask) == Box(0, 0, 100, 100)
    mask[0:40, 60:100] = True
    assert zoom_box(mask) == Box(0, 52, 48, 100)


def test_a_narrow_product_is_looked_at_with_what_is_beside_it():
    mask = np.zeros((200, 200), np.bool_)
    mask[20:180, 96:104] = True
    box = zoom_box(mask)
    assert box.size.width >= 0.6 * box.size.height - 1 and box.top <= 20 and box.bottom >= 180
    assert abs((box.left + box.right) / 2 - 100) <= 1


def test_a_mask_that_takes_backdrop_along_or_leaves_a_part_behind_shows_when_it_is_looked_at_again():
    rows, columns = np.mgrid[:600, :480]
    alpha = (np.hypot((rows - 300) / 1.5, columns - 240) < 130).astype(np.float32)
    pixels = np.where(alpha[..., None] > 0, (50, 90, 140), 255).astype(np.uint8)
    answer = lambda inputs: {"ALPHA": (inputs["IMAGE"][..., :1] < 100).astype("f4")}  # noqa: E731
    client = FakeClient({"product_segmenter": answer})
    half, wide = alpha.copy(), cv2.dilate(alpha, np.ones((61, 61), np.uint8))
    half[: alpha.shape[0] // 2] = 0

    def measures(matte):
        again, left = recheck(pixels, matte, pixels, matte > 0.5, client)
        return measure_recheck(matte > 0.5, again, left)

    assert measures(alpha)["recut_agreement"] > 0.9 and measures(alpha)["remains"] < 0.02
    assert measures(half)["remains"] > 0.3
    assert measures(wide)["recut_agreement"] < 0.8
