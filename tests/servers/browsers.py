"""A real Chromium for tests, driven by Playwright. A pytest plugin.

Fixtures: `chromium` (one browser for the session), `open_page` (pages that fail the test on any error of theirs).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "Chromium is missing, so nothing was tested in a browser: apt-get install chromium"
# No sandbox: containers and root have none. The rest keeps it from talking to anybody.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


def find_chromium() -> str | None:
    """The browser's path, None where there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def accessibility_faults(page: Page) -> list[str]:
    """What axe-core finds, by all its rules."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    path = find_chromium()
    if path is None:
        pytest.skip(MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


def _is_fault(message: Any) -> bool:
    """An error of the page; that a door is closed to a visitor is none, nor that the server left before it."""
    harmless = ("status of 401", "net::ERR_CONNECTION_REFUSED")
    return message.type == "error" and not any(words in message.text for words in harmless)


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages; errors of their scripts and of their policies fail the test at its end."""
    errors: list[str] = []
    contexts = []

    def open_one(url: str, **options: Any) -> Page:
        context = chromium.new_context(**({"viewport": {"width": 1360, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(240_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if _is_fault(message) else None)
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not errors


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say it plainly: skipped tests are easily overlooked."""
    skipped = terminalreporter.stats.get("skipped", [])
    if any(MISSING in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(MISSING, red=True, bold=True)
