"""Where the tables of a run that made scenes are, for whoever reads them; light to import."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from transforms.errors import ObjectNotFound, TableError
from transforms.storage.store import Store
from transforms.tables import read_table

FOLDER, DRY_FOLDER = "scene_runs", "scene_dry_runs"
MOST = 8  # products of a scene


class Tables(NamedTuple):
    """A finished run: a row for each scene, a row for each manifest row in each of its scenes."""

    scenes: pa.Table
    products: pa.Table


def is_scene_run(uri: str) -> bool:
    """Whether `uri` is a folder `OUTPUT/scene_runs/RUN_ID`, or a dry run's.

    >>> is_scene_run("s3://creatives/catalog/scene_runs/monday/"), is_scene_run("out/runs/monday")
    (True, False)
    """
    return uri.rstrip("/").split("/")[-2:-1] in ([FOLDER], [DRY_FOLDER])


def read_tables(store: Store, folder: str) -> Tables:
    """The tables of a finished run.

    Raises:
        TableError: the folder holds none, or one is damaged.
    """
    try:
        return Tables(*(read_stored(store, f"{folder}/{name}.parquet") for name in Tables._fields))
    except ObjectNotFound as error:
        remedy = f"name a folder OUTPUT/{FOLDER}/RUN_ID of a finished run"
        raise TableError(f"{folder} has no scenes.parquet and products.parquet", remedy=remedy) from error


def read_stored(store: Store, uri: str) -> pa.Table:
    """One Parquet file.

    Raises:
        TableError: it is damaged.
        StorageError: it cannot be read.
    """
    return read_table(store.read(uri).data, uri)
