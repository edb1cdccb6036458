import threading
import time
from collections import Counter

from transforms.records import Outcome, Product
from transforms.tally import StopRules, Tally, tally_of


def _outcome(outcome: str, reason: str = "ok") -> Outcome:
    return Outcome(Product("m", 0, "a", "p", "x"), "one", outcome, "load", reason)


def test_a_run_stops_above_the_failed_share_and_names_the_cause() -> None:
    tally = Tally(StopRules(max_failed_share=0.5, min_outcomes=4))
    for outcome in (_outcome("enhanced"), _outcome("failed", "not_found"), _outcome("failed", "not_found")):
        tally.add(outcome)
    assert tally.stop_reason == ""
    tally.add(_outcome("failed", "truncated"))
    assert tally.stop_reason == "too_many_failures"
    assert "3 of 4" in tally.stop_detail
    assert "not_found" in tally.stop_detail


def test_refusals_are_no_failures() -> None:
    tally = Tally(StopRules(max_failed_share=0.1, min_outcomes=1))
    for _ in range(20):
        tally.add(_outcome("rejected", "halo"))
    assert tally.stop_reason == ""


def test_a_signal_that_interrupts_the_counting_of_an_outcome_stops_the_run() -> None:
    class Interrupted(Counter[str]):
        def __setitem__(self, name: str, count: int) -> None:
            super().__setitem__(name, count)
            tally.stop("interrupted", "as a signal's handler does, in the thread that it interrupts")

    tally = Tally(outcomes=Interrupted())
    counting = threading.Thread(target=tally.add, args=(_outcome("enhanced"),), daemon=True)
    counting.start()
    counting.join(10)
    assert not counting.is_alive()
    assert (tally.stop_reason, tally.done) == ("interrupted", 1)


def test_a_run_stops_at_its_budget() -> None:
    tally = Tally(StopRules(price_per_hour=3600.0, max_cost=5.0), started=time.monotonic() - 6)
    tally.add(_outcome("enhanced"))
    assert tally.stop_reason == "budget"


def test_the_first_reason_to_stop_stays() -> None:
    tally = Tally()
    tally.stop("interrupted", "SIGTERM")
    tally.stop("budget", "later")
    assert tally.stop_reason == "interrupted"


def test_a_run_has_one_tally_in_a_process() -> None:
    assert tally_of("tally-test") is tally_of("tally-test")
    assert tally_of("tally-test") is not tally_of("tally-test-2")
