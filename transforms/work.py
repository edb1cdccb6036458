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
            return Ended(_timed(job, step, started), step.name, cause)
        except Exception as error:
            cause_ = InternalError(f"{type(error).__name__}: {error}")
            cause_.__cause__ = error
            return Ended(_timed(job, step, started), step.name, cause_)
        job = _timed(job, step, started)
    return Ended(job, steps[-1].name if steps else "", None)


class InternalError(CanvasError):
    """A defect of the pipeline itself, kept as data so that it costs one row and not the run."""

    reason = "internal"
    remedy = "report it with the dead letter"


def _timed(job: Job, step: Step, started: float) -> Job:
    spent = (time.perf_counter() - started) * 1000
    return replace(job, timings_msec={**job.timings_msec, step.name: job.timings_msec.get(step.name, 0.0) + spent})


Begin = Callable[[Job, str], Job]


def run_work(work: Work, begin: Begin, conclude: Callable[[Ended, str | None], Outcome]) -> Iterator[Outcome]:
    """Run a row: its row steps once, then its placement steps for each placement.

    Args:
        work: the row and its steps.
        begin: `(job, placement name) -> job` that a placement's steps start from.
        conclude: turns an ended job and its placement's name into its outcome.

    Yields:
        Exactly one outcome for each of the product's placements; one without a placement for an unreadable row.
    """
    row_steps = tuple(step for step in work.steps if not step.per_placement)
    placement_steps = tuple(step for step in work.steps if step.per_placement)
    row = run_steps(Job(work.product), row_steps)
    if not work.product.placements:
        yield conclude(row, None)
    for placement in work.product.placements:
        if row.cause is not None:
            yield conclude(row, placement)
        else:
            yield conclude(run_steps(begin(row.job, placement), placement_steps), placement)
