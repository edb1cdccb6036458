"""The static page: a folder of files for each advertiser, that opens from a disk or behind any web server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipelines.report.spend import NOTHING_SPENT, Spend
from pipelines.review.items import DETAILS_PER_FILE, list_items
from pipelines.review.pages import asset, assets, data_script, details_script, overview, page, proof_script
from pipelines.review.pictures import OF_CREATIVES, OF_SOURCES, PICTURES, Reader, prove
from pipelines.review.runs import Row, Run, slug_of
from transforms.errors import CanvasError
from transforms.placements import EXTENSIONS
from transforms.storage.store import Store, StoreConfig, open_store
from transforms.storage.uris import join

_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
_HTML = "text/html; charset=utf-8"
Decision = Mapping[str, Any]
Progress = Callable[[int, int], None]


class Built(NamedTuple):
    """What was written: pages, pictures, and the pictures that could not be made."""

    pages: int
    pictures: int
    missing: int


@dataclass(frozen=True)
class BuildOptions:
    """How pages are built.

    Attributes:
        advertisers: only these; all of the run where empty. The overview for ads ops is written for all only.
        allow: where originals may be read; () trusts the index's references.
        threads: pictures made at once.
    """

    advertisers: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    threads: int = 2


class Task(NamedTuple):
    """A file to write, and what makes it."""

    uri: str
    make: Callable[[], tuple[bytes, str]]


def build(
    run: Run,
    out: str,
    config: StoreConfig,
    options: BuildOptions = BuildOptions(),
    *,
    decided: Sequence[Decision] = (),
    spend: Spend = NOTHING_SPENT,
    progress: Progress | None = None,
) -> Built:
    """Write the pages of a run below `out`.

    Args:
        decided: decisions to show; the pages cannot take any.
        progress: told (done, all) now and then.

    Raises:
        CanvasError: a page cannot be written. A picture that cannot be made leaves an empty frame, and is counted.
    """
    store = open_store(out, config)
    names = [name for name in run.advertisers if not options.advertisers or name in options.advertisers]
    tasks = [task for name in names for task in _pictures(run, name, out, Reader(run.store, options.allow))]
    missing = _write_all(store, tasks, options.threads, progress)
    for name in names:
        _write_page(run, name, out, store, [row for row in decided if row["advertiser_id"] == name])
    if not options.advertisers:
        hrefs = {name: f"{slug_of(name)}/index.html" for name in names}
        _write_assets(store, join(out, "assets"))
        text = overview(run, "static", decided, hrefs, spend, assets="assets")
        store.write(join(out, "index.html"), text.encode(), content_type=_HTML)
    return Built(len(names), len(tasks) - missing, missing)


def _write_page(run: Run, name: str, out: str, store: Store, decided: Sequence[Decision]) -> None:
    """Everything of one advertiser lies in its own folder, so that this folder can be handed over."""
    folder, rows = join(out, slug_of(name)), run.advertisers[name]
    _write_assets(store, join(folder, "assets"))
    for number in range(-(-len(rows) // DETAILS_PER_FILE)):
        _write_script(store, join(folder, "details", f"{number}.js"), details_script(rows, number))
    _write_script(store, join(folder, "data.js"), data_script(run, rows, decided, "static"))
    text = page(run, name, "static", assets="assets", home="")
    store.write(join(folder, "index.html"), text.encode(), content_type=_HTML)


def _write_script(store: Store, uri: str, text: str) -> None:
    store.write(uri, text.encode("utf-8", "replace"), content_type=_TYPES["js"])


def _write_assets(store: Store, folder: str) -> None:
    for name in assets():
        kind = _TYPES.get(name.rsplit(".", 1)[-1], "application/octet-stream")
        store.write(join(folder, name), asset(name), content_type=kind)


def _pictures(run: Run, name: str, out: str, reader: Reader) -> Iterator[Task]:
    folder, rows = join(out, slug_of(name)), run.advertisers[name]
    for row, item in zip(rows, list_items(rows, run.placements), strict=True):
        if row["outcome"] == "enhanced":
            for kind in OF_CREATIVES:
                yield _picture(row, kind, folder, reader)
            yield Task(join(folder, "proof", f"{row['item_id']}.js"), lambda row=row: _proof(row, reader))  # type: ignore[misc]
        if item["b"] == row["item_id"]:
            for kind in OF_SOURCES:
                yield _picture(row, kind, folder, reader)


def _picture(row: Row, kind: str, folder: str, reader: Reader) -> Task:
    name = f"{row['item_id']}.{extension_of(row, kind)}"
    return Task(join(folder, kind, name), lambda: tuple(PICTURES[kind](row, reader)))  # type: ignore[arg-type, return-value]


def _proof(row: Row, reader: Reader) -> tuple[bytes, str]:
    return proof_script(row, prove(row, reader)).encode("utf-8", "replace"), _TYPES["js"]


def extension_of(row: Row, kind: str) -> str:
    """The file name's extension of a kind of picture."""
    if kind == "after":
        return EXTENSIONS.get(row["creative_format"] or "", "jpg")
    return "png" if kind in ("mask", "changed") else "jpg"


def _write_all(store: Store, tasks: Sequence[Task], threads: int, progress: Progress | None) -> int:
    """Write the tasks' files, and return how many could not be made."""

    def write(task: Task) -> bool:
        try:
            data, content_type = task.make()
        except (CanvasError, ValueError, OSError):
            return False
        store.write(task.uri, data, content_type=content_type)
        return True

    missing = 0
    with ThreadPoolExecutor(threads, thread_name_prefix="review") as pool:
        for done, good in enumerate(pool.map(write, tasks), 1):
            missing += not good
            if progress is not None:
                progress(done, len(tasks))
    return missing
