"""Patches that the refiner cuts are counted by the rule that keeps them, and by what they are."""

import cv2
import numpy as np

from benchmarks.refined_patches import Patch, cuts_of, table_of
from transforms.inference.fake import FakeClient

GREY, RED = (205, 205, 205), (160, 40, 30)


def test_a_cut_patch_says_how_much_of_it_is_product():
    pixels = np.full((400, 400, 3), GREY, np.uint8)
    cv2.circle(pixels, (200, 200), 120, RED, -1)
    truth = (pixels[..., 0] != GREY[0]).astype(np.float32)
    truth[180:220, 160:190] = 0

    def cut(inputs):
        shown = inputs["IMAGE"]
        alpha = shown[..., 3:4].astype(np.float32) / np.float32(255)
        alpha[:, 230:282, 205:243] = 0.1  # the hole, at working size
        return {"ALPHA": alpha}

    (patch,) = cuts_of(pixels, truth, FakeClient({"mask_refiner": cut}))
    assert patch.area == 52 * 38 and patch.product < 0.05
    assert patch.rule() == "sure" and patch.distance > 20


def test_a_rough_backdrop_has_none():
    rough = np.random.Generator(np.random.Philox(3)).integers(0, 255, (200, 200, 3), np.uint8)
    assert cuts_of(rough, np.zeros((200, 200), np.float32), FakeClient()) == []


def test_the_table_counts_by_rule():
    patches = [
        Patch(100, 0.9, 0.1, 1.0),
        Patch(100, 0.6, 0.1, 0.2),
        Patch(100, 0.6, 2.0, 1.0),
        Patch(20, 0.6, 2.0, 0.0),
    ]
    assert table_of(patches).splitlines()[2:] == [
        "| sure | 1 | 1 | 100 | 0 |",
        "| other colour | 1 | 1 | 100 | 0 |",
        "| cut | 2 | 0 | 20 | 100 |",
    ]
