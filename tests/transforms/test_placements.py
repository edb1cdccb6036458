"""The table of placements, and the rows that a job adds to it."""

from __future__ import annotations

from typing import Any

import pytest

from transforms.errors import ConfigError
from transforms.placements import PLACEMENTS, extend_placements
from transforms.records import Size

BANNER = {"name": "banner", "size": [90, 728]}


def test_a_row_joins_the_table_or_replaces_one_of_it() -> None:
    table = extend_placements([BANNER, {"name": "pmax_square", "size": [600, 600], "safe_margins": [0, 0, 0, 0.1]}])
    assert table["banner"].size == Size(90, 728)
    assert table["pmax_square"].safe_margins == (0, 0, 0, 0.1)
    assert set(table) == {*PLACEMENTS, "banner"}


@pytest.mark.parametrize("row", [1, None, "ab", [1, 2], {}, {"name": "b"}, {"size": [90, 728]}, {**BANNER, "sizes": 1}])
def test_what_is_no_placement_is_refused(row: Any) -> None:
    with pytest.raises(ConfigError, match="placement "):
        extend_placements([row])


def test_a_field_that_there_is_none_of_is_named_with_those_that_there_are() -> None:
    with pytest.raises(
        ConfigError, match="no field 'sizes'; it takes name, size, safe_margins, file_format, max_bytes"
    ):
        extend_placements([{**BANNER, "sizes": 1}])


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", ["", " ", "a,b", 5, None]),
        ("size", [None, [90], [90.9, 728], ["90", 728], [float("inf"), 90], [True, 728], [63, 64], [64, 8193]]),
        ("safe_margins", [5, [0, 0, 0], ["a"] * 4, [0.5, 0, 0.4, 0], [-0.1, 0, 0, 0], [float("nan"), 0, 0, 0]]),
        ("file_format", ["gif", [], None]),
        ("max_bytes", ["x", None, 0, -1, 1.5]),
    ],
)
def test_a_value_out_of_range_is_refused_at_launch(field: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(ConfigError, match="placement "):
            extend_placements([{**BANNER, field: value}])
