"""The review page as its users meet it: in a real Chromium, from a folder and from the real server."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from browsers import PHONE
from playwright.sync_api import Page, expect
from reviews import Served, ready, wait_until

from pipelines.review.commands import main
from pipelines.review.runs import slug_of

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]


@pytest.fixture
def served(shared_run: str, tmp_path: Path) -> Iterator[Served]:
    with Served(shared_run, tmp_path / "d.sqlite") as server:
        yield server


@pytest.fixture(scope="module")
def site(shared_run: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    assert main(["build", shared_run, "--out", str(out)]) == 0
    return out


def card(page: Page, title: str, slot: str) -> str:
    """A selector of one card."""
    return f'#grid .card:has(.title:text-is("{title}")):has(.slot:text-is("{slot}"))'


def accessibility_faults(page: Page) -> list[str]:
    """What axe-core finds, all rules."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


def test_a_run_is_opened_compared_refused_reloaded_and_exported(
    served: Served, open_page: OpenPage, tmp_path: Path
) -> None:
    page = ready(open_page(served.of("acme")))
    page.click(f"{card(page, 'Desk lamp', 'Google PMax square')} .picture")
    page.wait_for_selector(".proof[data-state=proven]")
    expect(page.locator(".proof")).to_contain_text("0 differ")
    page.click("button[data-view=changed]")
    assert page.is_visible(".layer.changed") and page.is_hidden(".layer.before")
    page.click("#panel >> text=Refuse…")
    page.check("#ask >> text=Ugly background")
    page.fill("#ask textarea", "too <i>grey</i>")
    page.click("#ask button[value=yes]")
    page.wait_for_selector("#panel .chip.refused")
    page.reload()
    page.wait_for_selector("#panel .chip.refused")
    assert "Ugly background. “too <i>grey</i>” Ann (ads ops)" in page.inner_text("#panel .said")
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        page.click("#more summary")
        page.click("text=All decisions (Parquet)")
    (row,) = pq.read_table(download.value.path()).to_pylist()
    assert (row["action"], row["reason"], row["decided_by"]) == ("refuse", "ugly_background", "Ann (ads ops)")
    assert main(["export", served.run, "--to", str(tmp_path / "x.parquet"), f"--database={served.database}"]) == 0
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == [row]


def test_decisions_outlive_the_server(shared_run: str, open_page: OpenPage, tmp_path: Path) -> None:
    with Served(shared_run, tmp_path / "d.sqlite") as first:
        page = ready(open_page(first.of("acme")))
        page.click(f"{card(page, 'Blue vase', 'Google PMax square')} [data-quick=accept]")
        page.wait_for_selector(f"{card(page, 'Blue vase', 'Google PMax square')} .chip.accepted")
    with Served(shared_run, tmp_path / "d.sqlite") as second:
        page = ready(open_page(second.of("acme")))
        assert page.is_visible(f"{card(page, 'Blue vase', 'Google PMax square')} .chip.accepted")
        with page.expect_download() as download:
            page.click("#download")
        names = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())).namelist()
        assert names == ["creatives/vase-1/pmax_square.jpg", "delivery.csv"]


def test_many_are_decided_at_once_and_undone_at_once(served: Served, open_page: OpenPage) -> None:
    page = ready(open_page(served.of("acme")))
    page.select_option("[name=category]", "lamps")
    page.click("#select-all")
    page.click("#bulk [data-do=accept]")
    expect(page.locator("#grid .chip.accepted")).to_have_count(3)
    page.click("#toast >> text=Undo")
    expect(page.locator("#grid .chip.accepted")).to_have_count(0)
    expect(page.locator("#grid .chip.open")).to_have_count(3)


