"""The report of a simulated experiment in a real Chromium.

With CANVAS_SCREENSHOTS=FOLDER the picture of docs/experiments.md is drawn there.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from browsers import accessibility_faults
from playwright.sync_api import Page

from pipelines.experiments.__main__ import main


@pytest.mark.browser
def test_the_report_reads_well_on_a_desk_and_on_a_phone(open_page: Callable[..., Page], tmp_path: Path) -> None:
    main(["simulate", "--out", f"{tmp_path}/traffic.parquet"])
    argv = ["report", f"{tmp_path}/traffic.parquet", "--out", str(tmp_path), "--units", "1147000,1147900"]
    assert main([*argv, "--title", "Simulated: new backgrounds"]) == 0
    page = open_page((tmp_path / "report.html").as_uri(), viewport={"width": 1000, "height": 1010})
    assert page.locator("svg").count() == 4
    assert "+18.0%" not in page.inner_text("table")  # an estimate, not the truth that was put in
    if "CANVAS_SCREENSHOTS" in os.environ:
        page.screenshot(path=Path(os.environ["CANVAS_SCREENSHOTS"]) / "experiment.png")
    assert accessibility_faults(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
