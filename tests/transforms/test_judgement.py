import numpy as np
import pytest

from transforms.errors import ConfigError, Rejected
from transforms.inference.fake import FakeClient
from transforms.judgement import Judged, JudgementSettings, judged, refuse_defective
from transforms.ops.ranking import Ranking

IMAGE, PRODUCT = np.full((12, 8, 3), 90, np.uint8), np.full((12, 8), 255, np.uint8)


def rewarding(inputs):
    """Finds fault with a candidate by its own first pixel: red of the product, green of the background."""
    first = inputs["CANDIDATE"][:, 0, 0] / np.float32(255)
    return {"PRODUCT_DEFECT": first[:, :1].astype(np.float32), "BACKGROUND_DEFECT": first[:, 1:2].astype(np.float32)}


def candidates(*colours):
    return [np.full((12, 8, 3), colour, np.uint8) for colour in colours]


def rankings(*rewards):
    return [Ranking(number, reward, 1.0, 1.0, 1.0) for number, reward in enumerate(rewards)]


def test_a_sound_candidate_passes_a_prettier_defective_one():
    client = FakeClient({"reward": rewarding})
    found = judged(client, IMAGE, PRODUCT, candidates((204, 0, 0), (0, 51, 0)), rankings(0.9, 0.6))
    assert [entry.ranking.candidate for entry in found] == [1, 0]
    assert found[0].background == pytest.approx(0.2) and found[0].product == 0
    assert found[0].reward == pytest.approx(0.6 * 0.8)


def test_each_ranking_keeps_its_own_candidates_verdict_across_batches_and_orders():
    client = FakeClient({"reward": rewarding})
    shades = [(number * 20, 0, 0) for number in range(9)]
    found = judged(client, IMAGE, PRODUCT, candidates(*shades), rankings(*[0.5] * 9)[::-1])
    assert len(client.requests) == 3
    assert all(entry.product == pytest.approx(entry.ranking.candidate * 20 / 255) for entry in found)
    assert [entry.ranking.candidate for entry in found] == list(range(9))


def test_a_probable_defect_is_rejected_with_its_probability_and_limit():
    best = Judged(rankings(0.9)[0], product=0.2, background=0.7)
    refuse_defective(best, JudgementSettings(max_background_defect=0.7), {})
    with pytest.raises(Rejected) as refusal:
        refuse_defective(best, JudgementSettings(max_background_defect=0.6), {"background_defect": 0.7})
    assert refusal.value.reason == "likely_defect"
    assert (refusal.value.value, refusal.value.limit) == (0.7, 0.6)


def test_limits_are_probabilities():
    with pytest.raises(ConfigError, match=r"max_product_defect 1\.5"):
        JudgementSettings(max_product_defect=1.5)
