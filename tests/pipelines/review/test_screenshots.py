"""The pictures of docs/review.md: `CANVAS_SCREENSHOTS=docs/images pytest tests/pipelines/review/test_screenshots.py`.

With the variable they show the example catalog where `make demo` has left a run; without it a small run, whatever lies
in the folder: they go to a temporary folder then, and only what they show is checked.
"""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from browsers import PHONE
from PIL import Image
from playwright.sync_api import Page
from reviews import Served, ready, wait_until

from pipelines.review.runs import read_run
from transforms.storage.store import StoreConfig

pytestmark = pytest.mark.browser
KEPT = os.environ.get("CANVAS_SCREENSHOTS")
DEMO = Path(__file__).parents[3] / "demo" / "runs"
OpenPage = Callable[..., Page]
# A picture has its size before it has its pixels.
DECODED = """Promise.all([...document.images].filter(i => i.src && i.offsetParent
    && i.getBoundingClientRect().top < innerHeight).map(i => i.decode().catch(() => 0)))"""


def demo_run() -> str | None:
    """The newest finished run of the example catalog."""
    found = sorted(path.parent for path in DEMO.glob("*/report.json")) if KEPT else []
    return str(found[-1]) if found else None


@pytest.fixture(scope="module")
def shown(shared_run: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(demo_run() or shared_run, tmp_path_factory.mktemp("shown") / "d.sqlite") as server:
        yield server


def advertiser_with_most(run: str, outcome: str) -> str:
    """The advertiser with the most rows that ended so."""
    rows = read_run(run, StoreConfig()).advertisers
    return max(rows, key=lambda name: sum(row["outcome"] == outcome for row in rows[name]))


@pytest.fixture(scope="module")
def advertiser(shown: Served) -> str:
    """Who has something to look at."""
    return advertiser_with_most(shown.run, "enhanced")


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[Page, str], None]:
    """Takes a screenshot, and looks whether it shows anything."""
    folder = Path(KEPT or tmp_path)

    def take(page: Page, name: str) -> None:
        page.wait_for_load_state("networkidle")
        page.evaluate("document.activeElement.blur()")
        page.evaluate(DECODED)
        image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        assert np.asarray(image, np.float32).std() > 10
        folder.mkdir(parents=True, exist_ok=True)
        image.save(folder / f"review_{name}.jpg", quality=86, optimize=True)

    return take


def open_creative(page: Page, selector: str) -> None:
    """Open a creative's view and wait for its proof."""
    page.click(f"#grid {selector} .picture")
    page.wait_for_selector(".proof[data-state=proven]")
    wait_until(page, "[...document.querySelectorAll('.layer:not([hidden])')].every(i => i.naturalWidth > 0)")


def test_the_list_with_some_decisions(
    shown: Served, advertiser: str, open_page: OpenPage, keep: Callable[[Page, str], None]
) -> None:
    page = ready(open_page(shown.of(advertiser)))
    page.locator("#grid [data-quick=accept]").nth(0).click()
    page.locator("#grid .chip.accepted").nth(0).wait_for()
    page.locator("#grid [data-quick=refuse]").nth(1).click()
    page.check("#ask >> text=Wrong mood")
    page.click("#ask button[value=yes]")
    page.locator("#grid .chip.refused").nth(0).wait_for()
    page.evaluate("document.getElementById('toast').classList.remove('on')")
    page.wait_for_timeout(300)
    keep(page, "list")


@pytest.mark.parametrize(("name", "keys"), [("compare", "1"), ("changed", "5"), ("overlay", "3s"), ("pixels", "1+++")])
def test_a_creative_in_its_views(
    shown: Served, advertiser: str, open_page: OpenPage, keep: Callable[[Page, str], None], name: str, keys: str
) -> None:
    page = ready(open_page(shown.of(advertiser)))
    open_creative(page, '.card:has(.slot:text-is("Meta stories")):has(.quick)')
    for key in keys:
        page.keyboard.press(key)
    wait_until(page, "[...document.querySelectorAll('.layer:not([hidden])')].every(i => i.naturalWidth > 0)")
    keep(page, name)


def test_why_there_is_no_creative(shown: Served, open_page: OpenPage, keep: Callable[[Page, str], None]) -> None:
    page = ready(open_page(shown.of(advertiser_with_most(shown.run, "rejected"))))
    page.click("[data-tab=rejected]")
    page.click("#grid .card .picture")
    assert page.is_visible("#panel .why .advice")
    keep(page, "why")


def test_the_overview_with_what_accepted_creatives_cost(
    shown: Served, open_page: OpenPage, keep: Callable[[Page, str], None]
) -> None:
    page = open_page(shown.url)
    assert page.is_visible("text=accepted in all")
    keep(page, "overview")


def test_a_phone(shown: Served, advertiser: str, open_page: OpenPage, keep: Callable[[Page, str], None]) -> None:
    page = ready(open_page(shown.of(advertiser), **PHONE))
    keep(page, "phone_list")
    page.locator("#grid .card:has(.quick) .picture").nth(0).tap()
    page.wait_for_selector(".proof[data-state=proven]")
    keep(page, "phone")
