"""A gap and a print of the backdrop's colour are told apart by the truth, and only inside what the networks take."""

import cv2
import numpy as np
import pytest

from benchmarks.backdrop_patches import patches_of
from transforms.inference.fake import FakeClient

GREY, RED = (168, 168, 168), (160, 40, 30)


def plate():
    """A red disk with a hole and a print, both grey, before grey; its alpha, open at the hole alone."""
    pixels = np.full((400, 400, 3), GREY, np.uint8)
    cv2.circle(pixels, (200, 200), 120, RED, -1)
    alpha = (pixels[..., 0] != GREY[0]).astype(np.float32)
    alpha[np.all(pixels == RED, -1)] = 1
    for column, opaque in ((150, 0.0), (250, 1.0)):
        place = np.zeros(alpha.shape, np.uint8)
        cv2.circle(place, (column, 200), 25, 1, -1)
        pixels[place > 0], alpha[place > 0] = GREY, opaque
    return pixels, alpha


def believers():
    """Networks that take the whole disk for product, on any look."""

    def answer(inputs):
        red = (inputs["IMAGE"][..., 0].astype(int) - inputs["IMAGE"][..., 1] > 60).astype(np.uint8)
        closed = [cv2.morphologyEx(one, cv2.MORPH_CLOSE, np.ones((61, 61), np.uint8)) for one in red]
        return {"ALPHA": np.stack(closed)[..., None].astype(np.float32)}

    return FakeClient({"segmenter": answer, "product_segmenter": answer})


def test_patches_say_whether_they_are_product():
    found = patches_of("plate", *plate(), 2.5, believers())
    assert sorted(round(patch.product) for patch in found) == [0, 1]
    assert all(patch.group == "plate" and patch.mean < 0.75 and patch.fence > 5 and not patch.sure for patch in found)


@pytest.mark.parametrize("back", [(255, 255, 255), None])
def test_white_and_rough_backdrops_have_none(back):
    pixels, alpha = plate()
    rough = np.random.Generator(np.random.Philox(3)).integers(0, 255, pixels.shape, np.uint8)
    outside = np.all(pixels == GREY, -1)
    pixels[outside] = rough[outside] if back is None else back
    assert patches_of("plate", pixels, alpha, 2.5, believers()) == []
