"""Proof after the fact: `python -m pipelines.audit RUN` re-reads sources and creatives, and recomputes the products.

Everything comes from the index's columns: the source by its URI and digest, the mapping by its recorded numbers
through code that the pipeline does not share (`transforms.ops.reference`), the core from the evidence file. The core's
pixels must hash to `core_digest`, which the run recorded from the scene before encoding: equal digests mean that not
one product pixel differed. The stored creative must then show the same pixels within the encoder's bound.
The index keeps addresses without credentials: a source that was signed may not be readable again, which is no fault.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.flags import listed
from pipelines.stores import add_store_options, store_of
from transforms.errors import MASK, CanvasError, ConfigError, ManifestError
from transforms.ops.color_difference import encoded_color_difference
from transforms.ops.decode import DecodeLimits, decode
from transforms.ops.encode import CORE, decode_evidence
from transforms.ops.encoded import EncodedLimits
from transforms.ops.reference import Placing, recompute
from transforms.sources.allow import SourcePolicy
from transforms.sources.fetch import fetch
from transforms.storage.store import Store, StoreConfig, open_store
from transforms.storage.uris import local_path, scheme_of

COLUMNS = (
    "outcome", "advertiser_id", "product_id", "placement", "source_uri", "image_uri", "source_digest", "creative_uri",
    "creative_digest", "evidence_uri", "core_digest", "transform_kernel", "transform_height", "transform_width",
    "transform_top", "transform_left",
)  # fmt: skip

# What a run accepted was within its own limits, and the digest says that it is the same file.
_ANY = DecodeLimits(max_bytes=1 << 30, max_pixels=1 << 30)
_UNREAD = "the source cannot be read again: the index keeps its address without the credentials"


class Finding(NamedTuple):
    """One creative's result.

    Attributes:
        compared, differing: product pixels.
        fault: what is wrong, "" for nothing.
        read: False where something that the proof needs could not be read; without a fault, the source of an address
            that the index keeps without its credentials.
    """

    name: str
    compared: int
    differing: int
    fault: str
    read: bool = True


def enhanced_rows(uri: str, store: Store) -> pa.Table:
    """The enhanced rows of an index file, a run's folder, or all runs of an output folder.

    Each creative counts once, a scene of several products once for each of them.

    Raises:
        ManifestError: there is no index.
    """
    found = [uri] if uri.endswith(".parquet") else sorted(_index_files(uri, store))
    if not found:
        raise ManifestError(f"{uri} holds no index/*.parquet", remedy="name an index, a run's folder or an output")
    table = pa.concat_tables([_table(item, store) for item in found])
    table = table.filter(pc.equal(table.column("outcome"), "enhanced"))
    firsts: dict[tuple[str, str], int] = {}
    names = zip(*(table.column(name).to_pylist() for name in ("creative_uri", "evidence_uri")), strict=True)
    for row, name in enumerate(names):
        firsts.setdefault(name, row)
    return table.take(pa.array(list(firsts.values()), pa.int64()))


def _table(uri: str, store: Store) -> pa.Table:
    data = pa.BufferReader(store.read(uri).data)
    try:
        return pq.read_table(data, columns=list(COLUMNS))
    except (pa.ArrowException, OSError) as error:
        first_line = str(error).partition("\n")[0]
        raise ManifestError(
            f"{uri} is no index: {first_line}", remedy="name an index, a run's folder or an output"
        ) from error


def _index_files(uri: str, store: Store) -> Iterator[str]:
    for item in store.list(uri.rstrip("/")):
        parts = item.uri.split("/")
        indexed = parts[-1].endswith(".parquet") and (parts[-2] == "index" or uri.rstrip("/").endswith("/index"))
        if indexed or (parts[-1] == "products.parquet" and parts[-3:-2] == ["scene_runs"]):
            yield item.uri


def audit_row(row: Mapping[str, Any], config: StoreConfig, allow: tuple[str, ...], limits: EncodedLimits) -> Finding:
    """Prove one creative again; what cannot be read is a fault as well."""
    name = f"{row['advertiser_id']}/{row['product_id']}/{row['placement']}"
    missing = [column for column in COLUMNS if row[column] is None and column != "source_uri"]
    if missing:
        return Finding(name, 0, 0, f"the index says nothing of {', '.join(missing)}", read=False)
    try:
        return _compare(name, row, config, allow, limits)
    except (CanvasError, ValueError) as error:
        return Finding(name, 0, 0, f"{type(error).__name__}: {error}", read=False)


def _compare(
    name: str, row: Mapping[str, Any], config: StoreConfig, allow: tuple[str, ...], limits: EncodedLimits
) -> Finding:
    source = _source_again(row, config, allow)
    core = decode_evidence(open_store(row["evidence_uri"], config).read(row["evidence_uri"]).data) == CORE
    creative = open_store(row["creative_uri"], config).read(row["creative_uri"]).data
    if sha256(creative).hexdigest() != row["creative_digest"]:
        return Finding(name, 0, 0, "the stored creative is not the one that the index names")
    if source is None:
        return Finding(name, 0, 0, "", read=False)
    reference = reference_of(row, source, core)
    compared = int(core.sum())
    if sha256(reference[core].tobytes()).hexdigest() != row["core_digest"]:
        return Finding(name, compared, compared, "the product's pixels are not the source's")
    shown = decode(creative, _ANY).pixels
    if shown.shape != reference.shape:
        return Finding(name, compared, 0, f"the creative has {shown.shape[:2]} pixels, its evidence {core.shape}")
    mean, p99 = encoded_color_difference(shown, reference, core)
    if mean > limits.max_mean_colour_difference or p99 > limits.max_p99_colour_difference:
        return Finding(name, compared, 0, f"encoded product off by CIE76 mean {mean:.2f}, p99 {p99:.2f}")
    return Finding(name, compared, 0, "")


def _source_again(row: Mapping[str, Any], config: StoreConfig, allow: tuple[str, ...]) -> NDArray[np.uint8] | None:
    """As `read_source`; None where an address without its credentials leads to nothing, or to something else."""
    try:
        return read_source(row, config, allow)
    except CanvasError:
        if MASK not in (row["source_uri"] or row["image_uri"]):
            raise
        return None


def read_source(row: Mapping[str, Any], config: StoreConfig, allow: tuple[str, ...]) -> NDArray[np.uint8]:
    """The source of an index row, decoded: uint8 [H, W, 3].

    Raises:
        CanvasError: it cannot be read, or is no longer the image that the row names.
    """
    return decode(source_bytes(row, config, allow), _ANY).pixels


def source_bytes(row: Mapping[str, Any], config: StoreConfig, allow: tuple[str, ...]) -> bytes:
    """The file that an index row was made from; raises as :func:`read_source` does."""
    uri = row["source_uri"] or row["image_uri"]
    policy = SourcePolicy(allow=allow or (_own_rule(uri),), max_bytes=_ANY.max_bytes)
    data = fetch(uri, base_uri=uri.rsplit("/", 1)[0], policy=policy, store_config=config).data
    if sha256(data).hexdigest() != row["source_digest"]:
        raise ManifestError(f"{uri} is no longer the image that was enhanced", remedy="restore the source")
    return data


def _own_rule(uri: str) -> str:
    """What lets a source be read where the index is trusted: its host, its object, or its file behind all links."""
    if scheme_of(uri) in ("http", "https"):
        return "/".join(uri.split("/", 3)[:3])
    return uri if scheme_of(uri) != "file" else os.path.realpath(local_path(uri))


def reference_of(row: Mapping[str, Any], source: NDArray[np.uint8], core: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The recomputed source on the placement, black where the core does not reach."""
    kernel = str(row["transform_kernel"])
    numbers = (int(row[f"transform_{part}"]) for part in ("height", "width", "top", "left"))
    placing = Placing(kernel, *numbers)
    canvas = np.zeros((*core.shape, 3), np.uint8)
    rows, columns = np.flatnonzero(core.any(axis=1)), np.flatnonzero(core.any(axis=0))
    if len(rows):
        window = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
        top, left, bottom, right = window
        canvas[top:bottom, left:right] = recompute(source, placing, window).pixels
    return canvas


