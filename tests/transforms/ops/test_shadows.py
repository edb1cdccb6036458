import cv2
import numpy as np

from transforms.ops.footing import parts_of
from transforms.ops.shadows import KeyLight, floor_shadow, run_widths, wall_shadow

FROM_LEFT = KeyLight(across=0.7, back=0.25, softness=0.3)


def bottle(height=240, width=200):
    matte = np.zeros((height, width), np.float32)
    matte[60:190, 85:115] = 1
    return matte


def block():
    """A brick that turns a corner to a camera that looks down."""
    matte = np.zeros((300, 300), np.float32)
    corners = np.array([(40, 140), (120, 210), (250, 150), (250, 90), (170, 40), (40, 85)], np.int32)
    cv2.fillPoly(matte, [corners], 1.0)
    return matte


def test_the_shadow_falls_away_from_the_light():
    key, _ = floor_shadow(bottle(), FROM_LEFT, 0.0)
    assert key[165:190, 120:180].mean() < key[165:190, 20:80].mean() - 0.1


def test_a_mirrored_light_throws_a_mirrored_shadow():
    from_right = FROM_LEFT._replace(across=-FROM_LEFT.across)
    left, _ = floor_shadow(bottle(), FROM_LEFT, 0.0)
    right, _ = floor_shadow(bottle(), from_right, 0.0)
    assert abs(left.mean() - right[:, ::-1].mean()) < 0.01
    assert np.abs(left - right[:, ::-1]).mean() < 0.03


def test_the_floor_before_and_far_from_the_product_is_lit():
    key, sky = floor_shadow(bottle(), FROM_LEFT, 0.0)
    assert key[215:].min() > 0.9 and sky[215:].min() > 0.75
    assert sky[186, 100] < 0.5


def test_shadows_are_softer_further_from_the_base():
    def edge(row_values):
        return np.abs(np.diff(row_values)).max()

    key, _ = floor_shadow(bottle(), FROM_LEFT._replace(back=0.8), 0.0)
    near, far = key[184, 116:], key[168, 116:]
    assert edge(near) > edge(far)


def test_nothing_above_the_given_row_is_touched():
    key, sky = floor_shadow(bottle(), FROM_LEFT, 0.9)
    assert key[:200].min() > 0.999 and sky[:200].min() > 0.999


def test_a_wall_takes_the_shadow_up_where_the_light_comes_from_before():
    far = FROM_LEFT._replace(back=1.6)
    (key, _), (walled, sky) = floor_shadow(bottle(), far, 0.75), floor_shadow(bottle(), far, 0.75, wall=True)
    end = round(0.75 * len(key))
    assert key[: end - 12].min() > 0.99 and walled[: end - 12].min() < 0.7
    assert np.allclose(key[end + 12 :], walled[end + 12 :], atol=0.02) and sky.min() < 1
    _, columns = np.nonzero(walled[: end - 12] < 0.8)
    assert columns.mean() > bottle().nonzero()[1].mean()  # away from the light
    behind, _ = floor_shadow(bottle(), FROM_LEFT._replace(back=-0.5), 0.75, wall=True)
    assert behind[: end - 12].min() > 0.99


def test_a_rod_that_is_one_row_high_hides_a_little_of_the_sky_wherever_it_lies():
    for row in range(4, 96, 7):
        rod = np.zeros((96, 64), np.float32)
        rod[row, 4:60] = 1
        key, sky = floor_shadow(rod, FROM_LEFT, 0.0, wall=True)
        assert key.min() >= 0 and 0 <= sky[row].min() < 1


def test_an_empty_matte_leaves_an_open_floor():
    key, sky = floor_shadow(np.zeros((40, 30), np.float32), FROM_LEFT, 0.0)
    assert key.min() == 1.0 and sky.min() == 1.0


def test_a_hung_product_shades_the_wall_below_and_beside_it():
    key, _ = wall_shadow(bottle(), FROM_LEFT, 10.0)
    assert key[100:180, 117].mean() < key[100:180, 82].mean()
    assert key[193, 100] < key[55, 100]


def test_runs_are_measured_row_by_row():
    assert run_widths(np.array([[True, False, True, True], [False] * 4])).tolist() == [[1, 0, 2, 2], [0] * 4]


def test_things_side_by_side_throw_the_shadows_that_each_throws_alone():
    left, right = np.zeros((200, 300), np.float32), np.zeros((200, 300), np.float32)
    left[60:150, 30:90], right[110:150, 180:260] = 1, 1
    key = KeyLight(0.3, 0.3, 0.3)
    both, alone = floor_shadow(left + right, key, 0.0), [floor_shadow(each, key, 0.0) for each in (left, right)]
    assert all(np.array_equal(part, whole) for part, whole in zip(parts_of(left + right), (left, right), strict=True))
    for seen, first, second in zip(both, *alone, strict=True):
        assert np.abs(seen - np.minimum(first, second)).max() < 0.12


def test_what_is_seen_from_above_shades_the_floor_along_its_whole_lower_edge():
    brick, key = block(), KeyLight(0.5, 0.2, 0.3)
    _, sky = floor_shadow(brick, key, 0.0)
    columns = np.arange(60, 230)
    below = np.array([np.flatnonzero(brick[:, column])[-1] + 3 for column in columns])
    assert sky[below, columns].max() < 0.85
    assert floor_shadow(brick, key, 0.7)[1][:180].min() > 0.999


def test_what_hovers_beside_a_product_is_a_part_of_it():
    matte = np.zeros((100, 100), np.float32)
    matte[10:90, 20:50] = matte[20:30, 60:70] = 1
    assert len(parts_of(matte)) == 1
    matte[60:90, 80:95] = 1
    assert [part[20:30, 60:70].sum() for part in parts_of(matte)] == [100, 0]
    assert len(parts_of(np.zeros((9, 9), np.float32))) == 1
