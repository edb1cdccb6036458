import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.rating.strengths import Choice, strengths
from transforms.errors import TableError

TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
WINS = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ]
)
PUBLISHED = (1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0.0)


def games(wins: np.ndarray, names: tuple[str, ...] = TEAMS) -> list[Choice]:  # type: ignore[type-arg]
    return [
        Choice(names[one], names[other], 1.0, f"game {one} {other} {number}")
        for one, other in zip(*np.nonzero(wins), strict=True)
        for number in range(wins[one, other])
    ]


def test_the_baseball_season_of_1987_gives_the_published_strengths() -> None:
    """Agresti, Categorical Data Analysis (2002), table 10.10, as the R package BradleyTerry2 fits it."""
    found = {strength.contestant: strength for strength in strengths(games(WINS), prior_ties=0)}
    against_last = [found[team].strength - found["Baltimore"].strength for team in TEAMS]
    assert against_last == pytest.approx(PUBLISHED, abs=1e-3)
    assert sum(strength.strength for strength in found.values()) == pytest.approx(0, abs=1e-9)
    assert found["Milwaukee"].comparisons == 78
    assert found["Milwaukee"].wins == 50


def test_two_contestants_have_the_log_odds_of_their_wins() -> None:
    wins = np.array([[0, 30], [10, 0]])
    (better, worse) = strengths(games(wins, ("a", "b")), prior_ties=0)
    assert (better.contestant, worse.contestant) == ("a", "b")
    assert better.strength - worse.strength == pytest.approx(np.log(3))
    # The error of log odds is sqrt(1 / 30 + 1 / 10); each strength is half the difference.
    assert (better.high - better.low) / 2 == pytest.approx(1.96 * np.sqrt(1 / 30 + 1 / 10) / 2, rel=1e-3)


def test_ties_count_half_for_both() -> None:
    ties = [Choice("a", "b", 0.5, f"{number}") for number in range(40)]
    (one, other) = strengths(ties)
    assert one.strength == pytest.approx(0, abs=1e-9)
    assert other.wins == 20


def test_who_never_lost_has_a_finite_strength_and_a_wide_interval() -> None:
    (winner, _) = strengths(games(np.array([[0, 12], [0, 0]]), ("a", "b")))
    assert 0 < winner.strength < 4
    assert winner.high - winner.low > 1.5


def test_originals_that_were_compared_often_count_less() -> None:
    alone = [Choice("a", "b", float(number % 3 > 0), f"{number}") for number in range(60)]
    repeated = [Choice("a", "b", float(number % 3 > 0), f"{number % 6}") for number in range(60)]
    wide, narrow = strengths(repeated)[0], strengths(alone)[0]
    assert wide.strength == pytest.approx(narrow.strength)
    assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)


def test_intervals_cover_true_strengths() -> None:
    truth = {"a": 0.8, "b": 0.0, "c": -0.8}
    noise = np.random.default_rng(8)
    held = []
    for _ in range(150):
        choices = []
        for number in range(90):
            one, other = noise.permutation(["a", "b", "c"])[:2]
            won = noise.random() < 1 / (1 + np.exp(truth[other] - truth[one]))
            choices.append(Choice(str(one), str(other), float(won), f"{number}"))
        held += [found.low <= truth[found.contestant] <= found.high for found in strengths(choices)]
    assert 0.92 <= np.mean(held) <= 0.99


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.0, 0.5, 1.0])), min_size=3, max_size=30))
def test_swapping_sides_changes_nothing(given_choices: list[tuple[int, float]]) -> None:
    pairs = (("a", "b"), ("b", "c"), ("a", "c"))
    base = [Choice("a", "b", 0.5, "x"), Choice("b", "c", 0.5, "y")]
    forth = base + [Choice(*pairs[pair], share, f"{at}") for at, (pair, share) in enumerate(given_choices)]
    back = [Choice(choice.second, choice.first, 1 - choice.share, choice.subject) for choice in forth]
    for one, other in zip(
        sorted(strengths(forth), key=lambda found: found.contestant),
        sorted(strengths(back), key=lambda found: found.contestant),
        strict=True,
    ):
        assert one.strength == pytest.approx(other.strength, abs=1e-6)
        assert one.low == pytest.approx(other.low, abs=1e-6)


def test_groups_that_never_met_are_refused() -> None:
    with pytest.raises(TableError, match="c, d never met a"):
        strengths([Choice("a", "b", 1.0, "x"), Choice("c", "d", 1.0, "y")])
    with pytest.raises(TableError, match="nothing was compared"):
        strengths([])
