import math

import pytest

from pipelines.rating.agreement import agreements, of_all, of_two

Table = list[list[int]]


def flags(table: Table, one: str = "ann", other: str = "ben") -> dict[str, dict[str, int]]:
    """Items whose flags by two raters make up `table`."""
    cells = [(row, column) for row in (0, 1) for column in (0, 1) for _ in range(table[row][column])]
    return {f"i{at}": {one: row, other: column} for at, (row, column) in enumerate(cells)}


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        ([[20, 5], [10, 15]], 0.4),  # the textbook's 50 proposals: agreed 0.7, by chance 0.5
        ([[45, 15], [25, 15]], 0.1304),  # agreed 0.60, by chance 0.54
        ([[25, 35], [5, 35]], 0.2593),  # the same agreement, by chance 0.46
        ([[10, 0], [0, 10]], 1.0),
        ([[0, 10], [10, 0]], -1.0),
    ],
)
def test_cohens_kappa_is_that_of_cases_done_by_hand(table: Table, kappa: float) -> None:
    found = of_two("product_defect", flags(table), "ann", "ben")
    assert found is not None
    assert found.kappa == pytest.approx(kappa, abs=1e-4)
    if abs(kappa) < 1:
        assert found.low is not None
        assert found.high is not None
        assert found.low < kappa < found.high


def test_kappa_is_not_defined_where_nobody_flags_anything() -> None:
    found = of_two("h", flags([[30, 0], [0, 0]]), "ann", "ben")
    assert found is not None
    assert (found.kappa, found.agreed) == (None, 1.0)


def test_fleiss_takes_any_two_raters_and_leaves_single_ratings_out() -> None:
    """Two raters a subject: Fleiss' kappa is Scott's pi; of [[20, 5], [10, 15]]: (0.7 - 0.505) / (1 - 0.505)."""
    mixed = flags([[20, 5], [10, 15]])
    for at, item in enumerate(list(mixed)):
        if at % 2:
            mixed[item] = {"cleo": mixed[item]["ann"], "dan": mixed[item]["ben"]}
    mixed["alone"] = {"ann": 1}
    found = of_all("h", mixed)
    assert found is not None
    assert found.items == 50
    assert found.kappa == pytest.approx((0.7 - 0.505) / 0.495, abs=1e-6)


def test_every_two_raters_who_share_items_are_compared() -> None:
    together = {**flags([[5, 1], [1, 3]]), "x": {"ann": 0, "cleo": 0}, "y": {"ann": 1, "cleo": 1}}
    found = list(agreements({"h": together}))
    assert [each.raters for each in found] == [(), ("ann", "ben"), ("ann", "cleo")]
    assert not any(math.isnan(each.agreed) for each in found)


def test_three_answers_agree_as_by_hand() -> None:
    said = [(0, 0), (0, 0), (1, 1), (1, 0), (2, 2), (2, 1)]  # agreed 4 of 6, by chance 12 of 36
    given = {f"u{at}": {"ann": one, "ben": other} for at, (one, other) in enumerate(said)}
    found = of_two("better", given, "ann", "ben")
    assert found is not None
    assert (found.agreed, found.kappa) == pytest.approx((2 / 3, (4 / 6 - 1 / 3) / (1 - 1 / 3)))
    together = of_all("better", given)
    assert together is not None
    chance = (5**2 + 4**2 + 3**2) / 12**2
    assert together.kappa == pytest.approx((4 / 6 - chance) / (1 - chance))


def test_the_interval_of_few_items_stays_within_what_a_kappa_can_be() -> None:
    for table in ([[2, 1], [0, 3]], [[0, 3], [2, 1]]):
        found = of_two("h", flags(table), "ann", "ben")
        assert found is not None and found.low is not None and found.high is not None and found.kappa is not None
        assert -1 <= found.low < found.kappa < found.high <= 1
