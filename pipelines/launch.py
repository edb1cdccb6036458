"""Takes a job from its configuration to its report: servers, signals, Beam, index, exit code."""

from __future__ import annotations

import enum
import json
import logging
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineRunner

from pipelines.busy import BusyMeter
from pipelines.config import EnhanceConfig, plain_options, serving_of
from pipelines.embedded import EmbeddedServer
from pipelines.finish import Finished, Folders, finish_run
from pipelines.flags import listed
from pipelines.progress import Progress
from pipelines.report.page import render_page
from pipelines.report.spend import cost_of_runs, spend_of
from pipelines.report.summary import RunFacts, summarize
from pipelines.sources import cut_shards, manifest_files
from pipelines.telemetry.live import LiveMetrics
from pipelines.telemetry.logs import tell
from pipelines.telemetry.metrics import write_metrics
from transforms.decisions import read_decisions
from transforms.errors import CanvasError, ConfigError, ManifestError, ObjectNotFound, RunAborted, StorageError
from transforms.inference.client import shared_client
from transforms.inference.config import ServingConfig
from transforms.ledger import read_index
from transforms.plan import Shard
from transforms.storage.store import Store, open_store
from transforms.storage.uris import local_path, scheme_of
from transforms.tally import Tally, tally_of

_LOG = logging.getLogger(__name__)
Build = Callable[[beam.Pipeline, EnhanceConfig, ServingConfig, Sequence[Shard]], Any]


class ExitCode(enum.IntEnum):
    """What a scheduler is told."""

    DONE = 0  # every row is decided, none failed
    SOME_FAILED = 1  # every row is decided; dead letters exist
    BAD_CONFIG = 2  # nothing was begun
    TOO_MANY_FAILURES = 3  # the circuit breaker stopped the run
    OVER_BUDGET = 4  # the budget cap stopped the run
    INFRASTRUCTURE = 5  # server, store or runner failed; run again
    INTERRUPTED = 130  # SIGINT or SIGTERM; run again


_STOPPED = {
    "too_many_failures": ExitCode.TOO_MANY_FAILURES,
    "budget": ExitCode.OVER_BUDGET,
    "interrupted": ExitCode.INTERRUPTED,
}


def launch(
    config: EnhanceConfig, beam_flags: Sequence[str], build: Build, runner: PipelineRunner | None = None
) -> ExitCode:
    """Run the job and finish it; whatever happens, what was decided is in the ledger.

    Args:
        config: the job.
        beam_flags: for the runner; without `--runner` the embedded default is FnApiRunner.
        build: lays the graph down.
        runner: an instance that wins over `--runner`.

    Raises:
        CanvasError: the run could not begin, or could not be finished.
    """
    decided = decisions_of(config)
    files = manifest_files(config.manifest, config.store, config.output)
    shards = cut_shards(files, config.columns, config.store, config.options.limit)
    folders = Folders(config.output, config.run_id, config.options.dry_run)
    store = open_store(config.output, config.store)
    _refuse_to_rehearse(folders, store)
    _LOG.info("run %s: %d manifest files, conditional writes: %s", config.run_id, len(files), store.conditional_writes)
    tally = tally_of(config.run_id, config.stop)
    tell("run started", "", manifest_files=len(files), output=config.output, dry_run=config.options.dry_run)
    started = time.monotonic()
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    error: Exception | None = None
    with serving(config, folders.run) as (ask, metrics_urls):
        _require_models(config, ask)
        with (
            BusyMeter(metrics_urls, shared_client(ask).instances) as busy,
            stopping_on_signals(tally),
            LiveMetrics(tally, config.run_id, config.options.metrics_port, config.options.metrics_host),
            Progress(tally, config.options.progress),
        ):
            try:
                _run_beam(config, ask, shards, beam_flags, build, runner)
            except Exception as raised:
                error = raised
        counts = shared_client(ask).counts()
    finished = finish_run(folders, shards, config.columns, config.store)
    facts = RunFacts(
        run_id=config.run_id,
        status=_status(tally, finished, error),
        started_at=started_at,
        wall_sec=round(time.monotonic() - started, 3),
        pending=finished.pending,
        stop_detail=_stop_detail(tally, finished, error),
        server_busy_share=busy.share,
        price_per_hour=config.stop.price_per_hour,
        conditional_writes=store.conditional_writes,
        serving_counts=counts,
    )
    _write_report(config, folders, facts, decided)
    _tell(config, folders, finished, facts)
    if error is not None:
        raise _broken_off(error)
    return _exit_code(tally, finished)


def _refuse_to_rehearse(folders: Folders, store: Store) -> None:
    """A dry run under a real run's id would put its tables in the place of that run's.

    Raises:
        ConfigError: the output's ledger holds a run of this id.
    """
    real = Folders(folders.output, folders.run_id).ledger
    if folders.dry_run and any(True for _ in store.list(real)):
        raise ConfigError(
            f"--run_id {folders.run_id} is a real run's, whose index and report a dry run would overwrite",
            remedy="give the dry run an id of its own, or none",
        )


def decisions_of(config: EnhanceConfig) -> list[dict[str, Any]]:
    """The decisions on earlier creatives, [] where the job is given none.

    Raises:
        ConfigError: there is no such file, or it holds something else.
    """
    uri = config.options.decisions
    try:
        return read_decisions(uri, config.store) if uri else []
    except (ObjectNotFound, ManifestError) as error:
        raise ConfigError(f"--decisions: {error}", remedy=error.remedy) from error


