"""The nightly job: its graph on one screen, and its launch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

import apache_beam as beam
from apache_beam.pvalue import PCollection

from pipelines.config import EnhanceConfig, as_yaml, config_of
from pipelines.ending import exit_code_of
from pipelines.launch import ExitCode, launch
from pipelines.options import parse
from pipelines.telemetry.logs import configure, name_run
from transforms.background import PaintBackground
from transforms.compose import ComposeScenes
from transforms.eligibility import CheckEligibility
from transforms.inference.client import shared_client
from transforms.inference.config import ServingConfig
from transforms.load import LoadImages
from transforms.outpaint import OutpaintScenes
from transforms.plan import PlanRows, Shard
from transforms.run_work import RunWorks
from transforms.segment import SegmentProducts
from transforms.stage import StageTransform
from transforms.verify import VerifyCreatives
from transforms.write import WriteCreatives


def build(
    root: beam.Pipeline, config: EnhanceConfig, serving: ServingConfig, shards: Sequence[Shard]
) -> PCollection[tuple[str, str]]:
    """The whole graph. Only references cross the reshuffle; pixels live inside `RunWorks`."""
    works = (
        root
        | "ManifestShards" >> beam.Create(list(shards), reshuffle=False)
        | PlanRows(config.plan_config(shared_client(serving).model_digests()))
        | "SpreadRows" >> beam.Reshuffle()
    )
    for stage in stages(config, serving):
        works |= stage
    return works | RunWorks(config.run_config(serving))


def stages(config: EnhanceConfig, serving: ServingConfig) -> list[StageTransform]:
    """What every row goes through, in order; a dry run stops before it writes."""
    limits = config.thresholds
    found: list[StageTransform] = [
        LoadImages(config.sources, config.store, limits.decode),
        CheckEligibility(serving, limits.eligibility),
        SegmentProducts(serving, limits.segment),
        PaintBackground(serving, limits.background, config.prompts),
        OutpaintScenes(serving, limits.outpaint),
        ComposeScenes(limits.compose),
        VerifyCreatives(serving, limits.verify),
    ]
    if not config.options.dry_run:
        found.append(WriteCreatives(config.output, config.store, limits.encoder, limits.encoded))
    return found


def run(argv: Sequence[str]) -> int:
    """Run the job as its command line says, and return the exit code; see docs/operations.md for its meaning."""
    return exit_code_of(partial(_run, argv))


def _run(argv: Sequence[str]) -> int:
    arguments = parse(argv)
    configure(arguments.job.log_level, arguments.job.log_format)
    if arguments.job.print_config:
        sys.stdout.write(as_yaml(arguments.job))
        return ExitCode.DONE
    config = config_of(arguments.job)
    name_run(config.run_id)
    return launch(config, arguments.beam, build)
