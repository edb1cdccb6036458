import cv2
import numpy as np
import pytest

from transforms.ops.alpha_layers import layers_of

SIZE = (400, 300)
SHADOW, LENS = (20, 20, 24), (60, 90, 200)


def over(color, alpha, below):
    return np.array(color) * alpha[..., None] + below * (1 - alpha[..., None])


def product():
    """A soft-edged orange box, alpha float64 [h, w]."""
    alpha = np.zeros(SIZE)
    alpha[80:260, 90:210] = 1
    return cv2.GaussianBlur(alpha, (0, 0), 0.8)


def pool(row, *, most=0.5, blur=8.0):
    alpha = np.zeros(SIZE)
    cv2.ellipse(alpha, (150, row), (70, 14), 0, 0, 360, most, -1)
    return cv2.GaussianBlur(alpha, (0, 0), blur) if blur else alpha


def file_of(*layers, before=(255, 255, 255)):
    """Pairs of colour and alpha, the uppermost last: (picture over `before`, alpha float32)."""
    picture, clear = np.broadcast_to(np.array(before, float), (*SIZE, 3)), np.ones(SIZE)
    for color, alpha in layers:
        picture, clear = over(color, alpha, picture), clear * (1 - alpha)
    return np.rint(picture).astype(np.uint8), (np.rint((1 - clear) * 255) / 255).astype(np.float32)


def composite(layers, backdrop):
    left = 1 if layers.left is None else layers.left / 255
    return over_colors(layers.foreground, layers.alpha, backdrop * left)


def over_colors(colors, alpha, below):
    return colors * alpha[..., None] + below * (1 - alpha[..., None])


@pytest.mark.parametrize("row", [258, 330], ids=["at its foot", "floating"])
def test_a_soft_shadow_is_no_part_of_the_product_and_darkens_any_backdrop_as_the_file_does(row):
    drawn = ((SHADOW, pool(row)), ((230, 120, 30), product()))
    layers = layers_of(*file_of(*drawn))
    below = product() < 0.01
    assert layers.left is not None and layers.alpha[below].max() < 0.05
    assert np.array_equal(layers.alpha > 0.5, product() > 0.5)
    teal = (20.0, 110.0, 120.0)
    truth, _ = file_of(*drawn, before=teal)
    apart = np.abs(composite(layers, np.array(teal)) - truth)
    assert apart.mean() < 0.4 and np.percentile(apart, 99.5) < 8


def test_a_shadow_has_no_step_at_its_faintest():
    picture, alpha = file_of((SHADOW, pool(330, blur=14.0)), ((230, 120, 30), product()))
    layers = layers_of(picture, alpha)
    faint = (alpha > 0) & (alpha < 0.03) & (product() == 0)
    meant = 255 - alpha[faint] * (255 - np.mean(SHADOW))
    assert np.abs(layers.left[faint].mean(axis=1) - meant).max() < 1 and layers.alpha[faint].max() < 0.01


def test_the_product_is_the_files_where_it_is_opaque():
    picture, alpha = file_of((SHADOW, pool(258)), ((230, 120, 30), product()))
    layers = layers_of(picture, alpha)
    assert np.array_equal(layers.foreground[alpha == 1], picture[alpha == 1])
    assert (layers.alpha[(alpha == 1) & (product() > 0.99)] == 1).all()


def test_a_lens_a_veil_and_a_hard_edge_are_no_shadow_and_keep_their_own_colours():
    sure = ((230, 120, 30), product())
    lens = pool(330, most=0.6, blur=0)
    for color, soft in ((LENS, lens), ((10, 10, 10), lens), ((250, 240, 245), pool(330))):
        picture, alpha = file_of(sure, (color, soft))
        layers = layers_of(picture, alpha)
        assert layers.left is None and np.array_equal(layers.alpha, alpha)
        truth, _ = file_of(sure, (color, soft), before=(90, 40, 30))
        apart = np.abs(composite(layers, np.array((90.0, 40.0, 30.0))) - truth)[soft > 0.05]
        assert apart.mean() < 1


def test_a_glass_in_a_frame_keeps_its_own_colours():
    frame = product()
    frame[110:230, 120:180] = 0.8
    picture, alpha = file_of((LENS, frame))
    layers = layers_of(picture, alpha)
    assert layers.left is None
    assert np.abs(layers.foreground[150:200, 140:160].astype(int) - LENS).max() <= 1


def test_a_fringe_of_white_at_the_outline_is_not_carried_over():
    alpha = product()
    halo = cv2.dilate(alpha, np.ones((3, 3)))
    picture, wide = file_of(((255, 255, 255), halo), ((230, 120, 30), alpha))
    rim = (wide > 0.4) & (wide < 0.95)
    assert layers_of(picture, wide).foreground[rim].astype(int)[:, 2].mean() < picture[rim].astype(int)[:, 2].mean()


def test_nothing_solid_is_left_as_it_is():
    picture, alpha = file_of((LENS, pool(200, most=0.5, blur=0)))
    layers = layers_of(picture, alpha)
    assert layers.left is None and np.array_equal(layers.alpha, alpha)
