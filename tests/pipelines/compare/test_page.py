"""The page of a comparison in a real Chromium."""

from collections.abc import Callable
from pathlib import Path

import pytest
from browsers import accessibility_faults
from nights import Row, write_run
from playwright.sync_api import Page

from pipelines.compare.__main__ import main


@pytest.mark.browser
def test_the_page_shows_both_creatives_and_escapes_names(open_page: Callable[..., Page], tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    runs = [
        write_run(tmp_path, name, [Row("teapot", hue=hue, advertiser=evil), Row("lamp", hue=hue)])
        for name, hue in (("monday", 20), ("tuesday", 140))
    ]
    assert main([*map(str, runs), "--html", str(tmp_path / "compare.html")]) == 0
    page = open_page((tmp_path / "compare.html").as_uri())
    assert page.locator(".pairs img").count() == 4
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert evil in page.inner_text(".pairs")
    assert accessibility_faults(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
