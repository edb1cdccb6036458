"""Ratings as training data for a reward model: the two images and the raters' mean flag for each head."""

from __future__ import annotations

import pyarrow as pa

from pipelines.rating.questions import ALL_HEADS
from pipelines.rating.rates import flags_by_head
from pipelines.rating.study import RATERS, Study
from transforms.errors import ConfigError

RATINGS_SCHEMA = pa.schema(
    [
        pa.field("original_uri", pa.string(), nullable=False),
        pa.field("output_uri", pa.string(), nullable=False),
        pa.field("original_digest", pa.string(), nullable=False),
        pa.field("output_digest", pa.string(), nullable=False),
        pa.field("contestant", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("placement", pa.string(), nullable=False),
        *[pa.field(f"p_{head}", pa.float64()) for head in ALL_HEADS],
        pa.field("raters", pa.list_(pa.string()), nullable=False),
        pa.field("complete", pa.bool_(), nullable=False),
    ]
)


def ratings_table(study: Study) -> pa.Table:
    """A row for each item that was rated at all.

    `p_<head>` is the share of its raters that flagged the head, null where the task does not ask it; `complete` says
    that two raters answered.

    Raises:
        ConfigError: a study of pairs has no flags.
    """
    if study.mode != "defects":
        raise ConfigError(f"{study.path} is a study of pairs: it has no defects to export")
    flags = flags_by_head(study.answers())
    rows = []
    for item in study.items():
        given = {head: by_item[item.id] for head, by_item in flags.items() if item.id in by_item}
        if not given:
            continue
        raters = sorted({rater for by_rater in given.values() for rater in by_rater})
        row = {name: getattr(item, name) for name in RATINGS_SCHEMA.names[:7]}
        row |= {f"p_{head}": sum(by_rater.values()) / len(by_rater) for head, by_rater in given.items()}
        rows.append({**row, "raters": raters, "complete": len(raters) >= RATERS})
    return pa.Table.from_pylist(rows, schema=RATINGS_SCHEMA)
