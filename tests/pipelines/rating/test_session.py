"""A rating session as raters have it: the real command, a real Chromium.

With CANVAS_SCREENSHOTS=FOLDER the pictures of docs/rating.md are drawn there, from the run that CANVAS_DEMO names.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsers import accessibility_faults
from nights import Row, picture, write_run
from playwright.sync_api import Page

from pipelines.rating.study import Study

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
HIDDEN = """[original, output].map(picture => !picture.offsetParent).concat(
    document.querySelector('#questions input').matches(':disabled'))"""


@pytest.fixture
def contest(tmp_path: Path) -> list[str]:
    """A run against another tool's folder."""
    if "CANVAS_DEMO" in os.environ:
        folder = os.environ["CANVAS_DEMO"]
        return ["--run", f"canvas={folder}", "--placements", "pinterest_standard,pmax_square"]
    run = write_run(tmp_path / "out", "night", [Row(f"teapot{n}") for n in range(2)], side=320)
    tool = tmp_path / "tool"
    tool.mkdir()
    for n in range(2):
        picture(f"teapot{n}", 190, 320, staged=True).save(tool / f"teapot{n}.png")
    return ["--run", f"canvas={run}", "--folder", f"tool={tool}", "--originals", f"{tmp_path}/out/shots"]


@contextmanager
def served(db: Path, *argv: str, port: int) -> Iterator[str]:
    command = [sys.executable, "-m", "pipelines.rating", "serve", "--db", str(db), "--port", str(port), *argv]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            assert "to rate at" in line
            yield line.split(" at ")[1].split(" ")[0]
        finally:
            process.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def shoot(page: Page, name: str) -> None:
    if "CANVAS_SCREENSHOTS" in os.environ:
        page.screenshot(path=Path(os.environ["CANVAS_SCREENSHOTS"]) / f"{name}.jpg", type="jpeg", quality=85)


def entered(open_page: OpenPage, url: str, rater: str) -> Page:
    page = open_page(url, viewport={"width": 1200, "height": 760})
    assert accessibility_faults(page) == []
    page.fill("input[name=rater]", rater)
    page.keyboard.press("Enter")
    page.wait_for_selector("#session")
    return page


def ready(page: Page) -> str:
    page.wait_for_selector("#session[data-ready=yes]")
    return page.input_value("input[name=unit]")


def answer(page: Page, *keys: str) -> None:
    unit = ready(page)
    for key in keys:
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    next_one(page, unit)


def next_one(page: Page, unit: str) -> None:
    page.wait_for_selector(f"input[name=unit]:not([value='{unit}']), main.card", state="attached")


def test_two_raters_work_through_a_session_with_a_restart(
    open_page: OpenPage, contest: list[str], tmp_path: Path
) -> None:
    db, port = tmp_path / "study.db", free_port()
    slow, quick = (("--original_sec", sec, "--output_sec", "0.3") for sec in ("5", "0.3"))
    with served(db, *contest, *slow, port=port) as url:  # slow enough for a busy machine to look at the original
        page = entered(open_page, url, "Ann")
        page.wait_for_selector("#caption:has-text('original')")
        assert page.evaluate(HIDDEN) == [False, True, True]  # at one moment: the original leaves by itself
        shoot(page, "rating_original")
        unit = ready(page)
        assert page.is_visible("#output")
        assert not page.is_visible("#original")
        page.keyboard.press(" ")
        assert page.is_visible("#original")
        page.keyboard.press(" ")
        page.keyboard.press("q")
        page.keyboard.press("s")
        shoot(page, "rating_judged")
        assert accessibility_faults(page) == []
        page.reload()
        assert ready(page) == unit
        answer(page, "q", "s")
        page.click("text=Take back my last answer")
        assert ready(page) == unit
        answer(page, "q", "w")
        ready(page)  # pictures on their way when the server ends would be faults of the page
    with served(db, *quick, port=port) as url:  # no contestants named: the study knows them
        page.goto(f"{url}rate")
        assert page.inner_text("header").startswith("ann")
        if "CANVAS_DEMO" in os.environ:
            return
        other = entered(open_page, url, "Ben")
        for number in range(4):
            answer(other, "q", "s" if number % 2 else "w")
        for _ in range(3):
            answer(page, "q", "w")
        assert "There is nothing left for you" in other.inner_text("main")
        page.wait_for_selector("text=4 of 4 complete")
        assert accessibility_faults(page) == []
    study = Study.open(db)
    assert study.progress("ann").done == 4
    assert {answer.rater for answer in study.answers()} == {"ann", "ben"}


def test_a_session_of_pairs_by_touch(open_page: OpenPage, contest: list[str], tmp_path: Path) -> None:
    if "CANVAS_DEMO" in os.environ:
        pytest.skip("the demo has one contestant")
    seconds = ("--original_sec", "0.2", "--output_sec", "0.2")
    with served(tmp_path / "pairs.db", "--mode", "pairs", *contest, *seconds, port=free_port()) as url:
        page = entered(open_page, url, "Cleo")
        page.set_viewport_size({"width": 390, "height": 844})
        for side in ("Left", "No difference"):
            unit = ready(page)
            assert accessibility_faults(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            page.click(f"label:has-text('{side}')")
            page.click("button:has-text('Next')")
            next_one(page, unit)
        assert "There is nothing left for you" in page.inner_text("main")
    said = [answer.answer["choice"] for answer in Study.open(tmp_path / "pairs.db").answers()]
    assert len(said) == 2
    assert said[1] == "tie"
