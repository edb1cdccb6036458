import json

import pyarrow as pa
import pytest

from pipelines.busy import compute_sec
from pipelines.progress import describe
from pipelines.report.page import render_page
from pipelines.report.plots import stacked_outcomes
from pipelines.report.summary import RunFacts, summarize
from transforms.index import index_row, index_table
from transforms.records import Outcome, Product
from transforms.storage.store import StoreConfig
from transforms.tally import StopRules, Tally

FACTS = RunFacts("night", "complete", "2026-11-01T00:00:00+00:00", wall_sec=100.0, price_per_hour=36.0)


def _index() -> pa.Table:
    def row(
        number: int, placement: str | None, outcome: str, reason: str, run: str = "night", title: str = ""
    ) -> dict[str, object]:
        product = Product("m", number, "acme", f"p{number}", "x", title=title)
        columns = {"scores": {"halo": float(number), "product_pixels_differing": 0.0}, "timings_msec": {"load": 5.0},
                   "task": "background", "painter": "studio"}  # fmt: skip
        ended = Outcome(product, placement, outcome, "verify", reason, "<b>why</b>", 2.0, 1.0, columns=columns)
        return index_row(ended, run, "00" * 16)

    rows = [
        row(0, "one", "enhanced", "ok"),
        row(0, "two", "enhanced", "ok"),
        row(1, "one", "rejected", "halo"),
        row(1, "two", "enhanced", "ok", run="earlier"),
        row(2, None, "failed", "bad_row"),
    ]
    return index_table(rows)


def test_counts_come_from_the_index() -> None:
    summary = summarize(_index(), FACTS)
    assert summary["rows"] == 3
    assert summary["outcomes"] == {"enhanced": 3, "rejected": 1, "failed": 1}
    assert summary["carried_from_earlier_runs"] == 1
    assert summary["reasons"]["rejected"] == {"halo": 1}
    assert summary["placements"]["two"] == {"enhanced": 2}
    assert summary["product_pixels_differing"] == 0.0


def test_cost_is_shared_by_what_this_run_enhanced() -> None:
    summary = summarize(_index(), FACTS)
    assert summary["cost"] == pytest.approx(1.0)
    assert summary["cost_per_enhanced"] == pytest.approx(0.5)
    assert summary["throughput_per_sec"] == pytest.approx(0.04)


def test_an_empty_index_has_a_report() -> None:
    summary = summarize(index_table([]), FACTS)
    assert summary["outcomes"] == {}
    assert "Run night" in render_page(index_table([]), summary, StoreConfig())


def test_the_page_shows_every_refusal_and_no_foreign_markup() -> None:
    page = render_page(_index(), summarize(_index(), FACTS), StoreConfig())
    assert "&lt;b&gt;why&lt;/b&gt;" in page
    assert "<b>why</b>" not in page
    assert "bad_row" in page
    assert 'src="http' not in page


def test_the_summary_is_json() -> None:
    assert json.loads(json.dumps(summarize(_index(), FACTS)))["run"]["run_id"] == "night"


def test_progress_tells_rate_outcomes_time_left_and_cost() -> None:
    tally = Tally(StopRules(price_per_hour=3.6), started=0.0)
    tally.expect(100, 7)
    for outcome in ("enhanced", "enhanced", "failed"):
        tally.add(Outcome(Product("m", 0, "a", "p", "x"), "one", outcome, "load", "r"))
    line = describe(tally, now=6.0)
    assert "3/100 decided" in line
    assert "2 enhanced · 1 failed" in line
    assert "0.50/s" in line
    assert "0:03:14 left" in line
    assert "7 settled before" in line


def test_compute_time_is_read_from_the_servers_metrics() -> None:
    text = (
        "# HELP nv_inference_compute_infer_duration_us x\n"
        'nv_inference_compute_infer_duration_us{model="a",version="1"} 2000000\n'
        'nv_inference_compute_infer_duration_us{model="b",version="1"} 500000\n'
    )
    assert compute_sec(text) == {"a": 2.0, "b": 0.5}


def test_a_placement_s_name_is_no_formula() -> None:
    assert "$5 x_{ $" in stacked_outcomes({"$5 x_{ $": {"enhanced": 1}})


def test_a_long_list_of_refusals_begins_with_what_failed_and_says_how_long_it_is() -> None:
    def row(number: int, outcome: str) -> dict[str, object]:
        product = Product("m", number, f"shop {number}", f"p{number}", "x")
        return index_row(Outcome(product, "one", outcome, "verify", "halo", "why"), "night", "00" * 16)

    index = index_table([*(row(number, "skipped") for number in range(600)), row(600, "failed"), row(601, "rejected")])
    page = render_page(index, summarize(index, FACTS), StoreConfig())
    assert page.index("p600<td>shop 600") < page.index("p601<td>shop 601") < page.index("p0<td>shop 0")
    assert "The first 500 of 602" in page and "p499<td>" not in page


def test_rows_without_a_placement_are_said_to_have_none() -> None:
    page = render_page(_index(), summarize(_index(), FACTS), StoreConfig())
    assert "in no placement" in page
