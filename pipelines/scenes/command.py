"""Scenes of several products from the job's own manifest.

    python -m pipelines.synthesise --manifest M --group_column COLUMN --output DIR [--placements ...] [--seeds 1,2]

Rows of one advertiser that share a value of COLUMN are placed together in one scene, one to eight products, each with
its own pixels: the job's stages load them, judge them, cut them out, paint the background and prove the result. Takes
the job's options and its --config; see docs/scenes.md. (With --products DIR it is the pilot that paints products anew.)
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import cv2
from threadpoolctl import threadpool_limits

from pipelines.busy import BusyMeter
from pipelines.config import EnhanceConfig, as_yaml, config_of, plain_options
from pipelines.delivered import DELIVERED_SCENES
from pipelines.ending import exit_code_of
from pipelines.enhance import stages
from pipelines.finish import write_delivery
from pipelines.flags import listed
from pipelines.launch import ExitCode, decisions_of, serving, stopped, stopping_on_signals
from pipelines.options import build_parser, parse
from pipelines.progress import Progress
from pipelines.report.spend import cost_of_runs, spend_of
from pipelines.report.summary import RunFacts
from pipelines.scenes.earlier import Earlier, finish, keep
from pipelines.scenes.folders import DRY_FOLDER, FOLDER, Tables
from pipelines.scenes.groups import Columns, Group, check_files, read_groups
from pipelines.scenes.make import Target, steps_of
from pipelines.scenes.report import summarize_scenes, write_report
from pipelines.scenes.run import Maker, decide_all, scenes_of
from pipelines.scenes.tables import Decided, Row, loose_row
from pipelines.sources import cut_shards, manifest_files
from pipelines.telemetry.live import LiveMetrics
from pipelines.telemetry.logs import configure, name_run, tell
from transforms.decisions import of_scenes, wishes_of
from transforms.errors import ConfigError
from transforms.inference.client import shared_client
from transforms.inference.config import ServingConfig
from transforms.records import Product
from transforms.run_work import keyring_of, shared_budget
from transforms.storage.store import Store, open_store
from transforms.tally import Tally, tally_of
from transforms.work import Work

_STOPPED = {
    "too_many_failures": ExitCode.TOO_MANY_FAILURES,
    "budget": ExitCode.OVER_BUDGET,
    "interrupted": ExitCode.INTERRUPTED,
}
_TOLD = 20  # refused scenes that are named on the terminal; the table has all


@dataclass(frozen=True)
class SceneConfig:
    """The job as the nightly one knows it, and what makes scenes of it."""

    job: EnhanceConfig
    columns: Columns
    seeds: tuple[int, ...]
    prompt: str

    @property
    def folder(self) -> str:
        """Where the run's tables are; a dry run keeps its own apart."""
        folder = DRY_FOLDER if self.job.options.dry_run else FOLDER
        return f"{self.job.output}/{folder}/{self.job.run_id}"


def scene_parser() -> argparse.ArgumentParser:
    """The job's options and those of scenes."""
    parser = build_parser()
    parser.prog, parser.description = "python -m pipelines.synthesise", __doc__
    parser.set_defaults(features="background")
    for action in parser._actions:
        if action.dest == "limit":  # by rows it would cut a group in two
            action.help = "make the scenes of the first N groups alone"
    add = parser.add_argument_group("scenes").add_argument
    add("--group_column", help="column whose value the products of a scene share; rows without one are skipped")
    add("--height_column", default="", help="column of real heights, in one unit: products keep their proportions")
    add("--seeds", default="", help="a scene for each, comma separated; empty: one, made from advertiser and group")
    add("--prompt", default="", help="the scene in words, where no row of its group has any")
    return parser


def scene_config_of(options: argparse.Namespace) -> SceneConfig:
    """Validate the flags.

    Raises:
        ConfigError: names the option and what it expects.
    """
    if not options.group_column:
        raise ConfigError("--group_column is required: name the column that groups the products of a scene")
    try:
        seeds = tuple(dict.fromkeys(int(text) for text in listed(options.seeds)))
    except ValueError as error:
        raise ConfigError(f"--seeds {options.seeds!r}: expected integers with commas between them") from error
    if any(not 0 <= seed < 2**63 for seed in seeds):
        raise ConfigError(f"--seeds {options.seeds!r}: seeds are not negative and below 2**63")
    if "background" not in listed(options.features):
        raise ConfigError("--features: a scene is a painted background, and `background` is not among them")
    options.features = "background"
    return SceneConfig(config_of(options), Columns(options.group_column, options.height_column), seeds, options.prompt)


def run(argv: Sequence[str]) -> int:
    """Run the command line, and return the job's exit codes; see docs/scenes.md."""
    return exit_code_of(partial(_run, argv))


def _run(argv: Sequence[str]) -> int:
    arguments = parse(argv, scene_parser())
    if arguments.beam:
        raise ConfigError(f"option {arguments.beam[0]} is for a Beam runner: scenes are made in one process")
    configure(arguments.job.log_level, arguments.job.log_format)
    config = scene_config_of(arguments.job)
    if arguments.job.print_config:
        sys.stdout.write(as_yaml(arguments.job))
        return ExitCode.DONE
    name_run(config.job.run_id)
    return synthesise_manifest(config)


