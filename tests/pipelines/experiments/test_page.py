"""The report of a simulated experiment in a real Chromium.

With CANVAS_SCREENSHOTS=FOLDER the picture of docs/experiments.md is drawn there.
"""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from pipelines.experiments.__main__ import main

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.mark.browser
def test_the_report_reads_well_on_a_desk_and_on_a_phone(tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("no chromium: install Debian's package `chromium`")
    main(["simulate", "--out", f"{tmp_path}/traffic.parquet"])
    argv = ["report", f"{tmp_path}/traffic.parquet", "--out", str(tmp_path), "--units", "1147000,1147900"]
    assert main([*argv, "--title", "Simulated: new backgrounds"]) == 0
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1000, "height": 1010})
        page.on("console", lambda message: complaints.append(message.text))
        page.goto((tmp_path / "report.html").as_uri())
        assert page.locator("svg").count() == 4
        assert "+18.0%" not in page.inner_text("table")  # an estimate, not the truth that was put in
        if "CANVAS_SCREENSHOTS" in os.environ:
            page.screenshot(path=Path(os.environ["CANVAS_SCREENSHOTS"]) / "experiment.png")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        browser.close()
    assert complaints == []
