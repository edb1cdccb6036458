"""What an advertiser takes away: accepted creatives as a zip file, and the feed that names them."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import StringIO
from itertools import chain, count
from typing import IO, Any, cast

import pyarrow as pa

from pipelines.delivered import DELIVERED, DELIVERED_SCENES
from pipelines.review.pages import creative_key
from pipelines.review.runs import Row
from pipelines.review.scenes import members_of
from transforms.decisions import slot_of, standings
from transforms.errors import ObjectNotFound
from transforms.ledger import parquet_bytes
from transforms.placements import EXTENSIONS
from transforms.storage.keys import percent_encode

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same creatives give the same file


def accepted_rows(rows: Iterable[Row], decided: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The rows whose creative is accepted and still there."""
    found = standings(decided)

    def is_accepted(row: Row) -> bool:
        standing = found.get((slot_of(row), creative_key(row)))
        # a refusal that is undone after its creative was pruned leaves it accepted, and gone
        if standing is None or standing.verdict is None or standing.pruned:
            return False
        return bool(standing.verdict["action"] == "accept")

    return [row for row in rows if row["outcome"] == "enhanced" and is_accepted(row)]


def feed_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The delivery feed's rows: the columns of the job's own delivery tables, and the file's name in the zip."""
    files = file_names(rows)
    return [
        {**{name: row[name] for name in _columns(rows)}, "file": file} for row, file in zip(rows, files, strict=True)
    ]


def _columns(rows: Sequence[Row]) -> tuple[str, ...]:
    return DELIVERED_SCENES if rows and members_of(rows[0]) else DELIVERED


def file_name(row: Row) -> str:
    """Where a creative lies in the zip: ids percent-encoded, so no id can name another place."""
    extension = EXTENSIONS.get(row["creative_format"] or "", "jpg")
    if members_of(row):
        group, placement = percent_encode(row["scene_group"]), percent_encode(row["placement"])
        return f"scenes/{group}/{placement}-{row['seed']}.{extension}"
    return f"creatives/{percent_encode(row['product_id'])}/{percent_encode(row['placement'])}.{extension}"


def file_names(rows: Sequence[Row]) -> list[str]:
    """Where each creative lies in the zip; two of one product and placement are kept apart by a number."""
    names, used = [], set[str]()
    for name in map(file_name, rows):
        stem, dot, extension = name.rpartition(".")
        numbered = (f"{stem}-{number}{dot}{extension}" for number in count(2))
        found = next(each for each in chain([name], numbered) if each not in used)
        used.add(found)
        names.append(found)
    return names


def feed_csv(rows: Sequence[Row], feed: Sequence[Mapping[str, Any]] | None = None) -> bytes:
    """The feed as CSV, every cell quoted; the products of a scene as JSON.

    Args:
        feed: some of the feed's rows; None for all.
    """
    sink = StringIO()
    writer = csv.DictWriter(sink, [*_columns(rows), "file"], quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for row in feed_rows(rows) if feed is None else feed:
        writer.writerow({**row, "product_ids": json.dumps(row["product_ids"])} if "product_ids" in row else row)
    return sink.getvalue().encode("utf-8", "replace")


def feed_parquet(rows: Sequence[Row]) -> bytes:
    """The feed as Parquet."""
    text, whole = pa.string(), pa.int64()
    names = [*_columns(rows), "file"]
    kinds = dict.fromkeys(("seed", "creative_width", "creative_height", "creative_bytes"), whole)
    kinds["product_ids"] = pa.list_(text)
    schema = pa.schema([(name, kinds.get(name, text)) for name in names])
    return parquet_bytes(pa.Table.from_pylist(feed_rows(rows), schema=schema))


class _Chunks:
    """A sink that is emptied while it is written to. It can neither tell nor seek, so zipfile only appends to it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts = []
        return data


def zip_chunks(rows: Sequence[Row], read: Callable[[Row], bytes]) -> Iterator[bytes]:
    """A zip file of the creatives and their feed, piece by piece: one creative is in memory at a time.

    A creative that is gone is left out of both and named in `missing.txt`, so that it does not keep the others.

    Raises:
        CanvasError: a creative cannot be read now; what was yielded is no whole zip file.
    """
    sink, taken, gone = _Chunks(), list[Mapping[str, Any]](), list[str]()
    with zipfile.ZipFile(cast(IO[bytes], sink), "w", zipfile.ZIP_STORED) as archive:
        for row, entry in zip(rows, feed_rows(rows), strict=True):
            try:
                data = read(row)
            except ObjectNotFound:
                gone.append(entry["file"])
                continue
            archive.writestr(zipfile.ZipInfo(entry["file"], _EPOCH), data)
            taken.append(entry)
            yield sink.take()
        archive.writestr(zipfile.ZipInfo("delivery.csv", _EPOCH), feed_csv(rows, taken))
        if gone:
            text = "\n".join(["These creatives are accepted, but their files are gone:", *gone, ""])
            archive.writestr(zipfile.ZipInfo("missing.txt", _EPOCH), text)
    yield sink.take()
