"""`report.html`: one file, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from jinja2 import Environment, PackageLoader, select_autoescape
from PIL import Image, ImageOps

from pipelines.report.plots import OUTCOME_COLORS, histograms, stacked_outcomes
from pipelines.report.summary import values_of_map
from transforms.errors import redact
from transforms.storage.store import StoreConfig, open_store

_THUMBNAILS = 24
_NAMED = 500  # of what was not enhanced
_SIDE = 220


def render_page(index: pa.Table, summary: dict[str, Any], store: StoreConfig) -> str:
    """The page of a run."""
    enhanced = index.filter(pc.equal(index.column("outcome"), "enhanced"))
    return render(
        "report.html.j2",
        summary=summary,
        colors=OUTCOME_COLORS,
        placements_plot=stacked_outcomes(named(summary["placements"])),
        scores_plot=histograms(values_of_map(enhanced, "scores")),
        latency_plot=histograms(values_of_map(index, "timings_msec"), "msec"),
        pairs=_pairs(enhanced, store),
        refused=_refused(index),
        refused_in_all=len(index) - len(enhanced),
    )


def named(placements: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, int]]:
    """Counts by placement; rows that have none are said to have none."""
    return {"in no placement" if name == "None" else name: counts for name, counts in placements.items()}


def render(template: str, **values: Any) -> str:
    """A template's page; everything is escaped."""
    environment = Environment(loader=PackageLoader("pipelines"), autoescape=select_autoescape(default=True))
    return environment.get_template(template).render(**values)


def _pairs(enhanced: pa.Table, store: StoreConfig) -> list[dict[str, Any]]:
    """Before and after of some creatives, spread evenly over the index."""
    count = len(enhanced)
    step = max(count // _THUMBNAILS, 1)
    columns = ["product_id", "placement", "task", "source_uri", "creative_uri", "prompt", "decided_in_run"]
    at = pa.array(list(range(0, count, step))[:_THUMBNAILS], pa.int64())
    rows = enhanced.select(columns).take(at).to_pylist()
    for row in rows:
        row["before"], row["after"] = thumbnail(row["source_uri"], store), thumbnail(row["creative_uri"], store)
    return rows


def _refused(index: pa.Table) -> list[dict[str, Any]]:
    """What somebody may have to mend comes first, so that the end of a long night's list does not hide it."""
    columns = ["product_id", "advertiser_id", "placement", "outcome", "stage", "reason", "detail", "value", "limit"]
    table = index.select([*columns, "remedy"])
    groups = [table.filter(pc.equal(table.column("outcome"), outcome)) for outcome in ("failed", "rejected", "skipped")]
    rows = pa.concat_tables(groups).slice(0, _NAMED).to_pylist()
    return [{**row, "detail": redact(row["detail"] or "")} for row in rows]


def thumbnail(uri: str | None, store: StoreConfig, side: int = _SIDE) -> str:
    """A JPEG data URI of `side` pixels at most, "" where the image cannot be shown."""
    if not uri or uri.startswith("http"):
        return ""
    try:
        with Image.open(io.BytesIO(open_store(uri, store).read(uri).data)) as image:
            small = ImageOps.exif_transpose(image)
            small.thumbnail((side, side))
            sink = io.BytesIO()
            if small.has_transparency_data:  # on white, as the job reads it
                clear = small.convert("RGBA")
                small = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
            small.convert("RGB").save(sink, "JPEG", quality=80)
    except (
        Exception
    ):  # decoders raise a dozen kinds for damaged files, and a source may have changed since the run read it
        return ""
    return "data:image/jpeg;base64," + base64.b64encode(sink.getvalue()).decode()
