"""Who is rated: a run, or any folder of images of which it is known what they were made from."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.rating.forms import rows_of, text_of
from pipelines.rating.questions import TASKS
from transforms.errors import CanvasError, ConfigError, TableError
from transforms.ledger import read_index
from transforms.storage.store import Store, StoreConfig, open_store
from transforms.storage.uris import folder_of, join

_IMAGES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Entry:
    """One output of a contestant.

    Attributes:
        contestant: its name; raters never see it.
        task: `background` or `outpaint`; "" where only the original says it, see `with_tasks`.
        placement: "" where unknown.
        original_uri, output_uri: the two images.
        original_digest, output_digest: SHA-256 of their bytes, hex; equal originals are one subject.
    """

    contestant: str
    task: str
    placement: str
    original_uri: str
    output_uri: str
    original_digest: str
    output_digest: str


@dataclass(frozen=True)
class Named:
    """A contestant as a command line names it: `--run canvas=OUTPUT/runs/ID`."""

    kind: str
    name: str
    uri: str


def entries_of(
    named: Named,
    config: StoreConfig,
    *,
    originals: str = "",
    rule: str = "{original}*",
    placements: tuple[str, ...] = (),
) -> list[Entry]:
    """What a contestant has made.

    Args:
        named: kind `run`, `folder` or `csv`.
        originals: for a folder: where the originals are.
        rule: for a folder: the outputs' file names; `{original}` stands for an original's name without its ending,
            `*` for anything.
        placements: of a run; () for all.

    Raises:
        TableError: nothing was found, or an image cannot be read.
    """
    if named.kind == "run":
        found = list(_of_run(named, config, placements))
    elif named.kind == "folder":
        found = list(_of_folder(named, config, originals, rule))
    else:
        found = list(_of_csv(named, config))
    if not found:
        raise TableError(
            f"contestant {named.name!r}: {named.uri} gives no image to rate", remedy="check names and rule"
        )
    return found


def with_tasks(entries: Sequence[Entry]) -> list[Entry]:
    """Entries whose task is known: that of another contestant for the same original, else `background`."""
    known = {entry.original_digest: entry.task for entry in entries if entry.task}
    return [
        entry if entry.task else replace(entry, task=known.get(entry.original_digest, "background"))
        for entry in entries
    ]


def _of_run(named: Named, config: StoreConfig, placements: tuple[str, ...]) -> Iterator[Entry]:
    tables = read_index(open_store(named.uri, config), named.uri.rstrip("/"))
    if not tables:
        raise TableError(f"{named.uri} holds no index/*.parquet", remedy="name a finished run, OUTPUT/runs/RUN_ID")
    index = pa.concat_tables(tables)
    index = index.filter(pc.equal(index.column("outcome"), "enhanced"))
    for row in index.select(["task", "placement", "source_uri", "creative_uri"]).to_pylist():
        if row["task"] in TASKS and (not placements or row["placement"] in placements):
            yield _entry(named, row["task"], row["placement"], row["source_uri"], row["creative_uri"], config)


def _of_folder(named: Named, config: StoreConfig, originals: str, rule: str) -> Iterator[Entry]:
    if not originals or "{original}" not in rule:
        raise ConfigError(f"--folder {named.name}: it needs --originals FOLDER, and {{original}} in --rule")
    stems = {_stem(uri): uri for uri in _images(open_store(originals, config), originals)}
    for uri in _images(open_store(named.uri, config), named.uri):
        # The longest name wins, so that `sofa-2` is not taken for an output of `sofa`.
        matching = [
            stem for stem in stems if fnmatch.fnmatchcase(_name(uri), rule.replace("{original}", _literal(stem)))
        ]
        if matching:
            yield _entry(named, "", "", stems[max(matching, key=len)], uri, config)


def _of_csv(named: Named, config: StoreConfig) -> Iterator[Entry]:
    text = text_of(open_store(named.uri, config).read(named.uri).data, named.uri)
    for number, row in rows_of(text, ("image", "original"), named.uri):
        task = row.get("task") or "background"
        if task not in TASKS:
            raise TableError(f"{named.uri} line {number}: task {task!r} is not one of {', '.join(TASKS)}")
        original, output = (_beside(named.uri, row[name] or "") for name in ("original", "image"))
        yield _entry(named, task, row.get("placement") or "", original, output, config)


def _entry(named: Named, task: str, placement: str, original: str, output: str, config: StoreConfig) -> Entry:
    try:
        digests = [sha256(open_store(uri, config).read(uri).data).hexdigest() for uri in (original, output)]
    except CanvasError as error:
        raise TableError(
            f"contestant {named.name!r}: {error}", remedy="restore the image or leave its row out"
        ) from error
    return Entry(named.name, task, placement or "", original, output, *digests)


def _images(store: Store, folder: str) -> list[str]:
    return sorted(item.uri for item in store.list(folder.rstrip("/")) if item.uri.lower().endswith(_IMAGES))


def _name(uri: str) -> str:
    return uri.rsplit("/", 1)[-1]


def _stem(uri: str) -> str:
    return _name(uri).rsplit(".", 1)[0]


def _literal(text: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in text)


def _beside(table_uri: str, reference: str) -> str:
    """A reference in a table: absolute, or relative to the table's folder."""
    if not reference or "://" in reference or reference.startswith("/"):
        return reference
    return join(folder_of(table_uri), reference)
