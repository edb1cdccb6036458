"""A row's work: the steps that the graph laid down for it, and how they are run. No Beam here.

Pixels live only while :meth:`Work.run` runs, in one thread of one process: the graph's stages append steps to a
small picklable record, and the last stage runs them. So nothing depends on a runner's fusion, and no image can
cross a shuffle.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from transforms.errors import CanvasError, Refusal
from transforms.records import Job, Outcome, Product

Run = Callable[[Job], Job]


@dataclass(frozen=True)
class Step:
    """One stage's work on a job.

    Attributes:
        name: the stage's name in the index.
        run: a picklable function `Job -> Job`; it raises `Refusal` or `CanvasError` to end the job.
        per_placement: run once for each placement, after all row steps.
    """

    name: str
    run: Run
    per_placement: bool = False


@dataclass(frozen=True)
class Work:
    """A planned product and the steps it goes through."""

    product: Product
    steps: tuple[Step, ...] = ()

    def then(self, step: Step) -> Work:
        """This work with `step` behind it; row steps come before placement steps."""
        if self.steps and self.steps[-1].per_placement and not step.per_placement:
            raise ValueError(f"row step {step.name!r} behind placement step {self.steps[-1].name!r}")
        return replace(self, steps=(*self.steps, step))


@dataclass(frozen=True)
class Ended:
    """How a job ended: the job as far as it came, the stage, and why (None: the creative is written)."""

    job: Job
    stage: str
    cause: Refusal | CanvasError | None


def run_steps(job: Job, steps: tuple[Step, ...]) -> Ended:
    """Run `steps` in order until one ends the job. Unknown exceptions become failures of their stage."""
    for step in steps:
        started = time.perf_counter()
        try:
            job = step.run(job)
        except (Refusal, CanvasError) as cause:
            return Ended(_timed(_with_scores(job, cause), step, started), step.name, cause)
        except Exception as error:
            cause_ = InternalError(f"{type(error).__name__}: {error}")
            cause_.__cause__ = error
            return Ended(_timed(job, step, started), step.name, cause_)
        job = _timed(job, step, started)
    return Ended(job, steps[-1].name if steps else "", None)


def _with_scores(job: Job, cause: Refusal | CanvasError) -> Job:
    """`job` with what its last stage measured before it refused."""
    return replace(job, scores={**job.scores, **cause.scores}) if isinstance(cause, Refusal) else job


class InternalError(CanvasError):
    """A defect of the pipeline itself, kept as data so that it costs one row and not the run."""

    reason = "internal"
    remedy = "report it with the dead letter"


def _timed(job: Job, step: Step, started: float) -> Job:
    spent = (time.perf_counter() - started) * 1000
    return replace(job, timings_msec={**job.timings_msec, step.name: job.timings_msec.get(step.name, 0.0) + spent})


Begin = Callable[[Job, str], Job]
Conclude = Callable[[Ended, str | None], Outcome]
RecallOutcome = Callable[[Job], Outcome | None]


def run_work(work: Work, begin: Begin, conclude: Conclude, recall: RecallOutcome | None = None) -> Iterator[Outcome]:
    """Run a row: its row steps once, then its placement steps for each placement.

    Args:
        work: the row and its steps.
        begin: `(job, placement name) -> job` that a placement's steps start from.
        conclude: turns an ended job and its placement's name into its outcome.
        recall: asked once for each placement as soon as the image is loaded; an outcome that it knows ends the
            placement there.

    Yields:
        Exactly one outcome for each of the product's placements; one without a placement for an unreadable row.
    """
    row_steps = tuple(step for step in work.steps if not step.per_placement)
    placement_steps = tuple(step for step in work.steps if step.per_placement)
    placements = list(work.product.placements)
    row = Ended(Job(work.product), "", None)
    for step in row_steps:
        before, row = row, run_steps(row.job, (step,))
        if row.cause is not None:
            break
        if recall is not None and before.job.image is None and row.job.image is not None:
            known = {name: recall(begin(row.job, name)) for name in placements}
            yield from (outcome for outcome in known.values() if outcome is not None)
            placements = [name for name, outcome in known.items() if outcome is None]
            if not placements:
                return
    if not work.product.placements:
        yield conclude(row, None)
    for placement in placements:
        if row.cause is not None:
            yield conclude(replace(row, job=begin(row.job, placement)), placement)
        else:
            yield conclude(run_steps(begin(row.job, placement), placement_steps), placement)
