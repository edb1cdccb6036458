"""The scenes of a run as the review page shows creatives: a row for each scene, its products' rows with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.scenes.folders import read_tables
from transforms.decisions import SCENE, scene_reference
from transforms.index import INDEX_SCHEMA
from transforms.keys import digest_of
from transforms.storage.store import Store

_NAME = ("advertiser_id", "scene_group", "placement", "seed")
Row = dict[str, Any]


def scene_rows(uri: str, store: Store) -> list[Row]:
    """A run's scenes, each with the columns of an index row and `members`, its products' rows from left to right.

    Its product is the group, its image stands for its seed and its products' images; see `scene_reference`.
    `shown_seed` is its seed where a group has scenes of several, else None.

    Raises:
        TableError: the folder holds no tables.
    """
    scenes, products = (table.to_pylist() for table in read_tables(store, uri))
    members: dict[tuple[Any, ...], list[Row]] = {}
    for row in products:
        members.setdefault(tuple(row[name] for name in _NAME), []).append(row)
    seeds = {(row["advertiser_id"], row["scene_group"], row["seed"]) for row in scenes}
    several = len(seeds) > len({name[:2] for name in seeds})
    return [_row(scene, members.get(tuple(scene[name] for name in _NAME), []), several) for scene in scenes]


def _row(scene: Row, members: Sequence[Row], several: bool) -> Row:
    placed = sorted(members, key=lambda row: row["scene_position"])
    digests = [digest for digest in scene["source_digests"] if digest]
    return {
        **dict.fromkeys(INDEX_SCHEMA.names),
        **scene,
        "manifest_uri": scene["manifest_uris"][0],
        "manifest_row": scene["manifest_rows"][0],
        "product_id": scene["scene_group"],
        "title": ", ".join(row["title"] or row["product_id"] or "" for row in placed),
        "shown_seed": scene["seed"] if several else None,
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
