"""Nights that make scenes without a server: small feeds of cutouts, served models that are faked, real tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from feeds import write_feed

from pipelines.config import Thresholds
from pipelines.delivered import DELIVERED_SCENES
from pipelines.finish import write_delivery
from pipelines.review.decisions import Decisions
from pipelines.review.judge import entries_for
from pipelines.review.runs import read_run
from pipelines.scenes.earlier import Earlier, finish, keep
from pipelines.scenes.groups import Columns, read_groups
from pipelines.scenes.make import Target, steps_of
from pipelines.scenes.run import Maker, decide_all
from pipelines.scenes.tables import Decided, loose_row
from pipelines.sources import cut_shards
from transforms.budget import ByteBudget
from transforms.decisions import of_scenes, wishes_of
from transforms.inference.fake import FakeClient
from transforms.load import load_job
from transforms.manifest import ColumnMap
from transforms.ops.decode import DecodeLimits
from transforms.placements import Placement
from transforms.plan import PlanConfig
from transforms.records import Size
from transforms.segment import SegmentLimits, segment
from transforms.sources.allow import SourcePolicy
from transforms.storage.store import StoreConfig, open_store
from transforms.tally import Tally
from transforms.work import Step

TABLE = (Placement("wide", Size(160, 320)), Placement("tall", Size(320, 192)))
Table = list[dict[str, Any]]


class Night:
    """A folder with a feed and an output, and runs over it with served models that are faked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.client = folder, FakeClient()
        self.said = Decisions(folder / "decisions.sqlite")
        self.output = str(folder / "out")
        self.store = open_store(self.output, StoreConfig())

    def feed(self, *rows: Mapping[str, Any]) -> None:
        write_feed(self.folder, [{"advertiser_id": "acme", **row} for row in rows])

    def run(
        self, run_id: str, *, seeds: tuple[int, ...] = (5,), finished: bool = True, tally: Tally | None = None
    ) -> list[Decided]:
        plan = PlanConfig(self.output, run_id, ("background",), ("wide", "tall"), TABLE, "0" * 32)
        manifest = str(self.folder / "manifest.parquet")
        shards = cut_shards([manifest], ColumnMap(), StoreConfig())
        groups, loose = read_groups(shards, Columns("scene_group"), plan, "pale blue studio")
        tally, folder = tally or Tally(), f"{self.output}/scene_runs/{run_id}"

        def kept(found: Sequence[Decided]) -> None:
            keep(self.store, folder, found)

        earlier = Earlier(self.store, self.output)
        found = decide_all(
            groups, self.maker(plan, seeds), earlier, tally=tally, budget=ByteBudget(10**9), concurrency=1,
            kept=kept,
        )  # fmt: skip
        if finished:
            tables = finish(self.store, folder, found, [loose_row(product, "scene_group", run_id) for product in loose])
            write_delivery(self.store, folder, tables.scenes, DELIVERED_SCENES)
        return found

    def maker(self, plan: PlanConfig, seeds: tuple[int, ...]) -> Maker:
        load = partial(load_job, sources=SourcePolicy((str(self.folder),)), store=StoreConfig(), limits=DecodeLimits())
        steps = (
            Step("load", load),
            Step("eligibility", partial(replace, task="background")),
            Step("segment", partial(segment, client=self.client, limits=SegmentLimits())),
        )
        target = Target(self.output, StoreConfig())
        scene_steps, wishes = steps_of(self.client, Thresholds(), target), wishes_of(of_scenes(self.said.rows()))
        return Maker(plan, seeds, steps, scene_steps, {"studio": "d"}, "engine", wishes)

    def decide(self, run_id: str, action: str, placement: str, **asked: str) -> str:
        """A decision on a scene, as the review page records it."""
        rows = {row["item_id"]: row for row in read_run(f"{self.output}/scene_runs/{run_id}", StoreConfig()).rows}
        ids = [name for name, row in rows.items() if row["placement"] == placement]
        entries = entries_for({"action": action, "ids": ids, **asked}, rows, self.said.rows())
        return self.said.record(action, "ann", run_id, entries)

    @property
    def painted(self) -> int:
        return sum(model == "studio_upscale" for model, _ in self.client.requests)

    def table(self, run_id: str, name: str) -> Table:
        rows: Table = pq.read_table(f"{self.output}/scene_runs/{run_id}/{name}.parquet").to_pylist()
        return rows


def row(product: str, group: str | None = "tea", image: str = "", **more: Any) -> dict[str, Any]:
    return {"product_id": product, "image_uri": image or f"{product}.png", "scene_group": group, **more}
