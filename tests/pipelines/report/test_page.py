"""The report of a run in a real Chromium."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from pipelines.report.page import render_page
from pipelines.report.summary import RunFacts, summarize
from transforms.index import index_row, index_table
from transforms.records import Outcome, Product
from transforms.storage.store import StoreConfig


@pytest.mark.browser
def test_the_page_fits_its_window_whatever_refusals_say(open_page: Callable[..., Page], tmp_path: Path) -> None:
    detail = f"https://shop.example/{'large/' * 30}a.jpg HTTP 404"
    placements = ("meta_feed_portrait", "pinterest_standard_with_a_long_name")
    rows = [
        index_row(
            Outcome(
                Product("m", 0, "acme", f"ankle-boots-{'brown' * 8}", "i.png"),
                placement, "failed", "eligibility", "source_not_allowed", detail, 0.2512, 0.1255, "upload it again",
            ),
            "night",
            "00" * 16,
        )
        for placement in placements
    ]  # fmt: skip
    index = index_table(rows)
    facts = RunFacts("night", "complete", "2026-11-01T00:00:00+00:00", wall_sec=100.0)
    (tmp_path / "report.html").write_text(render_page(index, summarize(index, facts), StoreConfig()))
    page = open_page((tmp_path / "report.html").as_uri())
    for width in (390, 1200, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    assert detail in page.inner_text(".wide")