def synthesise_manifest(config: SceneConfig) -> ExitCode:
    """Make the scenes of a manifest, and write their tables.

    Raises:
        CanvasError: the run could not begin, or could not be finished; what was decided is found by the next one.
    """
    job, started, started_at = config.job, time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    said = decisions_of(job)
    files = manifest_files(job.manifest, job.store, job.output)
    shards = cut_shards(files, job.columns, job.store)
    check_files(files, config.columns, job.store)
    store, tally = open_store(job.output, job.store), tally_of(job.run_id, job.stop)
    tell("run started", "", manifest_files=len(files), output=job.output, dry_run=job.options.dry_run)
    options = job.options
    with (
        serving(job, config.folder) as (ask, urls),
        stopping_on_signals(tally),
        BusyMeter(urls, shared_client(ask).instances) as busy,
    ):
        maker = maker_of(config, ask, said)
        groups, loose = read_groups(shards, config.columns, maker.plan, config.prompt)
        groups = groups[: job.options.limit]
        tally.expect(sum(len(scenes_of(group, maker)) for group in groups), 0)
        with (
            LiveMetrics(tally, job.run_id, options.metrics_port, options.metrics_host),
            Progress(tally, options.progress),
        ):
            found = _decided(config, maker, groups, store, tally)
        counts = shared_client(ask).counts()
    rows = [loose_row(product, config.columns.group, job.run_id) for product in loose]
    tables = finish(store, config.folder, found, rows)
    if not options.dry_run:
        write_delivery(store, config.folder, tables.scenes, DELIVERED_SCENES)
    pending = tally.expected - len(found)
    reason = stopped(tally, pending)
    facts = RunFacts(
        job.run_id,
        reason or "complete",
        started_at,
        round(time.monotonic() - started, 3),
        pending,
        tally.stop_detail if reason else "",
        busy.share,
        job.stop.price_per_hour,
        store.conditional_writes,
        counts,
    )
    write_report(store, config.folder, tables, _summary(config, tables, facts, said), facts, job.store)
    _tell(config, found, loose, facts)
    return _exit_code(reason, found)


def _decided(config: SceneConfig, maker: Maker, groups: Sequence[Group], store: Store, tally: Tally) -> list[Decided]:
    job = config.job
    # Groups fill the cores; the threads of OpenCV and of numpy's BLAS would only spin beside them.
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        return decide_all(
            groups,
            maker,
            Earlier(store, job.output, job.options.retry_failed),
            tally=tally,
            budget=shared_budget(int(job.options.memory_gib * 2**30)),
            concurrency=job.options.concurrency,
            kept=lambda some: keep(store, config.folder, some),
        )


def maker_of(config: SceneConfig, ask: ServingConfig, said: Sequence[Mapping[str, Any]] = ()) -> Maker:
    """The job's own stages for each product, and the steps of a scene.

    Args:
        said: decisions, those about scenes among them.

    Raises:
        ConfigError: the server does not serve a model that is asked.
    """
    job, client = config.job, shared_client(ask)
    digests = client.model_digests()
    missing = set(job.models) - set(digests)
    if missing:
        remedy = "serve triton_repo/ of this version on every endpoint"
        raise ConfigError(f"the inference server does not serve {', '.join(sorted(missing))}", remedy=remedy)
    keyring = keyring_of(job.run_config(ask), digests)
    alone = Work(Product("", 0, "", "", ""))
    for stage in stages(job, ask):
        alone = alone if stage.per_placement else stage.append_to(alone)
    target = None if job.options.dry_run else Target(job.output, job.store)
    steps = steps_of(client, job.thresholds, target)
    plan, models = job.plan_config(digests), keyring.models
    wishes = wishes_of(of_scenes(said))
    return Maker(plan, config.seeds, alone.steps, steps, models, keyring.engine_fingerprint, wishes)


def _summary(config: SceneConfig, tables: Tables, facts: RunFacts, said: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    job, own = config.job, {"group_column": config.columns.group, "height_column": config.columns.height}
    options = {**plain_options(job), **own, "seeds": config.seeds, "prompt": config.prompt}
    summary = {**summarize_scenes(tables, facts), "options": options}
    if job.options.decisions:
        earlier = cost_of_runs(job.output, job.store, without=f"{FOLDER}/{job.run_id}")
        summary["decisions"] = spend_of(earlier + summary["cost"], said).figures()
    return summary


def _tell(config: SceneConfig, found: Sequence[Decided], loose: Sequence[Product], facts: RunFacts) -> None:
    run_id = config.job.run_id
    outcomes = Counter(each.scene["outcome"] for each in found)
    before = sum(each.scene["decided_in_run"] != run_id for each in found)
    counts = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items())) or "nothing to do"
    lines = [f"run {run_id}: {facts.status}: {counts}; {before} settled by earlier runs; {len(loose)} rows in no group"]
    ended = [_line(each.scene) for each in found if each.scene["outcome"] != "enhanced"]
    lines += ended[:_TOLD] + [f"... and {len(ended) - _TOLD} more"] * (len(ended) > _TOLD)
    if facts.pending:
        lines.append(f"not reached: {facts.pending}; run again to go on ({facts.stop_detail})")
    lines.append(f"tables: {config.folder}/scenes.parquet, {config.folder}/products.parquet")
    lines.append(f"report: {config.folder}/report.html")
    figures = {"outcomes": dict(outcomes), "carried": before, "pending": facts.pending, "loose": len(loose)}
    tell("run finished", "\n".join(lines), status=facts.status, wall_sec=facts.wall_sec, **figures)


def _line(scene: Row) -> str:
    value = "" if scene["value"] is None else f" {scene['value']:.4g} (limit {scene['limit']:.4g})"
    where = f"{scene['advertiser_id']}/{scene['scene_group']} {scene['placement'] or 'in no placement'}"
    return f"{where} seed {scene['seed']}: {scene['outcome']}: {scene['reason']}{value}: {scene['detail']}"


def _exit_code(stopped_by: str, found: Sequence[Decided]) -> ExitCode:
    if stopped_by:
        return _STOPPED[stopped_by]
    failed = any(row["outcome"] == "failed" for each in found for row in (each.scene, *each.products))
    return ExitCode.SOME_FAILED if failed else ExitCode.DONE
