"""The end of the graph: runs every work's steps, many at once in one process, and keeps what became of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial

import apache_beam as beam
import cv2
from apache_beam.metrics.metric import Metrics
from apache_beam.pvalue import PCollection
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue
from threadpoolctl import threadpool_limits

from transforms.budget import ByteBudget, lease_of
from transforms.index import conclude, index_row
from transforms.inference.client import shared_client
from transforms.inference.config import ServingConfig
from transforms.keys import content_key, digest_of, digests_of, plan_key
from transforms.ledger import LedgerWriter
from transforms.placements import Placement
from transforms.prompt_table import PromptTable
from transforms.prompts import prompts_of
from transforms.recall import Recall
from transforms.records import Job, Outcome
from transforms.storage.store import StoreConfig, open_store
from transforms.tally import StopRules, tally_of
from transforms.version import results_version
from transforms.work import Work, run_work


@dataclass(frozen=True)
class RunConfig:
    """How works are run and where their outcomes go.

    Attributes:
        ledger_folder: where this run's parts are written.
        table: every placement that a row may ask for.
        config_digest: of all that configures a result (thresholds, painters, encoder), placements apart.
        models: the served models that the job asks.
        retry_failed: try again what failed for a cause that stays.
        concurrency: works under way at once in a process; each waits for the server most of its time.
        memory_bytes: what all works of a process may hold together.
        prompts: by category; None for the shipped table.
    """

    output: str
    run_id: str
    ledger_folder: str
    table: tuple[Placement, ...]
    config_digest: str
    serving: ServingConfig
    models: tuple[str, ...]
    store: StoreConfig = StoreConfig()
    retry_failed: bool = False
    concurrency: int = 8
    memory_bytes: int = 4 * 2**30
    stop: StopRules = StopRules()
    prompts: PromptTable | None = None


@dataclass
class RunWorks(beam.PTransform[PCollection[Work], PCollection[tuple[str, str]]]):  # type: ignore[misc]
    """Runs works with bounded concurrency; emits (outcome, reason) for each row and placement."""

    config: RunConfig

    def expand(self, works: PCollection[Work]) -> PCollection[tuple[str, str]]:
        """Run them all in one fused step, where pixels live and die."""
        return works | beam.ParDo(_RunWorks(self.config)).with_output_types(tuple[str, str])


_budgets: dict[int, ByteBudget] = {}
_lock = threading.Lock()


def shared_budget(limit: int) -> ByteBudget:
    """The process's byte budget."""
    with _lock:
        return _budgets.setdefault(limit, ByteBudget(limit))


@dataclass(frozen=True)
class Keyring:
    """What turns a job and a placement's name into keys.

    Attributes:
        models: digest of every served model that the job asks.
        engine_fingerprint: of the machine and the engines that compute.
        prompts: by category; None for the shipped table. What it says of a product is in the product's key, so an
            edited table makes those creatives anew that it concerns.
    """

    placements: dict[str, Placement]
    config_digest: str
    models: dict[str, str]
    engine_fingerprint: str
    prompts: PromptTable | None = None

    def begin(self, job: Job, placement: str) -> Job:
        """The job that a placement's steps start from, with its content key."""
        spec, product, image = self.placements[placement], job.product, job.image
        job = replace(job, placement=spec, models=self.models)
        if image is None:
            return job
        words = (product.title, product.description, product.product_category, product.brand, product.color)
        # a seed that happens to equal the default takes none of a painter's tuned ones
        own = {"own_seed": True} if product.own_seed else {}
        prompts = () if job.task == "outpaint" else prompts_of(product, self.prompts).prompts
        key = content_key(
            {
                "source": image.facts.digest,
                "pipeline": results_version(),
                "placement": spec,
                "config": self.config_digest,
                "engine": self.engine_fingerprint,
                "models": self.models,
                "product": (product.advertiser_id, product.product_id),
                "words": (*words, product.prompt),
                "prompts": prompts,
                "features": product.features,
                "seed": product.seed,
                **own,
            }
        )
        return replace(job, content_key=key)

    def plan_key(self, outcome: Outcome) -> str:
        """The key under which a re-run finds `outcome`."""
        row_key = outcome.product.plan_key
        return plan_key(row_key, digest_of(self.placements[outcome.placement])) if outcome.placement else row_key


def keyring_of(config: RunConfig, digests: Mapping[str, str]) -> Keyring:
    """The keys of a run; `digests` are those of every served model."""
    models = digests_of(config.models, digests)
    table = {placement.name: placement for placement in config.table}
    return Keyring(table, config.config_digest, models, digest_of(models), config.prompts)


class _RunWorks(beam.DoFn):  # type: ignore[misc]
    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.counters = {name: Metrics.counter("works", name) for name in ("rows", "outcomes")}

    def setup(self) -> None:
        config = self.config
        self.store = open_store(config.output, config.store)
        self.budget = shared_budget(config.memory_bytes)
        self.tally = tally_of(config.run_id, config.stop)
        # Works fill the cores; the threads of OpenCV and of numpy's BLAS would only spin beside them.
        cv2.setNumThreads(1)
        threadpool_limits(1)
        self.pool = ThreadPoolExecutor(config.concurrency, thread_name_prefix="work")
        self.keyring = keyring_of(config, shared_client(config.serving).model_digests())
        self.recall = Recall(self.store, f"{config.output}/ledger", config.retry_failed)

    def start_bundle(self) -> None:
        self.pending: set[Future[list[Outcome]]] = set()
        self.ledger = LedgerWriter(self.store, self.config.ledger_folder)

    def process(self, work: Work) -> Iterator[tuple[str, str]]:
        if self.tally.stop_reason:
            return
        self.counters["rows"].inc()
        self.pending.add(self.pool.submit(self._run, work))
        while len(self.pending) >= 2 * self.config.concurrency:
            yield from self._emit_done()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        while self.pending:
            for pair in self._emit_done():
                yield GlobalWindows.windowed_value(pair)
        self.ledger.flush()

    def teardown(self) -> None:
        self.pool.shutdown()

    def _run(self, work: Work) -> list[Outcome]:
        if self.tally.stop_reason:
            return []
        ending = partial(conclude, engine_fingerprint=self.keyring.engine_fingerprint)
        with lease_of(self.budget):
            return list(run_work(work, self.keyring.begin, ending, self.recall.outcome_of))

    def _emit_done(self) -> Iterator[tuple[str, str]]:
        done, self.pending = wait(self.pending, return_when=FIRST_COMPLETED)
        for future in done:
            for outcome in future.result():
                self.tally.add(outcome)
                self.counters["outcomes"].inc()
                self.ledger.add(index_row(outcome, self.config.run_id, self.keyring.plan_key(outcome)))
                yield outcome.outcome, outcome.reason
