import pytest

from pipelines.rating.strengths import Choice
from pipelines.rating.wins import win_rates


def test_a_win_rate_is_a_share_with_wilsons_interval() -> None:
    choices = [Choice("a", "b", 1.0, f"{n}") for n in range(8)] + [Choice("b", "a", 1.0, f"{n}") for n in (8, 9)]
    first, second = win_rates(choices)
    assert (first.contestant, first.comparisons, first.rate) == ("a", 10, 0.8)
    assert (first.low, first.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # Wilson's of 8 in 10
    assert (second.rate, second.low, second.high) == pytest.approx((0.2, 1 - first.high, 1 - first.low))


def test_no_difference_is_half_a_win_and_originals_seen_twice_count_for_less() -> None:
    once = [Choice("a", "b", share, f"{n}") for n, share in enumerate((1.0, 0.5, 0.0, 1.0))]
    again = win_rates([*once, *once])
    assert [rate.rate for rate in again] == pytest.approx([0.625, 0.375])
    alone = win_rates(once)
    assert again[0].high - again[0].low >= alone[0].high - alone[0].low - 1e-9
    assert win_rates([]) == []
