"""A head is measured against clean pictures, and apart from that among the other head's defects."""

import numpy as np
import pytest

from benchmarks.reward import heads_of
from models.data.reward_bank import Sample

KINDS = ("clean", "halo", "cut", "seam", "garbage")


@pytest.fixture
def measured():
    """Ten pictures a kind: each head is sure and right, but the background's calls a spoiled product defective."""
    samples = [Sample(np.zeros((1, 1, 7), np.uint8), (0.0, 0.0), kind, 0.5) for kind in KINDS for _ in range(10)]
    kinds = np.array([sample.kind for sample in samples])
    chances = np.stack([np.isin(kinds, ["halo", "cut"]), kinds != "clean"], 1).astype(float)
    return {(row["head"], row["kinds"]): row for row in heads_of(samples, chances, ["seam"])}


def test_what_a_head_says_of_the_others_defects_shows_only_among_them(measured):
    background = measured["background", "seen"]
    assert (background["auc"], background["ece"]) == (1.0, 0.0)
    assert background["among"]["auc"] == pytest.approx(0.75)  # a tie with half of the sound ones
    assert background["among"]["ece"] == pytest.approx(1 / 3)
    product = measured["product", "seen"]
    assert product["auc"] == product["among"]["auc"] == 1.0


def test_kinds_that_were_never_shown_have_a_row_of_their_own(measured):
    assert set(measured) == {("product", "seen"), ("background", "seen"), ("background", "unseen")}
