import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.ops.oklab import hue_gap_deg, in_gamut, lch, oklab_to_linear, to_linear, to_oklab, to_srgb


def test_white_is_lightness_one_without_colour():
    assert to_oklab(np.array([255, 255, 255], np.uint8)) == pytest.approx([1.0, 0.0, 0.0], abs=1e-3)


def test_red_is_where_ottosson_publishes_it():
    assert to_oklab(np.array([255, 0, 0], np.uint8)) == pytest.approx([0.628, 0.225, 0.126], abs=2e-3)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_every_colour_comes_back(rgb):
    pixel = np.array(rgb, np.uint8)
    back = to_srgb(oklab_to_linear(to_oklab(pixel))) * 255
    assert back == pytest.approx(pixel, abs=1.0)


def test_bytes_and_floats_decode_alike():
    levels = np.arange(256, dtype=np.uint8)
    assert to_linear(levels) == pytest.approx(to_linear(levels.astype(np.float32) / 255), abs=1e-6)


@given(st.floats(0.1, 0.95), st.floats(0, 0.4), st.floats(0, 360))
def test_a_colour_brought_into_gamut_can_be_shown(lightness, chroma, hue):
    linear = oklab_to_linear(in_gamut(lch(lightness, chroma, hue)))
    assert linear.min() >= -1e-3 and linear.max() <= 1 + 1e-3


def test_hues_are_measured_the_short_way_round():
    assert hue_gap_deg(lch(0.5, 0.1, 350), lch(0.5, 0.1, 20)) == pytest.approx(30, abs=0.1)
    assert hue_gap_deg(lch(0.5, 0.1, 10), lch(0.5, 0.1, 190)) == pytest.approx(180, abs=0.1)
