import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.experiments.__main__ import main


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traffic") / "traffic.parquet"
    assert main(["simulate", "--out", str(path), "--products", "200", "--days", "7"]) == 0
    return path


def test_a_simulated_experiment_becomes_a_report(traffic: Path, tmp_path: Path) -> None:
    assert main(["report", str(traffic), "--out", str(tmp_path), "--units", "500000,500300"]) == 0
    facts = json.loads((tmp_path / "report.json").read_text())
    page = (tmp_path / "report.html").read_text()
    assert [lift["metric"] for lift in facts["lifts"]] == ["ctr", "long_click_rate", "click_volume"]
    assert facts["lifts"][0]["low"] < 0.18 < facts["lifts"][0]["high"]
    assert len(facts["looks"]["ctr"]) == 7
    assert facts["balance"]["what"] == "units"
    assert page.count("<svg") == 4
    assert "src=" not in page
    assert "Do not read the lifts" not in page


def test_the_intervals_of_one_look_lie_within_those_for_many(traffic: Path, tmp_path: Path) -> None:
    main(["report", str(traffic), "--out", str(tmp_path), "--planned_looks", "14"])
    facts = json.loads((tmp_path / "report.json").read_text())
    assert "under way" in (tmp_path / "report.html").read_text()
    for looks in facts["looks"].values():
        for look in looks:
            assert look["repeated_low"] < look["fixed_low"] < look["lift"] < look["fixed_high"]
            assert look["always_low"] < look["fixed_low"]


def test_arms_that_got_other_traffic_than_meant_are_cried_out(traffic: Path, tmp_path: Path) -> None:
    assert main(["report", str(traffic), "--out", str(tmp_path), "--units", "500000,510000"]) == 1
    assert "Do not read the lifts" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["report", "{}", "--out", "x", "--control", "old"], "no rows of arm 'old'"),
        (["report", "{}", "--out", "x", "--units", "5"], "--units '5': two whole numbers"),
        (["report", "{}", "--out", "x", "--planned_looks", "3"], "7 days already"),
        (["report", "{}x", "--out", "x"], "holds no"),
        (["power", "--rate", "0.01"], "either --lift or --impressions"),
        (["power", "--lift", "0.1"], "either --rate or --data"),
        (["simulate", "--out", "x", "--lifts", "a,b"], "--lifts 'a,b'"),
        (["coverage", "--products", "1"], "--products"),
    ],
)
def test_bad_usage_is_told_and_ends_with_2(
    argv: list[str], message: str, traffic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([part.format(traffic) for part in argv]) == 2
    assert message in capsys.readouterr().err


def test_power_is_measured_on_an_earlier_experiment(traffic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["power", "--data", str(traffic), "--lift", "0.05"]) == 0
    told = capsys.readouterr().out
    assert "design effect" in told
    assert "products" in told
    assert main(["power", "--rate", "0.012", "--design_effect", "3", "--impressions", "2e6"]) == 0
    assert "see a lift of +" in capsys.readouterr().out


def cells(products: int = 6, days: int = 3) -> dict[str, list[object]]:
    """Noisy traffic, a row for each day, arm and product."""
    rows = [
        (day, arm, product) for day in range(days) for arm in ("control", "treatment") for product in range(products)
    ]
    return {
        "day": [f"day {day}" for day, _, _ in rows],
        "arm": [arm for _, arm, _ in rows],
        "product_id": [f"p{product}" for _, _, product in rows],
        "impressions": [1000] * len(rows),
        "clicks": [40 + 7 * at % 13 for at in range(len(rows))],
        "long_clicks": [9 + 5 * at % 7 for at in range(len(rows))],
    }


def reported(table: dict[str, list[object]], folder: Path, *more: str) -> int:
    pq.write_table(pa.table(table), folder / "t.parquet")
    return main(["report", str(folder / "t.parquet"), "--out", str(folder), *more])


def facts_of(folder: Path) -> dict[str, Any]:
    """The report's figures, read as strictly as other parsers do."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads((folder / "report.json").read_text(), parse_constant=refuse)  # type: ignore[no-any-return]


def test_products_that_were_split_exactly_as_meant_are_no_sign_of_a_fault(tmp_path: Path) -> None:
    assert reported(cells(), tmp_path) == 0
    assert facts_of(tmp_path)["balance"]["p_value"] == 1.0
    assert "nan" not in (tmp_path / "report.html").read_text()


def test_where_one_product_has_all_clicks_the_report_is_still_json(tmp_path: Path) -> None:
    table: dict[str, list[object]] = {**cells(), "impressions": [900 + 37 * at % 101 for at in range(36)]}
    for name in ("clicks", "long_clicks"):
        table[name] = [count if who == "p0" else 0 for count, who in zip(table[name], table["product_id"], strict=True)]
    assert reported(table, tmp_path) == 0
    assert [lift["high"] for lift in facts_of(tmp_path)["lifts"]] == [None] * 3


def test_two_products_in_one_arm_each_bound_nothing(tmp_path: Path) -> None:
    whole = cells(products=2, days=1)
    kept = [0, 3]
    assert reported({name: [values[at] for at in kept] for name, values in whole.items()}, tmp_path) == 0
    facts = facts_of(tmp_path)
    assert [lift["high"] for lift in facts["lifts"]] == [None] * 3
    assert facts["regression"]["ctr"]["log_ratio"] == pytest.approx(np.log1p(facts["lifts"][0]["lift"]))


def test_products_that_are_all_alike_are_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = cells()
    table["clicks"], table["long_clicks"] = [50] * 36, [10] * 36
    assert reported(table, tmp_path) == 2
    assert "every product has one ratio" in capsys.readouterr().err


def test_a_day_on_which_all_products_were_alike_is_no_look(tmp_path: Path) -> None:
    table = cells()
    for name, same in (("clicks", 50), ("long_clicks", 10)):
        table[name] = [same if day == "day 0" else value for value, day in zip(table[name], table["day"], strict=True)]
    assert reported(table, tmp_path) == 0
    assert [look["day"] for look in facts_of(tmp_path)["looks"]["ctr"]] == ["day 1", "day 2"]


@pytest.mark.parametrize("flags", [["--mixing_sd=nan"], ["--mixing_sd=inf"], ["--treatment=control"]])
def test_rules_that_make_no_sense_are_refused(
    tmp_path: Path, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert reported(cells(), tmp_path, *flags) == 2
    assert flags[0].split("=")[0] in capsys.readouterr().err


@pytest.mark.parametrize("flag", [
    "--seed=-1", "--daily_impressions=nan", "--daily_impressions=1e30", "--spread=inf", "--spread=nan",
    "--lifts=nan,0,0", "--lifts=-1,0,0", "--lifts=inf,0,0", "--lifts=0,5,0", "--treated_share=nan",
])  # fmt: skip
def test_a_market_that_cannot_be_is_refused(flag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--out", str(tmp_path / "t.parquet"), "--products=5", "--days=2", flag]) == 2
    assert flag.split("=")[0] in capsys.readouterr().err
    assert not (tmp_path / "t.parquet").exists()
