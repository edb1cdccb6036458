import numpy as np

from transforms.ops.contact import contact_shadow


def bottle():
    matte = np.zeros((240, 200), np.float32)
    matte[60:190, 85:115] = 1
    return matte


def stool():
    matte = np.zeros((300, 300), np.float32)
    matte[60:90, 90:210] = matte[90:250, 95:101] = matte[90:250, 199:205] = 1
    return matte


def test_contact_is_dark_under_the_base_and_nowhere_else():
    rows, dark = contact_shadow(bottle())
    below = dark[191 - rows.start]
    assert below[100] > 0.35 and below[:60].max() < 0.01


def test_nothing_touches_no_floor():
    assert contact_shadow(np.zeros((40, 30), np.float32))[1].size == 0


def test_things_side_by_side_touch_the_floor_each():
    left, right = np.zeros((200, 300), np.float32), np.zeros((200, 300), np.float32)
    left[60:150, 30:90], right[110:150, 180:260] = 1, 1
    band, dark = contact_shadow(left + right)
    for each in (left, right):
        rows, own = contact_shadow(each)
        there = dark[rows.start - band.start : rows.stop - band.start]
        assert there.shape == own.shape and (there >= own).all()


def test_spots_darken_the_floor_around_each_foot_alone():
    (rows, plain), (_, spotted) = contact_shadow(stool()), contact_shadow(stool(), spots=True)
    added = (spotted - plain)[250 - rows.start]
    assert added[91] > 0.05 and added[208] > 0.05 and added[150] < 0.01
    assert np.array_equal(contact_shadow(bottle())[1], contact_shadow(bottle(), spots=True)[1])


def test_contact_follows_what_lies_aslant():
    matte = np.zeros((300, 300), np.float32)
    for column in range(40, 260):
        matte[250 - column * 3 // 4 - 30 : 250 - column * 3 // 4, column] = 1
    rows, dark = contact_shadow(matte)
    assert all(dark[250 - column * 3 // 4 - rows.start, column] > 0.4 for column in range(50, 250, 20))
