"""Renders are bleached and printed on, and a gap and a print are told apart by the truth."""

import cv2
import numpy as np

from benchmarks.bleached_patches import bleach, patches_of, print_table, printed
from transforms.inference.fake import FakeClient
from transforms.ops.bleached import bleached_backdrop

RED = (160, 40, 30)


def plate():
    """A red disk with a hole before a greyish white, and its alpha."""
    pixels = np.full((400, 400, 3), (228, 226, 222), np.uint8)
    cv2.circle(pixels, (200, 200), 120, RED, -1)
    cv2.circle(pixels, (240, 200), 30, (228, 226, 222), -1)
    return pixels, np.all(pixels == RED, -1).astype(np.float32)


def believers(sure):
    """Networks that take the whole disk for product."""

    def answer(inputs):
        red = (inputs["IMAGE"][..., 0].astype(int) - inputs["IMAGE"][..., 1] > 60).astype(np.uint8)
        closed = [cv2.morphologyEx(one, cv2.MORPH_CLOSE, np.ones((71, 71), np.uint8)) for one in red]
        return {"ALPHA": sure * np.stack(closed)[..., None].astype(np.float32)}

    return FakeClient({"segmenter": answer, "product_segmenter": answer})


def test_levels_are_drawn_up_until_the_border_is_white():
    pixels, truth = plate()
    white = bleach(pixels)
    assert bleached_backdrop(pixels) is None and bleached_backdrop(white) is not None
    assert (white[truth > 0][:, 1] < 60).all()


def test_prints_lie_on_the_product_and_a_number_is_always_the_same():
    pixels, truth = plate()
    for number in range(6):
        marked = printed(pixels, truth, number)
        changed = (marked != pixels).any(axis=-1)
        assert changed.any() and truth[changed].min() == 1
        assert np.array_equal(marked, printed(pixels, truth, number))


def test_patches_say_whether_they_are_product(capsys):
    pixels, truth = plate()
    white = bleach(pixels)
    cv2.circle(white, (140, 200), 25, (255, 255, 255), -1)
    found = list(patches_of(white, truth, believers(0.75)))
    assert sorted(round(one.product) for one in found) == [0, 1]
    assert list(patches_of(pixels, truth, believers(0.75))) == []
    print_table([*found, *patches_of(white, truth, believers(0.99))])
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[1:3] for row in rows] == [["2", "1"], ["2", "1"], ["0", "0"]]
