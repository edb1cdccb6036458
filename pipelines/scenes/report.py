"""The report of a run that made scenes: figures and pictures, all of them from the run's two tables."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.report.page import named, render, thumbnail
from pipelines.report.plots import OUTCOME_COLORS, histograms, stacked_outcomes
from pipelines.report.summary import RunFacts, count_rows, quantiles_of_maps, summarize, values_of_map
from pipelines.scenes.folders import Tables
from pipelines.scenes.tables import Row
from pipelines.telemetry.metrics import write_metrics
from transforms.errors import StorageError, redact
from transforms.storage.store import Store, StoreConfig

_LOG = logging.getLogger(__name__)
_SHOWN, _NAMED = 24, 500  # scenes with pictures; scenes that were not made, in words
_PLOTTED = 12  # fewer values are no histogram
_SCENE_SIDE, _PRODUCT_SIDE = 520, 160


def summarize_scenes(tables: Tables, facts: RunFacts) -> dict[str, Any]:
    """`report.json`: as the job's, a scene in the place of a creative; and what its products did.

    Args:
        facts: of the run; `pending` counts scenes.
    """
    scenes, products = tables
    rows = products.filter(pc.is_valid(products.column("scene_group")))
    index = scenes.append_column("manifest_uri", pc.list_element(scenes.column("manifest_uris"), 0))
    index = index.append_column("manifest_row", pc.list_element(scenes.column("manifest_rows"), 0))
    index = index.append_column("task", pa.repeat(pa.scalar("background"), len(scenes)))
    return {
        **summarize(index, facts),
        "rows": count_rows(products),
        "rows_in_no_group": len(products) - len(rows),
        "scenes": len(scenes),
        "groups": len(scenes.group_by(["advertiser_id", "scene_group"]).aggregate([])),
        "members": endings_of(scenes),
        "latency_msec": quantiles_of_maps(timed_of(tables, facts.run_id), "timings_msec"),
    }


def timed_of(tables: Tables, run_id: str) -> pa.Table:
    """What a run decided itself, with `timings_msec`: its scenes, and each of its products once, since a product goes
    through its own stages once, however many scenes it is in."""
    scenes, products = (_decided(table, run_id) for table in tables)
    rows = _once(products.filter(pc.is_valid(products.column("scene_group"))))
    return pa.concat_tables([table.select(["timings_msec"]) for table in (rows, scenes)])


def _decided(table: pa.Table, run_id: str) -> pa.Table:
    return table.filter(pc.equal(table.column("decided_in_run"), run_id))


def _once(rows: pa.Table) -> pa.Table:
    names = zip(*(rows.column(name).to_pylist() for name in ("manifest_uri", "manifest_row")), strict=True)
    firsts = {name: at for at, name in reversed(list(enumerate(names)))}
    return rows.take(pa.array(sorted(firsts.values()), pa.int64()))


def endings_of(scenes: pa.Table) -> list[Row]:
    """The products that ended scenes, with stage and reason: how many scenes, in which groups; most scenes first."""
    keys = ("advertiser_id", "member", "stage", "reason")
    ended = scenes.filter(pc.is_valid(scenes.column("member"))).select([*keys, "scene_group"]).to_pylist()

    def key(row: Row) -> tuple[str, ...]:
        return tuple(row[name] for name in keys)

    found = []
    for values, same in groupby(sorted(ended, key=key), key):
        groups = [row["scene_group"] for row in same]
        found.append({**dict(zip(keys, values, strict=True)), "scenes": len(groups), "groups": sorted(set(groups))})
    return sorted(found, key=lambda row: -int(row["scenes"]))


def render_scenes(tables: Tables, summary: Mapping[str, Any], store: StoreConfig) -> str:
    """`report.html`: the page of a run that made scenes."""
    scenes, products = tables
    enhanced = scenes.filter(pc.equal(scenes.column("outcome"), "enhanced"))
    picture = lru_cache(maxsize=512)(lambda uri, side: thumbnail(uri, store, side))
    members: dict[tuple[Any, ...], list[Row]] = {}
    columns = [*_SCENE, "product_id", "title", "source_uri", "scene_position", "outcome", "reason"]
    for row in products.filter(pc.is_valid(products.column("scene_group"))).select(columns).to_pylist():
        members.setdefault(_name(row), []).append(row)
    for mine in members.values():
        mine.sort(key=lambda row: row["scene_position"])
    return render(
        "scene_report.html.j2",
        summary=summary,
        colors=OUTCOME_COLORS,
        placements_plot=stacked_outcomes(named(summary["placements"])),
        scores_plot=histograms(values_of_map(enhanced, "scores")) if len(enhanced) >= _PLOTTED else "",
        shown=[_pictured(row, members[_name(row)], picture) for row in _some(enhanced)],
        refused=_refused(scenes, members, picture),
    )


_SCENE = ("advertiser_id", "scene_group", "placement", "seed")


def _name(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _SCENE)


def _some(enhanced: pa.Table) -> list[Row]:
    """Scenes spread evenly over the table."""
    step = max(len(enhanced) // _SHOWN, 1)
    columns = [*_SCENE, "creative_uri", "creative_width", "creative_height", "prompt", "painter", "decided_in_run"]
    at = pa.array(list(range(0, len(enhanced), step))[:_SHOWN], pa.int64())
    rows: list[Row] = enhanced.select(columns).take(at).to_pylist()
    return rows


def _pictured(scene: Row, members: Sequence[Row], picture: Any) -> Row:
    return {
        **scene,
        "after": picture(scene["creative_uri"], _SCENE_SIDE),
        "products": [{**row, "before": picture(row["source_uri"], _PRODUCT_SIDE)} for row in members],
    }


def _refused(scenes: pa.Table, members: Mapping[tuple[Any, ...], Sequence[Row]], picture: Any) -> list[Row]:
    columns = [*_SCENE, "outcome", "stage", "reason", "detail", "value", "limit", "remedy", "member", "product_ids"]
    other = scenes.filter(pc.not_equal(scenes.column("outcome"), "enhanced")).select(columns).slice(0, _NAMED)
    found = []
    for at, row in enumerate(other.to_pylist()):
        pictured = members.get(_name(row), ()) if at < _SHOWN else ()
        products = [{**each, "before": picture(each["source_uri"], _PRODUCT_SIDE)} for each in pictured]
        found.append({**row, "detail": redact(row["detail"] or ""), "products": products})
    return found


def write_report(
    store: Store, folder: str, tables: Tables, summary: Mapping[str, Any], facts: RunFacts, config: StoreConfig
) -> None:
    """Write `report.json`, `metrics.prom` and `report.html` into a run's folder; without the page where pictures cannot
    be stored.

    Raises:
        StorageError: the figures cannot be written.
    """
    text = json.dumps(summary, indent=1, default=str)
    store.write(f"{folder}/report.json", text.encode(), content_type="application/json")
    write_metrics(store, folder, tables.scenes, facts, summary["cost"], timed_of(tables, facts.run_id))
    try:
        page = render_scenes(tables, summary, config)
        store.write(f"{folder}/report.html", page.encode(), content_type="text/html; charset=utf-8")
    except StorageError as error:
        _LOG.warning("report.html was not written: %s", error)
