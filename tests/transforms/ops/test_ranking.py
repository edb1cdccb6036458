import cv2
import numpy as np
import pytest

from transforms.ops.doubt import Doubt
from transforms.ops.ranking import rank_candidates


def disc(rgb, rim=None):
    alpha = np.zeros((200, 200), np.uint8)
    cv2.circle(alpha, (100, 100), 60, 255, -1, cv2.LINE_AA)
    image = np.full((200, 200, 3), rgb, np.uint8)
    if rim is not None:
        core = cv2.erode(alpha, np.ones((5, 5), np.uint8)) == 255
        image[~core] = rim
    return image, alpha


def flat(*rgb):
    return np.full((200, 200, 3), rgb, np.uint8)


def test_the_product_that_stands_out_wins():
    ranked = rank_candidates(*disc((245, 245, 245)), [flat(250, 248, 245), flat(120, 130, 140), flat(225, 225, 225)])
    assert [ranking.candidate for ranking in ranked] == [1, 2, 0]
    assert ranked[0].contrast > 0.9 and ranked[-1].contrast < 0.1


def test_a_clash_loses_against_equal_contrast():
    ranked = rank_candidates(*disc((200, 40, 40)), [flat(190, 220, 120), flat(190, 215, 225)])
    assert ranked[0].candidate == 1 and ranked[0].harmony > ranked[1].harmony


def test_a_pale_rim_shows_on_dark_and_not_on_light():
    dark, light = (rank_candidates(*disc((90, 20, 20), rim=(250, 250, 250)), [backdrop])[0] for backdrop in
                   (flat(30, 30, 40), flat(250, 250, 248)))  # fmt: skip
    assert dark.clean_edge < 0.2 and light.clean_edge > 0.9
    assert rank_candidates(*disc((90, 20, 20)), [flat(30, 30, 40)])[0].clean_edge > 0.95


def test_every_score_lies_between_nought_and_one():
    for ranking in rank_candidates(*disc((10, 200, 90)), [flat(0, 0, 0), flat(255, 0, 255)]):
        assert all(0 <= score <= 1 for score in ranking[1:])


def test_an_empty_matte_earns_nothing():
    image = flat(0, 0, 0)
    assert rank_candidates(image, np.zeros((200, 200), np.uint8), [image])[0].reward == 0


def test_of_two_good_backdrops_the_one_wins_that_hides_a_doubtful_outline():
    image, alpha = disc((150, 60, 40))
    rim = cv2.dilate(alpha, np.ones((9, 9), np.uint8)) - cv2.erode(alpha, np.ones((9, 9), np.uint8))
    backdrops = [flat(47, 62, 82), flat(236, 230, 218)]
    for old in (0, 1):  # the one that is like the old backdrop
        ranked = rank_candidates(image, alpha, backdrops, Doubt(backdrops[old], rim))
        assert ranked[0].candidate == old and ranked[0].visible_doubt < 0.01 < ranked[1].visible_doubt
        assert ranked[0].merit == pytest.approx(ranked[0].reward, abs=0.05) and ranked[1].merit < ranked[1].reward


def test_what_is_known_for_sure_is_ranked_as_before():
    image, alpha = disc((150, 60, 40))
    backdrops = [flat(47, 62, 82), flat(236, 230, 218), flat(140, 60, 50)]
    sure = Doubt(image, np.zeros_like(alpha))
    assert rank_candidates(image, alpha, backdrops, sure) == rank_candidates(image, alpha, backdrops)