def test_everything_can_be_done_from_the_keyboard(served: Served, open_page: OpenPage) -> None:
    page = ready(open_page(served.of("acme")))
    page.keyboard.press("/")
    page.keyboard.type("desk")
    page.keyboard.press("Tab")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("a")
    page.wait_for_selector("#grid .card:first-child .chip.accepted")
    page.keyboard.press("Enter")
    page.wait_for_selector("#detail[open]")
    page.keyboard.press("5")
    expect(page.locator("button[data-view=changed]")).to_have_attribute("aria-pressed", "true")
    for _ in range(3):
        page.keyboard.press("+")
    expect(page.locator("[data-view=fit]")).to_contain_text("400 %")
    assert page.evaluate("getComputedStyle(document.querySelector('.layer.after')).imageRendering") == "pixelated"
    page.keyboard.press("s")
    expect(page.locator(".zones")).to_have_count(1)
    page.keyboard.press("w")
    page.wait_for_selector("#panel .chip.withdrawn")
    page.keyboard.press("u")
    page.wait_for_selector("#panel .chip.accepted")
    page.keyboard.press("f")
    page.keyboard.type("a rim on the left")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel .flagged")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).not_to_have_attribute("open", "")
    expect(page.locator("#grid .card:focus-within")).to_have_count(1)  # focus follows the closing


def test_an_opt_out_is_made_listed_and_undone(served: Served, open_page: OpenPage) -> None:
    page = ready(open_page(served.of("acme")))
    page.click(f"{card(page, 'Blue vase', 'Google PMax square')} .picture")
    page.click("#panel >> text=Opt out…")
    page.check("#ask >> text=All my products: no new background")
    page.click("#ask button[value=yes]")
    page.wait_for_selector("#panel .said >> text=all products, new background")
    page.keyboard.press("Escape")
    expect(page.locator("#grid .chip.optout").nth(3)).to_be_attached()
    page.click("#more summary")
    page.click("#optouts-open")
    page.click("#ask .optouts >> text=Undo")
    page.wait_for_selector("#ask >> text=There are none.")
    expect(page.locator("#grid .chip.optout")).to_have_count(0)


def test_filters_find_what_they_say(served: Served, open_page: OpenPage) -> None:
    page = ready(open_page(served.of("acme")))
    shown = page.locator("#grid .card")
    page.select_option("[name=placement]", "meta_stories")
    expect(shown).to_have_count(1)
    page.click("#filter-form [type=reset]")
    expect(shown).to_have_count(8)
    page.select_option("[name=reason]", "product_expanded")
    expect(page.locator("#grid .reason")).to_have_text(["Product seems to grow"])
    page.click("#filter-form [type=reset]")
    page.click("[data-tab=failed]")
    expect(page.locator("#grid .title")).to_have_text(["Gone"])
    page.click("[data-tab=all]")
    page.select_option("[name=score]", label="Stands out")
    page.fill("[name=from]", "41")
    expect(shown).to_have_count(0)
    expect(page.locator("#empty")).to_be_visible()
    page.fill("[name=from]", "39")
    expect(shown).to_have_count(7)


def test_texts_of_feeds_run_nothing_and_show_as_they_are(served: Served, site: Path, open_page: OpenPage) -> None:
    for url in (served.of("acme"), (site / slug_of("acme") / "index.html").as_uri()):
        page = ready(open_page(url))
        page.click('#grid .card:has-text("onerror") .picture')
        page.wait_for_selector(".facts")
        assert "<script>window.hacked=2</script>" in page.inner_text("#detail-title")
        assert page.evaluate("window.hacked") is None


def test_a_page_opens_from_a_folder_with_every_picture(site: Path, open_page: OpenPage) -> None:
    page = open_page((site / "index.html").as_uri())
    page.click("text=acme")
    ready(page)
    wait_until(page, "[...document.querySelectorAll('#grid img')].every(i => i.complete && i.naturalWidth > 0)")
    page.click(f"{card(page, 'Desk lamp', 'Meta stories')} .picture")
    page.wait_for_selector(".proof[data-state=proven]")
    for number in "12345":
        page.keyboard.press(number)
        wait_until(
            page, "[...document.querySelectorAll('.layer:not([hidden])')].every(i => i.complete && i.naturalWidth > 0)"
        )
    assert page.is_visible("text=Model versions") and page.locator("#panel >> text=Refuse").count() == 0


