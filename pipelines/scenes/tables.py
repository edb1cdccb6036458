"""What became of scenes, as two tables: a row for each scene, and a row for each manifest row in each scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pyarrow as pa

from pipelines.scenes.groups import Group
from pipelines.scenes.make import Cause, SceneEnded, SceneJob
from transforms.errors import ManifestError, Refusal, SourceError, redact
from transforms.index import INDEX_SCHEMA, conclude, index_row
from transforms.records import Outcome, Product
from transforms.work import Ended

_TEXT, _WHOLE = pa.string(), pa.int64()
# Of the index's columns those that say something of a scene; what is a product's own stands in the other table.
_SHARED = (
    "schema_version", "run_id", "decided_in_run", "advertiser_id", "placement", "outcome", "stage", "reason", "detail",
    "value", "limit", "remedy", "retryable", "plan_key", "content_key", "creative_uri", "creative_digest",
    "creative_bytes", "creative_format", "creative_quality", "creative_height", "creative_width", "label", "painter",
    "models", "engine_fingerprint", "prompt", "seed", "candidate_seed", "scores", "timings_msec", "finished_at",
)  # fmt: skip

SCENE_SCHEMA = pa.schema(
    [
        pa.field("scene_group", _TEXT, nullable=False),
        *(INDEX_SCHEMA.field(name) for name in _SHARED),
        pa.field("member", _TEXT),  # the product that ended the scene
        pa.field("product_ids", pa.list_(_TEXT), nullable=False),
        pa.field("manifest_uris", pa.list_(_TEXT), nullable=False),
        pa.field("manifest_rows", pa.list_(_WHOLE), nullable=False),
        pa.field("source_digests", pa.list_(_TEXT), nullable=False),  # null where a source could not be loaded
    ]
)
# An index of products, so that `pipelines.audit` proves scenes as it proves creatives.
PRODUCT_SCHEMA = pa.schema(
    [
        *INDEX_SCHEMA,
        pa.field("scene_group", _TEXT),
        pa.field("scene_seed", _WHOLE),
        pa.field("scene_position", _WHOLE),
        pa.field("height", pa.float64()),
    ]
)
Row = dict[str, Any]


class Decided(NamedTuple):
    """A decided scene: its row, its products' rows, and the outcome that a tally counts."""

    scene: Row
    products: list[Row]
    outcome: Outcome


def decided(group: Group, ended: SceneEnded, run_id: str, plan_key: str) -> Decided:
    """The rows of a scene that ended now."""
    scene, cause = ended.scene, next(iter(ended.causes), None)
    name = scene.lead.placement.name if scene.lead.placement else None
    fingerprint = scene.lead.uris.get("engine", "")
    outcome = _outcome(scene, cause, name, fingerprint)
    row = {**index_row(outcome, run_id, plan_key), "seed": scene.seed}
    images = [job.image for job in scene.jobs]
    member = scene.jobs[cause.member].product.product_id if cause and cause.member is not None else None
    mine = {name: row[name] for name in _SHARED} | {
        "scene_group": group.name,
        "member": member,
        "product_ids": [product.product_id for product in group.products],
        "manifest_uris": [product.manifest_uri for product in group.products],
        "manifest_rows": [product.row for product in group.products],
        "source_digests": [image.facts.digest if image else None for image in images],
    }
    own = {each.member: each for each in reversed(ended.causes)}
    products = [
        _product_row(group, scene, number, outcome, own.get(number), run_id, plan_key)
        for number in range(len(scene.jobs))
    ]
    return Decided(mine, products, outcome)


def _outcome(scene: SceneJob, cause: Cause | None, placement: str | None, fingerprint: str) -> Outcome:
    """The scene's own outcome. What ends a product ends the scene as `rejected`: another picture or another row mends
    it; a server or a store that did not do its part leaves it `failed`."""
    job = scene.lead
    if cause is None:
        return conclude(Ended(job, "write" if job.creative else "verify", None), placement, fingerprint)
    outcome = conclude(Ended(job, cause.stage, cause.error), placement, fingerprint)
    if cause.member is None:
        return outcome
    product = scene.jobs[cause.member].product
    what = cause.error.detail if isinstance(cause.error, Refusal) else str(cause.error)
    detail = f"product {product.product_id!r} (row {product.row}): {what}"
    settled = isinstance(cause.error, Refusal | SourceError | ManifestError) and not outcome.retryable
    return replace(outcome, outcome="rejected" if settled else "failed", detail=detail)


def _product_row(
    group: Group, scene: SceneJob, number: int, whole: Outcome, own: Cause | None, run_id: str, plan_key: str
) -> Row:
    """A product ends as its scene ends; what has a cause of its own ends by that."""
    job, name = replace(scene.jobs[number], content_key=scene.lead.content_key), whole.placement
    fingerprint = scene.lead.uris.get("engine", "")
    if own is not None:
        outcome = conclude(Ended(job, own.stage, own.error), name, fingerprint)
    else:
        columns = conclude(Ended(job, whole.stage, None), name, fingerprint).columns
        outcome = replace(whole, product=job.product, columns=columns)
    row = index_row(replace(outcome, product=replace(job.product, seed=scene.seed)), run_id, plan_key)
    candidate = scene.lead.candidate
    painted = {"prompt": candidate.prompt, "candidate_seed": candidate.seed} if candidate else {}
    return {**row, **painted, **_place(group, number, scene.seed), "models": dict(scene.lead.models)}


def _place(group: Group, number: int, seed: int) -> Row:
    height = group.members[number].height
    return {"scene_group": group.name, "scene_seed": seed, "scene_position": number, "height": height}


def loose_row(product: Product, column: str, run_id: str) -> Row:
    """The row of a product that belongs to no group."""
    detail = f"column {column!r} is empty: the row belongs to no scene"
    row = index_row(Outcome(product, None, "skipped", "plan", "no_group", detail), run_id, product.plan_key)
    return {**row, "scene_group": None, "scene_seed": None, "scene_position": None, "height": None}


def carried(
    group: Group, scene: Mapping[str, Any], products: Sequence[Mapping[str, Any]], run_id: str, plan_key: str
) -> Decided:
    """What an earlier run decided of the same scene, as rows of this run."""
    product = replace(group.products[0], product_id=group.name)
    words = {name: scene[name] for name in ("outcome", "stage", "reason")}
    outcome = Outcome(product, scene["placement"], **words, decided_in_run=scene["decided_in_run"])
    rows = [
        {
            **each,
            "run_id": run_id,
            "plan_key": plan_key,
            "manifest_uri": own.manifest_uri,
            "manifest_row": own.row,
            "image_uri": redact(own.image_uri),
        }
        for each, own in zip(products, group.products, strict=True)
    ]
    mine = {
        **scene,
        "run_id": run_id,
        "plan_key": plan_key,
        "manifest_uris": [own.manifest_uri for own in group.products],
        "manifest_rows": [own.row for own in group.products],
    }
    return Decided(mine, rows, outcome)


def table_of(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    """Rows as a table, in the order of their identity."""
    first = ("advertiser_id", "scene_group") if schema is SCENE_SCHEMA else ("manifest_uri", "manifest_row")
    table = pa.Table.from_pylist(list(rows), schema=schema)
    return table.sort_by([(name, "ascending") for name in (*first, "placement", "seed")])
