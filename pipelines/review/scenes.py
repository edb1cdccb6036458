"""The scenes of a run as the review page shows creatives: a row for each scene, its products' rows with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.decisions import SCENE, scene_reference
from transforms.errors import ManifestError, ObjectNotFound
from transforms.index import INDEX_SCHEMA
from transforms.keys import digest_of
from transforms.storage.store import Store

FOLDER = "scene_runs"
_NAME = ("advertiser_id", "scene_group", "placement", "seed")
Row = dict[str, Any]


def is_scene_run(uri: str) -> bool:
    """Whether `uri` is a folder `OUTPUT/scene_runs/RUN_ID`."""
    return uri.rstrip("/").split("/")[-2:-1] == [FOLDER]


def scene_rows(uri: str, store: Store) -> list[Row]:
    """A run's scenes, each with the columns of an index row and `members`, its products' rows from left to right.

    Its product is the group, its image stands for its seed and its products' images; see `scene_reference`.

    Raises:
        ManifestError: the folder holds no tables.
    """
    try:
        scenes, products = (_rows(store, f"{uri}/{name}.parquet") for name in ("scenes", "products"))
    except ObjectNotFound as error:
        raise ManifestError(f"{uri} has no scenes.parquet and products.parquet", remedy=_REMEDY) from error
    members: dict[tuple[Any, ...], list[Row]] = {}
    for row in products:
        members.setdefault(tuple(row[name] for name in _NAME), []).append(row)
    seeds = {(row["advertiser_id"], row["scene_group"], row["seed"]) for row in scenes}
    several = len(seeds) > len({name[:2] for name in seeds})
    return [_row(scene, members.get(tuple(scene[name] for name in _NAME), []), several) for scene in scenes]


_REMEDY = "name a folder OUTPUT/scene_runs/RUN_ID of a finished run"


def _rows(store: Store, uri: str) -> list[Row]:
    rows: list[Row] = pq.read_table(pa.BufferReader(store.read(uri).data)).to_pylist()
    return rows


def _row(scene: Row, members: Sequence[Row], several: bool) -> Row:
    placed = sorted(members, key=lambda row: row["scene_position"])
    digests = [digest for digest in scene["source_digests"] if digest]
    title = ", ".join(row["title"] or row["product_id"] or "" for row in placed)
    return {
        **dict.fromkeys(INDEX_SCHEMA.names),
        **scene,
        "manifest_uri": scene["manifest_uris"][0],
        "manifest_row": scene["manifest_rows"][0],
        "product_id": scene["scene_group"],
        "title": f"{title} (seed {scene['seed']})" if several else title,
        "task": SCENE,
        "image_uri": scene_reference((row["image_uri"] or "" for row in placed), scene["seed"]),
        "source_digest": digest_of(digests) if digests else None,
        "evidence_uri": next((row["evidence_uri"] for row in placed), None),
        "members": tuple(placed),
    }


def members_of(row: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The products of a scene's row; () where the row is a creative of one product."""
    found: Sequence[Mapping[str, Any]] = row.get("members") or ()
    return found
