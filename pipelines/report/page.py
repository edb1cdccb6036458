"""`report.html`: one file, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import io
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
_SIDE = 220


def render_page(index: pa.Table, summary: dict[str, Any], store: StoreConfig) -> str:
    """The page of a run."""
    enhanced = index.filter(pc.equal(index.column("outcome"), "enhanced"))
    return render(
        "report.html.j2",
        summary=summary,
        colors=OUTCOME_COLORS,
        placements_plot=stacked_outcomes(summary["placements"]),
        scores_plot=histograms(values_of_map(enhanced, "scores")),
        latency_plot=histograms(values_of_map(index, "timings_msec"), "msec"),
        pairs=_pairs(enhanced, store),
        refused=_refused(index),
    )


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
    columns = ["product_id", "placement", "outcome", "stage", "reason", "detail", "value", "limit", "remedy"]
    other = index.filter(pc.not_equal(index.column("outcome"), "enhanced")).select(columns)
    return [{**row, "detail": redact(row["detail"] or "")} for row in other.slice(0, 500).to_pylist()]


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
