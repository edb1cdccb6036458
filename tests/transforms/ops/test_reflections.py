import numpy as np

from transforms.ops.reflections import reflection


def test_a_product_is_mirrored_about_its_base_and_fades():
    matte = np.zeros((120, 60), np.float32)
    matte[20:80, 20:40] = 1
    image = np.zeros((120, 60, 3), np.float32)
    image[70:80] = (0.8, 0.1, 0.1)
    share, mirrored = reflection(image, matte)
    assert share[:79].max() == 0 and share[82, 30] > share[95, 30] > 0
    assert share[85, 5] < 0.05
    assert mirrored[84, 30, 0] > 0.5 > mirrored[84, 30, 1]


def test_nothing_reflects_nothing():
    share, _ = reflection(np.zeros((20, 20, 3), np.float32), np.zeros((20, 20), np.float32))
    assert share.max() == 0
