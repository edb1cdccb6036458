"""How fast does the review page open with many creatives? `python -m benchmarks.review_page [--creatives 10000]`

Builds the static page of a synthetic run through the real index, opens it in Chromium from its folder, and prints the
time from navigation to the list being drawn and to its first pictures being shown, over some cold starts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.review.build import BuildOptions, build
from pipelines.review.runs import Run, read_run, slug_of
from transforms.index import index_row, index_table
from transforms.keys import digest_of
from transforms.ledger import parquet_bytes
from transforms.placements import PLACEMENTS
from transforms.records import Outcome, Product
from transforms.storage.store import StoreConfig

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
SCORES = (
    "background_reward",
    "segment_mask_quality",
    "contrast",
    "product_height",
    "halo",
    "expansion",
    "painted_share",
)
ENDS = (("enhanced", "ok"),) * 7 + (("rejected", "unclear_mask"), ("skipped", "human"), ("failed", "not_found"))
PICTURES = 64  # different thumbnails; the browser decodes each address anew


def rows(count: int) -> Iterator[dict[str, object]]:
    """Index rows of one advertiser: products in four placements each."""
    random, names = np.random.default_rng(1), list(PLACEMENTS)[:4]
    for number in range(count):
        outcome, reason = ENDS[number % len(ENDS)]
        placement, item = PLACEMENTS[names[number % 4]], number // 4
        named = f"sku-{item:06d}", f"/shots/{item}.jpg", f"Product number {item}"
        product = Product("feed.parquet", item, "acme", *named, product_category=f"category {item % 12}", seed=item)
        columns = {
            "task": "background", "content_key": digest_of([number]), "source_digest": digest_of([item]) * 2,
            "creative_height": placement.size.height, "creative_width": placement.size.width, "creative_format": "jpeg",
            "prompt": "plaster wall, soft morning light through a window, standing on the floor", "painter": "studio",
            "models": {name: digest_of([name]) * 2 for name in ("segmenter", "studio", "studio_upscale")},
            "scores": {name: float(random.random()) for name in SCORES},
        }  # fmt: skip
        ended = Outcome(product, placement.name, outcome, "write", reason, columns=columns)
        yield index_row(ended, "bench", digest_of([item]), datetime(2026, 11, 24, tzinfo=UTC))


def write_run(folder: Path, count: int) -> Run:
    """A finished run of `count` rows."""
    run = folder / "out" / "runs" / "bench"
    (run / "index").mkdir(parents=True)
    (run / "index" / "part-00000.parquet").write_bytes(parquet_bytes(index_table(rows(count))))
    return read_run(str(run), StoreConfig())


def write_site(run: Run, site: Path) -> Path:
    """The run's page with thumbnails of real size; there are no creatives to make them from."""
    build(run, str(site), StoreConfig(), BuildOptions(("acme",)))
    folder = site / slug_of("acme")
    pictures = [_picture(number) for number in range(PICTURES)]
    for kind in ("thumb", "small"):
        (folder / kind).mkdir(exist_ok=True)
        for number, row in enumerate(run.rows):
            (folder / kind / f"{row['item_id']}.jpg").write_bytes(pictures[number % PICTURES])
    return folder


def _picture(number: int) -> bytes:
    random = np.random.default_rng(number)
    coarse = random.integers(60, 220, (12, 9, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((267, 400), Image.Resampling.BICUBIC)
    sink = BytesIO()
    image.save(sink, "JPEG", quality=78)
    return sink.getvalue()


def opening_msec(url: str, chromium: str) -> tuple[float, float, float, float]:
    """Milliseconds until the list is drawn and its pictures are shown, of one filter, and of the processor in all."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        started = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.wait_for_selector("body[data-ready]")
        drawn = time.perf_counter() - started
        page.wait_for_function(
            "[...document.querySelectorAll('#grid img')].filter(i => i.getBoundingClientRect().top < innerHeight)"
            ".every(i => i.complete && i.naturalWidth)"
        )
        shown = time.perf_counter() - started
        spent = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
        filtered = page.evaluate(
            "() => { const t = performance.now(); document.querySelector('[name=placement]').selectedIndex = 2;"
            "show(); return performance.now() - t; }"
        )
        browser.close()
    return drawn * 1000, shown * 1000, float(filtered), spent["ProcessTime"] * 1000


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--creatives", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        started = time.perf_counter()
        run = write_run(Path(name), options.creatives)
        folder = write_site(run, Path(name) / "site")
        print(f"{options.creatives} creatives, built in {time.perf_counter() - started:.1f} s (pictures apart)")
        size = (folder / "data.js").stat().st_size
        print(f"data.js {size / 1e6:.2f} MB, {len(list((folder / 'details').iterdir()))} files of details")
        found = [opening_msec((folder / "index.html").as_uri(), options.chromium) for _ in range(options.times)]
    print("load of the machine:", *(f"{value:.1f}" for value in os.getloadavg()), f"on {os.cpu_count()} cores")
    for words, values in zip(
        ("list drawn", "pictures shown", "one filter", "processor time of the page"),
        zip(*found, strict=True),
        strict=True,
    ):
        print(f"{words}: median {statistics.median(values):.0f} ms, worst {max(values):.0f} ms of {options.times}")


if __name__ == "__main__":
    main()
