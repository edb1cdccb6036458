"""The index: one row for each manifest row and placement, in one Arrow schema that the ledger shares."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from transforms.errors import CanvasError, Refusal, StorageError, redact
from transforms.records import Job, Outcome, Product
from transforms.work import Ended

SCHEMA_VERSION = 1

_TEXT, _REAL, _WHOLE = pa.string(), pa.float64(), pa.int64()

INDEX_SCHEMA = pa.schema(
    [
        pa.field("schema_version", pa.int32(), nullable=False),
        pa.field("run_id", _TEXT, nullable=False),
        pa.field("decided_in_run", _TEXT, nullable=False),
        pa.field("manifest_uri", _TEXT, nullable=False),
        pa.field("manifest_row", _WHOLE, nullable=False),
        pa.field("advertiser_id", _TEXT),
        pa.field("product_id", _TEXT),
        pa.field("title", _TEXT),
        pa.field("product_category", _TEXT),
        pa.field("placement", _TEXT),
        pa.field("outcome", _TEXT, nullable=False),
        pa.field("stage", _TEXT, nullable=False),
        pa.field("reason", _TEXT, nullable=False),
        pa.field("detail", _TEXT),
        pa.field("value", _REAL),
        pa.field("limit", _REAL),
        pa.field("remedy", _TEXT),
        pa.field("retryable", pa.bool_(), nullable=False),
        pa.field("plan_key", _TEXT, nullable=False),
        pa.field("content_key", _TEXT),
        pa.field("task", _TEXT),
        pa.field("image_uri", _TEXT),
        pa.field("source_uri", _TEXT),
        pa.field("source_digest", _TEXT),
        pa.field("source_bytes", _WHOLE),
        pa.field("source_format", _TEXT),
        pa.field("source_mode", _TEXT),
        pa.field("source_orientation", pa.int32()),
        pa.field("source_height", pa.int32()),
        pa.field("source_width", pa.int32()),
        pa.field("creative_uri", _TEXT),
        pa.field("creative_digest", _TEXT),
        pa.field("creative_bytes", _WHOLE),
        pa.field("creative_format", _TEXT),
        pa.field("creative_quality", pa.int32()),
        pa.field("creative_height", pa.int32()),
        pa.field("creative_width", pa.int32()),
        pa.field("evidence_uri", _TEXT),
        pa.field("core_digest", _TEXT),
        pa.field("label", _TEXT),
        pa.field("painter", _TEXT),
        pa.field("models", pa.map_(_TEXT, _TEXT)),
        pa.field("engine_fingerprint", _TEXT),
        pa.field("prompt", _TEXT),
        pa.field("seed", _WHOLE),
        pa.field("candidate_seed", _WHOLE),
        pa.field("transform_kernel", _TEXT),
        pa.field("transform_scale", _REAL),
        pa.field("transform_height", pa.int32()),
        pa.field("transform_width", pa.int32()),
        pa.field("transform_top", pa.int32()),
        pa.field("transform_left", pa.int32()),
        pa.field("scores", pa.map_(_TEXT, _REAL)),
        pa.field("timings_msec", pa.map_(_TEXT, _REAL)),
        pa.field("worker", _TEXT),
        pa.field("finished_at", pa.timestamp("ms", tz="UTC")),
    ]
)


def conclude(ended: Ended, placement: str | None, engine_fingerprint: str) -> Outcome:
    """The outcome of an ended job, with everything that the index says of it."""
    job, cause = ended.job, ended.cause
    columns = {**_job_columns(job), "engine_fingerprint": engine_fingerprint}
    base = Outcome(job.product, placement, "enhanced", ended.stage, "ok", columns=columns)
    if isinstance(cause, Refusal):
        if cause.reason == "opted_out":
            # a wish, not a finding about the content: once it is undone, the content's own outcome counts again
            base = replace(base, columns={**base.columns, "content_key": None})
        return replace(
            base, outcome=cause.outcome, reason=cause.reason, detail=cause.detail, value=cause.value, limit=cause.limit
        )
    if isinstance(cause, CanvasError):
        return failed(job.product, placement, ended.stage, cause, columns)
    return base


def failed(
    product: Product, placement: str | None, stage: str, error: CanvasError, columns: Mapping[str, Any]
) -> Outcome:
    """A failed outcome: the error as data.

    What the output's store refuses says nothing about the row: once there is space, or a right, the row is to be tried
    again. Errors of the stores that sources lie in are `SourceError`s by then.
    """
    return Outcome(
        product,
        placement,
        "failed",
        stage,
        error.reason,
        detail=str(error),
        remedy=error.remedy,
        retryable=error.retryable or isinstance(error, StorageError),
        columns=columns,
    )


def _job_columns(job: Job) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "task": job.task or None,
        "content_key": job.content_key or None,
        "prompt": job.candidate.prompt if job.candidate else (job.prompt or None),
        "candidate_seed": job.candidate.seed if job.candidate else None,
        "source_uri": job.uris.get("source"),
        "evidence_uri": job.uris.get("evidence"),
        "core_digest": job.uris.get("core_digest"),
        "label": job.uris.get("label"),
        "painter": job.uris.get("painter"),
        "models": dict(job.models),
        "scores": {name: float(value) for name, value in job.scores.items()},
        "timings_msec": {name: round(value, 3) for name, value in job.timings_msec.items()},
    }
    return {**columns, **_source_columns(job), **_transform_columns(job), **_creative_columns(job)}


def _source_columns(job: Job) -> dict[str, Any]:
    if job.image is None:
        return {}
    facts, size = job.image.facts, job.image.size
    return {
        "source_digest": facts.digest,
        "source_bytes": facts.byte_size,
        "source_format": facts.file_format,
        "source_mode": facts.mode,
        "source_orientation": facts.orientation,
        "source_height": size.height,
        "source_width": size.width,
    }


def _transform_columns(job: Job) -> dict[str, Any]:
    if job.transform is None:
        return {}
    transform = job.transform
    return {
        "transform_kernel": transform.kernel,
        "transform_scale": transform.scale,
        "transform_height": transform.scaled.height,
        "transform_width": transform.scaled.width,
        "transform_top": transform.top,
        "transform_left": transform.left,
    }


def _creative_columns(job: Job) -> dict[str, Any]:
    if job.creative is None:
        return {}
    creative = job.creative
    return {
        "creative_uri": creative.uri or job.uris.get("creative"),
        "creative_digest": creative.digest,
        "creative_bytes": len(creative.data),
        "creative_format": creative.file_format,
        "creative_quality": creative.quality,
        "creative_height": creative.size.height,
        "creative_width": creative.size.width,
    }


def index_row(outcome: Outcome, run_id: str, plan_key: str, finished_at: datetime | None = None) -> dict[str, Any]:
    """One row of the index, by column name."""
    product = outcome.product
    row: dict[str, Any] = dict.fromkeys(INDEX_SCHEMA.names)
    row.update(outcome.columns)
    row.update(
        schema_version=SCHEMA_VERSION,
        run_id=run_id,
        plan_key=plan_key,
        decided_in_run=outcome.decided_in_run or run_id,
        manifest_uri=product.manifest_uri,
        manifest_row=product.row,
        advertiser_id=product.advertiser_id,
        product_id=product.product_id,
        title=product.title,
        product_category=product.product_category,
        image_uri=redact(product.image_uri),
        source_uri=redact(row["source_uri"]) if row["source_uri"] else None,
        seed=product.seed,
        placement=outcome.placement,
        outcome=outcome.outcome,
        stage=outcome.stage,
        reason=outcome.reason,
        detail=outcome.detail,
        value=outcome.value,
        limit=outcome.limit,
        remedy=outcome.remedy,
        retryable=outcome.retryable,
        worker=f"{socket.gethostname()}:{os.getpid()}",
        finished_at=finished_at or datetime.now(UTC),
    )
    return row


def index_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Index rows as a table of `INDEX_SCHEMA`."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=INDEX_SCHEMA)