def test_products_that_share_a_title_are_told_apart_by_their_number(site: Path, open_page: OpenPage) -> None:
    page = ready(open_page((site / slug_of("acme") / "index.html").as_uri()))
    titles = "Review.data.items.filter((item) => !item.t.includes('<')).map(titleOf)"
    assert set(page.evaluate(titles)) == {"Desk lamp", "Blue vase", "Cup", "Gone"}
    page.evaluate(
        "Review.data.items.filter((item) => item.p === 'vase-1').forEach((item) => { item.t = 'Desk lamp'; })"
    )
    page.evaluate("Review.load(Review.data)")
    assert set(page.evaluate(titles)) == {"Desk lamp · lamp-1", "Desk lamp · vase-1", "Cup", "Gone"}


def test_before_and_after_lie_on_each_other_and_the_slider_moves(site: Path, open_page: OpenPage) -> None:
    page = ready(open_page((site / slug_of("acme") / "index.html").as_uri()))
    page.click(f"{card(page, 'Desk lamp', 'Google PMax square')} .picture")
    before, after = (page.locator(f".layer.{name}").bounding_box() for name in ("before", "after"))
    assert before == after and before is not None
    page.mouse.move(before["x"] + before["width"] * 0.25, before["y"] + 50)
    page.mouse.down()
    page.mouse.up()
    assert abs(float(page.input_value(".split")) - 25) < 1.5
    assert "25" in page.evaluate("document.querySelector('.layer.after').style.clipPath")
    page.focus(".split")
    page.keyboard.press("ArrowRight")
    assert float(page.input_value(".split")) > 25


def test_nothing_moves_while_pictures_load(site: Path, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver(l => l.getEntries().forEach(e => window.moved += e.value))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page.goto((site / slug_of("acme") / "index.html").as_uri())
    ready(page)
    page.wait_for_timeout(800)
    assert page.evaluate("window.moved") < 0.01


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_every_view_is_accessible(served: Served, open_page: OpenPage, device: str) -> None:
    page = open_page(served.url, **(PHONE if device == "phone" else {}))
    assert accessibility_faults(page) == []
    page.click("text=acme")
    ready(page)
    assert accessibility_faults(page) == []
    page.click(f"{card(page, 'Desk lamp', 'Meta stories')} .picture")
    page.wait_for_selector(".proof[data-state=proven]")
    page.wait_for_selector(".facts", state="attached")
    assert accessibility_faults(page) == []
    for step in ("#panel >> text=Refuse…", "#panel >> text=Opt out…", "#panel >> text=Flag a defect…"):
        page.click(step)
        assert accessibility_faults(page) == []
        page.click("#ask >> text=Cancel")
    page.keyboard.press("Escape")
    page.click("#help-open")
    assert accessibility_faults(page) == []


def test_a_phone_shows_the_page_without_scrolling_sideways(served: Served, open_page: OpenPage) -> None:
    page = ready(open_page(served.of("acme"), **PHONE))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.tap(f"{card(page, 'Desk lamp', 'Meta stories')} .picture")
    page.wait_for_selector("#panel .decide")
    assert page.evaluate("document.querySelector('#detail').scrollWidth <= innerWidth")
    small = "[...document.querySelectorAll('#detail button')].filter(b => b.offsetHeight && b.offsetHeight < 28).length"
    assert page.evaluate(small) == 0


def test_a_visitor_with_a_token_sees_its_own_advertiser_alone(
    shared_run: str, open_page: OpenPage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = tmp_path / "d.sqlite"
    with Served(shared_run, database, ("--host=0.0.0.0",)) as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        page = open_page(f"{url}assets/icon.svg")
        flags = ["token", shared_run, "--advertiser=zeta", "--name=Zoe", f"--database={database}", f"--url={url}"]
        assert main(flags) == 0
        page.goto(capsys.readouterr().out.strip())
        ready(page)
        assert "token" not in page.url and page.inner_text("h1") == "zeta"
        page.click("[data-quick=accept]")
        page.wait_for_selector(".chip.accepted")
        assert page.request.get(f"{url}a/{slug_of('acme')}/data.js").status == 404
        page.click("#more summary")
        page.click("text=Sign out")
        page.wait_for_selector("text=Open the link")