def audit(
    uri: str, config: StoreConfig, *, limit: int | None = None, allow: tuple[str, ...] = (), limits: EncodedLimits
) -> Iterator[Finding]:
    """Audit the enhanced rows of `uri`, `limit` of them at most.

    Args:
        uri: see :func:`enhanced_rows`.
        config: how stores are reached.
        limit: rows, None for all.
        allow: where sources may be read; () trusts the index's own URIs.
        limits: of the encoded colours.
    """
    table = enhanced_rows(uri, open_store(uri, config))
    for row in table.slice(0, limit).to_pylist():
        yield audit_row(row, config, allow, limits)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 0 where nothing differs, 1 where something does, 2 where no source could be read."""
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.audit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", help="an index file, OUTPUT/runs/RUN_ID, or OUTPUT")
    parser.add_argument("--limit", type=int, default=None, help="creatives at most (default: all)")
    parser.add_argument("--allow_source", default="", help="prefixes and hosts that sources may come from, by comma")
    add_store_options(parser)
    options = parser.parse_args(argv)
    allow = listed(options.allow_source)
    try:
        if options.limit is not None and options.limit < 0:  # nothing compared would look like nothing that differs
            raise ConfigError(f"--limit must be zero or positive, got {options.limit}")
        found = audit(options.run, store_of(options), limit=options.limit, allow=allow, limits=EncodedLimits())
        return _report(found)
    except CanvasError as error:
        sys.stderr.write(f"error: {error}\n  remedy: {error.remedy}\n")
        return 2


def _report(findings: Iterator[Finding]) -> int:
    creatives = compared = differing = faults = unread = 0
    for finding in findings:
        creatives, compared, differing = creatives + 1, compared + finding.compared, differing + finding.differing
        faults, unread = faults + bool(finding.fault), unread + (not finding.fault and not finding.read)
        if finding.fault or not finding.read:
            sys.stderr.write(f"{finding.name}: {finding.fault or _UNREAD}\n")
    sys.stdout.write(f"creatives {creatives}, product pixels compared {compared}, differing {differing}\n")
    if faults:
        sys.stdout.write(f"creatives at fault {faults}\n")
    if unread:
        sys.stdout.write(f"creatives not proven, their sources cannot be read again {unread}\n")
    if faults or differing:
        return 1
    return 2 if unread and unread == creatives else 0


if __name__ == "__main__":
    sys.exit(main())
