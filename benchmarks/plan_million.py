"""How long is a full night's plan when everything is settled? One million rows against a full ledger.

    python benchmarks/plan_million.py [--rows 1000000] [--images 20000]

Makes a manifest over real files in a temporary folder, a ledger that settles every row in two placements, and times
the plan as the pipeline runs it: read, identities, keys, anti-join, record of what is expected.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.finish import Folders, finish_run
from pipelines.sources import cut_shards
from transforms.index import INDEX_SCHEMA
from transforms.keys import digest_of, key_words, row_keys
from transforms.ledger import parquet_bytes
from transforms.manifest import ColumnMap
from transforms.placements import PLACEMENTS
from transforms.plan import PlanConfig, PlanRows, read_shard, with_resolved_uris
from transforms.sources.identities import SourceIdentities
from transforms.storage.store import StoreConfig, open_store
from transforms.storage.uris import folder_of

PLACED = ("pinterest_standard", "pmax_square")


def make_manifest(folder: Path, rows: int, images: int) -> Path:
    """A manifest of `rows` products over `images` small files."""
    (folder / "images").mkdir(parents=True)
    for number in range(images):
        (folder / "images" / f"{number}.jpg").write_bytes(b"\xff\xd8" + str(number).encode())
    names = [f"images/{number % images}.jpg" for number in range(rows)]
    table = pa.table(
        {
            "advertiser_id": [f"advertiser-{number % 100}" for number in range(rows)],
            "product_id": [f"product-{number}" for number in range(rows)],
            "image_uri": names,
            "title": [f"Product number {number}" for number in range(rows)],
        }
    )
    pq.write_table(table, folder / "manifest.parquet", row_group_size=125_000)
    return folder / "manifest.parquet"


def settle_everything(manifest: Path, config: PlanConfig) -> int:
    """A ledger as a finished run leaves it, that holds every row in every placement; returns its rows."""
    store, written = open_store(config.output), 0
    for number, shard in enumerate(cut_shards([str(manifest)], ColumnMap(), StoreConfig())):
        folder = folder_of(str(manifest))
        table = with_resolved_uris(read_shard(store, shard, ColumnMap()), folder)
        uris = table.column("image_uri").to_pylist()
        identities = SourceIdentities(config.sources, config.store).of(uris, base_uri=folder)
        words = key_words(row_keys(table, identities, config.config_digest))
        for name in PLACED:
            mixed = words ^ key_words([digest_of(PLACEMENTS[name])])
            hexes = mixed.astype(">u8").tobytes().hex()
            keys = [hexes[at * 32 : at * 32 + 32] for at in range(len(words))]
            rows = _ledger_rows(table, keys, name, shard.first_row, str(manifest))
            base = f"{config.ledger}/earlier"
            store.write(f"{base}/rows-{number}-{name}.parquet", parquet_bytes(rows))
            columns = ["plan_key", "outcome", "retryable", "finished_at"]
            store.write(f"{base}/keys-{number}-{name}.parquet", parquet_bytes(rows.select(columns)))
            written += len(rows)
    return written


def _ledger_rows(table: pa.Table, keys: list[str], placement: str, first_row: int, manifest: str) -> pa.Table:
    count = len(keys)
    constants = {
        "schema_version": 1, "run_id": "earlier", "decided_in_run": "earlier", "manifest_uri": manifest,
        "placement": placement, "outcome": "enhanced", "stage": "write", "reason": "ok", "retryable": False,
        "finished_at": 0, "task": "background", "creative_uri": "creatives/some/long/path/to-a-file.jpg",
    }  # fmt: skip
    columns = []
    for field in INDEX_SCHEMA:
        if field.name == "plan_key":
            columns.append(pa.array(keys))
        elif field.name == "manifest_row":
            columns.append(pa.array(range(first_row, first_row + count), pa.int64()))
        elif field.name in table.column_names and field.name in ("advertiser_id", "product_id", "title", "image_uri"):
            columns.append(table.column(field.name))
        elif field.name in constants:
            columns.append(pa.repeat(pa.scalar(constants[field.name], field.type), count))
        else:
            columns.append(pa.nulls(count, field.type))
    return pa.table(columns, schema=INDEX_SCHEMA)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--images", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = make_manifest(folder / "feed", options.rows, options.images)
        table = tuple(PLACEMENTS.values())
        config = PlanConfig(str(folder / "out"), "tonight", ("background",), PLACED, table, "digest")
        settled = settle_everything(manifest, config)
        started = time.monotonic()
        shards = cut_shards([str(manifest)], ColumnMap(), StoreConfig())
        with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as root:
            root | beam.Create(shards, reshuffle=False) | PlanRows(config) | beam.combiners.Count.Globally()
        planned = time.monotonic()
        finished = finish_run(Folders(config.output, config.run_id), shards, ColumnMap())
        done = time.monotonic()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"rows {options.rows}, settled keys {settled}, left to do {finished.pending}")
        print(f"plan {planned - started:.1f} s, index of rows carried over {done - planned:.1f} s, {peak:.2f} GiB")


if __name__ == "__main__":
    main()
