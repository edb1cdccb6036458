from dataclasses import replace

import pytest

from transforms.errors import CanvasError, Rejected, Skipped, SourceNotFound
from transforms.records import Job, Outcome, Product
from transforms.work import Ended, Step, Work, run_steps, run_work

PRODUCT = Product("m", 0, "a", "p", "x", placements=("one", "two"))


def _note(name: str) -> Step:
    return Step(name, lambda job: replace(job, prompt=job.prompt + name))


def _raise(error: Exception, *, per_placement: bool = False) -> Step:
    def run(job: Job) -> Job:
        raise error

    return Step("bad", run, per_placement)


def _conclude(ended: Ended, placement: str | None) -> Outcome:
    reason = ended.cause.reason if ended.cause else "ok"
    return Outcome(ended.job.product, placement, "", ended.stage, reason, detail=ended.job.prompt)


def _begin(job: Job, placement: str) -> Job:
    return replace(job, prompt=job.prompt + placement)


def test_steps_run_in_order_and_are_timed() -> None:
    ended = run_steps(Job(PRODUCT), (_note("a"), _note("b")))
    assert ended.job.prompt == "ab"
    assert set(ended.job.timings_msec) == {"a", "b"}
    assert ended.cause is None


def test_row_steps_run_once_and_placement_steps_for_each_placement() -> None:
    work = Work(PRODUCT).then(_note("row-")).then(replace(_note("-scene"), per_placement=True))
    outcomes = list(run_work(work, _begin, _conclude))
    assert [(outcome.placement, outcome.detail) for outcome in outcomes] == [
        ("one", "row-one-scene"),
        ("two", "row-two-scene"),
    ]


@pytest.mark.parametrize("error", [Skipped("human"), Rejected("halo"), SourceNotFound("x")])
def test_a_row_that_ends_early_ends_in_every_placement(error: Exception) -> None:
    work = Work(PRODUCT).then(_raise(error)).then(_note("never"))
    outcomes = list(run_work(work, _begin, _conclude))
    assert [outcome.placement for outcome in outcomes] == ["one", "two"]
    assert {outcome.stage for outcome in outcomes} == {"bad"}


def test_a_placement_that_ends_early_leaves_the_others_alone() -> None:
    def run(job: Job) -> Job:
        if job.prompt == "one":
            raise Rejected("halo")
        return job

    outcomes = list(run_work(Work(PRODUCT).then(Step("verify", run, True)), _begin, _conclude))
    assert [outcome.reason for outcome in outcomes] == ["halo", "ok"]


def test_an_unknown_exception_costs_one_row_and_keeps_its_message() -> None:
    ended = run_steps(Job(PRODUCT), (_raise(ZeroDivisionError("by zero, password=hunter2")),))
    assert isinstance(ended.cause, CanvasError)
    assert ended.cause.reason == "internal"
    assert "ZeroDivisionError: by zero" in str(ended.cause)
    assert "hunter2" not in str(ended.cause)


def test_an_unreadable_row_has_one_outcome_without_a_placement() -> None:
    work = Work(replace(PRODUCT, placements=())).then(_raise(SourceNotFound("x")))
    assert [outcome.placement for outcome in run_work(work, _begin, _conclude)] == [None]


def test_a_row_step_cannot_follow_a_placement_step() -> None:
    with pytest.raises(ValueError, match="row step 'b'"):
        Work(PRODUCT).then(replace(_note("a"), per_placement=True)).then(_note("b"))