@contextmanager
def serving(config: EnhanceConfig, folder: str) -> Iterator[tuple[ServingConfig, list[str]]]:
    """The servers that were named, or one of our own for the time of the run.

    Args:
        folder: the run's; `server.log` of our own server is kept there where it is on this machine.
    """
    options = config.options
    if options.triton:
        yield serving_of(options, listed(options.triton)), list(listed(options.triton_metrics))
        return
    repository = Path(options.triton_repo) if options.triton_repo else None
    log = local_path(folder) / "server.log" if scheme_of(folder) == "file" else None
    with EmbeddedServer(repository, config.models, log=log) as server:
        yield serving_of(options, (server.address,)), [server.metrics_url]


def _require_models(config: EnhanceConfig, ask: ServingConfig) -> None:
    missing = set(config.models) - set(shared_client(ask).model_digests())
    if missing:
        raise ConfigError(
            f"the inference server does not serve {', '.join(sorted(missing))}",
            remedy="serve triton_repo/ of this version on every endpoint",
        )


@contextmanager
def stopping_on_signals(tally: Tally) -> Iterator[None]:
    """The first SIGINT or SIGTERM lets rows under way finish; the second one ends the process at once."""

    def stop(number: int, _: FrameType | None) -> None:
        tally.stop("interrupted", f"received {signal.Signals(number).name}")
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run_beam(
    config: EnhanceConfig,
    ask: ServingConfig,
    shards: Sequence[Shard],
    flags: Sequence[str],
    build: Build,
    runner: PipelineRunner | None,
) -> None:
    if not shards:
        return
    if runner is None and not any(flag.startswith("--runner") for flag in flags):
        # The default runner would try to download another engine first, and behave otherwise online and offline.
        flags = ["--runner=FnApiRunner", *flags]
    pipeline = beam.Pipeline(runner=runner, options=PipelineOptions(list(flags)))
    build(pipeline, config, ask, shards)
    pipeline.run().wait_until_finish()


def _status(tally: Tally, finished: Finished, error: Exception | None) -> str:
    if error is not None:
        return "error"
    return stopped(tally, finished.pending) or ("incomplete" if finished.pending else "complete")


def stopped(tally: Tally, pending: int) -> str:
    """Why outcomes were not reached, "" where none is left: what comes with the last of them stops nothing."""
    return tally.stop_reason if pending else ""


def _stop_detail(tally: Tally, finished: Finished, error: Exception | None) -> str:
    if stopped(tally, finished.pending):
        return tally.stop_detail
    return _cause(error) if error else ""


def _exit_code(tally: Tally, finished: Finished) -> ExitCode:
    reason = stopped(tally, finished.pending)
    if reason:
        return _STOPPED[reason]
    if finished.pending:
        raise RunAborted(f"{finished.pending} outcomes are missing from the ledger")
    return ExitCode.SOME_FAILED if finished.outcomes.get("failed") else ExitCode.DONE


def _cause(error: Exception) -> str:
    return str(_as_ours(error))


def _as_ours(error: Exception) -> CanvasError:
    """Beam wraps what a DoFn raised; the innermost error of ours says most."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, CanvasError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return RunAborted(f"{type(error).__name__}: {str(error).strip().splitlines()[-1] if str(error).strip() else ''}")


def _broken_off(error: Exception) -> CanvasError:
    """What ended a run under way; a manifest that breaks by then is no bad option: some rows are decided."""
    ours = _as_ours(error)
    if isinstance(ours, ConfigError | ManifestError):
        return RunAborted(str(ours), remedy=f"{ours.remedy}; run again to go on")
    return ours


def _write_report(config: EnhanceConfig, folders: Folders, facts: RunFacts, decided: Sequence[dict[str, Any]]) -> None:
    store = open_store(config.output, config.store)
    index = pa.concat_tables(read_index(store, folders.run))
    summary = {**summarize(index, facts), "options": plain_options(config)}
    if config.options.decisions:
        earlier = cost_of_runs(config.output, config.store, without=f"runs/{config.run_id}")
        summary["decisions"] = spend_of(earlier + summary["cost"], decided).figures()
    text = json.dumps(summary, indent=1, default=str)
    store.write(f"{folders.run}/report.json", text.encode(), content_type="application/json")
    write_metrics(store, folders.run, index, facts, summary["cost"])
    try:
        page = render_page(index, summary, config.store)
    except StorageError as error:
        _LOG.warning("report.html was not written: %s", error)
        return
    store.write(f"{folders.run}/report.html", page.encode(), content_type="text/html; charset=utf-8")


def _tell(config: EnhanceConfig, folders: Folders, finished: Finished, facts: RunFacts) -> None:
    counts = ", ".join(f"{count} {name}" for name, count in sorted(finished.outcomes.items())) or "nothing to do"
    lines = [f"run {config.run_id}: {facts.status}: {counts}; {finished.carried} settled by earlier runs"]
    if finished.pending:
        lines.append(f"not reached: {finished.pending}; run again to go on ({facts.stop_detail})")
    lines.append(f"report: {folders.run}/report.html")
    tell(
        "run finished",
        "\n".join(lines),
        status=facts.status,
        outcomes=finished.outcomes,
        carried=finished.carried,
        pending=finished.pending,
        wall_sec=facts.wall_sec,
        stop_detail=facts.stop_detail,
        report=f"{folders.run}/report.html",
    )
