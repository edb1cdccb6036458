"""The table says how often a sound candidate comes first, in either order; spoiled backdrops keep their size."""

import numpy as np
import pytest

from benchmarks.judged_ranking import PLANTED, Ranked, spoiled, table_of
from transforms.judgement import Judged
from transforms.laying import Laid
from transforms.ops.ranking import Ranking

NAMES = ["studio", "studio", "garbage"]


def row(cheap, chances):
    rankings = [Ranking(at, 1 - 0.1 * place, 1.0, 1.0, 1.0) for place, at in enumerate(cheap)]
    found = [Judged(ranking, 0.0, chances[ranking.candidate]) for ranking in rankings]
    laid = Laid(*(np.zeros((4, 4), np.uint8) for _ in range(3)))
    return Ranked(laid, NAMES, [], cheap, sorted(found, key=lambda each: -each.reward))


def test_a_row_of_the_table_is_a_kind_of_candidate():
    rows = [row([2, 0, 1], [0.1, 0.1, 0.95]), row([0, 2, 1], [0.3, 0.1, 0.95])]
    studio, garbage = table_of(rows)[2:]
    assert studio == "| studio | 0.15 | 0% |  |  |"
    assert garbage == "| garbage | 0.95 | 100% | 50% | 100% |"


@pytest.mark.parametrize("kind", PLANTED)
def test_a_spoiled_backdrop_is_another_one_of_the_same_size(kind):
    candidate = np.random.default_rng(0).integers(60, 200, (96, 64, 3)).astype(np.uint8)
    other = spoiled(candidate, kind, 3)
    assert other.shape == candidate.shape and other.dtype == np.uint8
    assert (other != candidate).any() and (other == spoiled(candidate, kind, 3)).all()
