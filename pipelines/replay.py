"""Dead letters -> manifest: `python -m pipelines.replay RUN --to replay.parquet`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.flags import listed
from pipelines.scenes.folders import is_scene_run
from pipelines.stores import add_store_options, store_of
from transforms.errors import CanvasError, ManifestError
from transforms.ledger import PARQUET, parquet_bytes
from transforms.storage.store import Store, StoreConfig, open_store
from transforms.tables import read_table


def read_dead_letters(run_folder: str, store: Store) -> pa.Table:
    """All dead letters of a run.

    Raises:
        ManifestError: the folder holds none.
        TableError: one is damaged.
    """
    found = [item.uri for item in store.list(f"{run_folder.rstrip('/')}/dead_letters") if item.uri.endswith(".parquet")]
    if not found:
        remedy = "name a folder OUTPUT/runs/RUN_ID"
        if is_scene_run(run_folder):
            remedy = "what failed of scenes is in products.parquet; mend it, and give `pipelines.synthesise` again"
        raise ManifestError(f"{run_folder} has no dead_letters/*.parquet", remedy=remedy)
    return pa.concat_tables(read_table(store.read(uri).data, uri) for uri in sorted(found))


def select(letters: pa.Table, stages: Sequence[str] = (), reasons: Sequence[str] = ()) -> pa.Table:
    """The letters of these stages and reasons; none named means all."""
    for column, names in (("stage", stages), ("reason", reasons)):
        if names:
            letters = letters.filter(pc.is_in(letters.column(column), value_set=pa.array(list(names))))
    return letters


def counts_of(letters: pa.Table) -> str:
    """How many letters there are of each stage and reason, in words."""
    counts = Counter(zip(*(letters.column(name).to_pylist() for name in ("stage", "reason")), strict=True))
    return ", ".join(f"{stage} {reason} {count}" for (stage, reason), count in counts.most_common()) or "none"


def replay(run_folder: str, to: str, stages: Sequence[str], reasons: Sequence[str], config: StoreConfig) -> str:
    """Write the chosen dead letters as a manifest, and return what is to be said of it.

    It is written where none is chosen, too: an earlier night's would be replayed in its place.
    """
    every = read_dead_letters(run_folder, open_store(run_folder, config))
    letters = select(every, stages, reasons)
    open_store(to, config).write(to, parquet_bytes(letters), content_type=PARQUET)
    if len(letters):
        return f"{len(letters)} rows -> {to}"
    return f"no dead letter matches; {to} has no rows; the run's: {counts_of(every)}"


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.replay", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("run", help="OUTPUT/runs/RUN_ID")
    parser.add_argument("--to", required=True, help="manifest to write: a path, file:// or s3://")
    parser.add_argument("--stage", default="", help="only these stages, comma separated")
    parser.add_argument("--reason", default="", help="only these reasons, comma separated")
    add_store_options(parser)
    options = parser.parse_args(argv)
    stages, reasons = (list(listed(text)) for text in (options.stage, options.reason))
    try:
        said = replay(options.run, options.to, stages, reasons, store_of(options))
    except CanvasError as error:
        sys.stderr.write(f"error: {error}\n  remedy: {error.remedy}\n")
        return 2
    sys.stdout.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
