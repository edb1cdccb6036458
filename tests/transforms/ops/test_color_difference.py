"""Colour differences, against published figures."""

import cv2
import numpy as np
import pytest

from transforms.ops.color_difference import cie76, ciede2000, encoded_color_difference, lab_of

# Sharma, Wu and Dalal (2005), table 1: L1 a1 b1 L2 a2 b2 dE00.
PAIRS = np.array(
    [
        (50.0000, 2.6772, -79.7751, 50.0000, 0.0000, -82.7485, 2.0425),
        (50.0000, 3.1571, -77.2803, 50.0000, 0.0000, -82.7485, 2.8615),
        (50.0000, 2.8361, -74.0200, 50.0000, 0.0000, -82.7485, 3.4412),
        (50.0000, -1.3802, -84.2814, 50.0000, 0.0000, -82.7485, 1.0000),
        (50.0000, -1.1848, -84.8006, 50.0000, 0.0000, -82.7485, 1.0000),
        (50.0000, -0.9009, -85.5211, 50.0000, 0.0000, -82.7485, 1.0000),
        (50.0000, 0.0000, 0.0000, 50.0000, -1.0000, 2.0000, 2.3669),
        (50.0000, -1.0000, 2.0000, 50.0000, 0.0000, 0.0000, 2.3669),
        (50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0009, 7.1792),
        (50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0010, 7.1792),
        (50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0011, 7.2195),
        (50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0012, 7.2195),
        (50.0000, -0.0010, 2.4900, 50.0000, 0.0009, -2.4900, 4.8045),
        (50.0000, -0.0010, 2.4900, 50.0000, 0.0010, -2.4900, 4.8045),
        (50.0000, -0.0010, 2.4900, 50.0000, 0.0011, -2.4900, 4.7461),
        (50.0000, 2.5000, 0.0000, 50.0000, 0.0000, -2.5000, 4.3065),
        (50.0000, 2.5000, 0.0000, 73.0000, 25.0000, -18.0000, 27.1492),
        (50.0000, 2.5000, 0.0000, 61.0000, -5.0000, 29.0000, 22.8977),
        (50.0000, 2.5000, 0.0000, 56.0000, -27.0000, -3.0000, 31.9030),
        (50.0000, 2.5000, 0.0000, 58.0000, 24.0000, 15.0000, 19.4535),
        (50.0000, 2.5000, 0.0000, 50.0000, 3.1736, 0.5854, 1.0000),
        (50.0000, 2.5000, 0.0000, 50.0000, 3.2972, 0.0000, 1.0000),
        (50.0000, 2.5000, 0.0000, 50.0000, 1.8634, 0.5757, 1.0000),
        (50.0000, 2.5000, 0.0000, 50.0000, 3.2592, 0.3350, 1.0000),
        (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
        (63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630),
        (61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731),
        (35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645),
        (22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373),
        (36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146),
        (90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441),
        (90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381),
        (6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377),
        (2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082),
    ]
)


def test_ciede2000_gives_the_published_figures_in_both_directions():
    one, other, expected = PAIRS[:, :3], PAIRS[:, 3:6], PAIRS[:, 6]
    assert np.abs(ciede2000(one, other) - expected).max() < 5e-5
    assert np.abs(ciede2000(other, one) - expected).max() < 5e-5


def test_lab_agrees_with_opencv():
    pixels = np.random.Generator(np.random.Philox(key=1)).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    theirs = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    assert np.abs(lab_of(pixels) - theirs).max() < 0.5  # OpenCV interpolates tables


def test_black_white_and_a_known_colour():
    lab = lab_of(np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0]], np.uint8))
    assert lab == pytest.approx(np.array([[0, 0, 0], [100, 0, 0], [53.24, 80.09, 67.20]]), abs=0.02)


def test_cie76_is_the_distance_in_lab():
    assert cie76(np.array([50.0, 0, 0]), np.array([53.0, 4, 0])) == pytest.approx(5.0)


def test_the_encoded_difference_looks_at_the_core_alone():
    scene, core = np.full((20, 20, 3), 90, np.uint8), np.zeros((20, 20), bool)
    core[5:15, 5:15] = True
    decoded = scene.copy()
    decoded[~core] = 250
    assert encoded_color_difference(decoded, scene, core) == (0.0, 0.0)
    decoded[5, 5] = (90, 90, 120)
    found = encoded_color_difference(decoded, scene, core)
    assert 0 < found.mean < 1 and found.p99 < 20
    assert encoded_color_difference(decoded, scene, np.zeros_like(core)) == (0.0, 0.0)


def test_different_shapes_are_refused():
    with pytest.raises(ValueError, match="shapes"):
        encoded_color_difference(np.zeros((4, 4, 3), np.uint8), np.zeros((5, 4, 3), np.uint8), np.zeros((5, 4), bool))
