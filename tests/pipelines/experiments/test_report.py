import json
from pathlib import Path

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
