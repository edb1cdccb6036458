"""What this process has decided so far in a run, and whether the run should stop.

Progress reads it, and the circuit breaker and the budget cap decide by it. One for each run id and process.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from transforms.records import Outcome


@dataclass(frozen=True)
class StopRules:
    """When a run stops early; what is done stays done, and a re-run goes on from there.

    Attributes:
        max_failed_share: stop when more than this share of outcomes failed...
        min_outcomes: ...counted from this many outcomes on.
        price_per_hour: what servers and workers cost, in any currency.
        max_cost: stop when the run has cost this much; None for no cap.
    """

    max_failed_share: float = 0.5
    min_outcomes: int = 50
    price_per_hour: float = 0.0
    max_cost: float | None = None


@dataclass
class Tally:
    """Counts of a run in this process. Safe to use from many threads."""

    rules: StopRules = StopRules()
    started: float = field(default_factory=time.monotonic)
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    expected: int = 0
    settled: int = 0
    stop_reason: str = ""
    stop_detail: str = ""
    # held anew by its own thread: a signal may stop the run while the thread that it interrupts counts an outcome
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def expect(self, pending: int, settled: int) -> None:
        """More outcomes are to come: `pending` to be decided, `settled` decided by earlier runs."""
        with self._lock:
            self.expected += pending
            self.settled += settled

    def add(self, outcome: Outcome) -> None:
        """Count `outcome`, and stop the run if a rule says so."""
        with self._lock:
            self.outcomes[outcome.outcome] += 1
            self.reasons[(outcome.outcome, outcome.reason)] += 1
            self._apply_rules()

    def stop(self, reason: str, detail: str) -> None:
        """Stop the run: no new work is begun; what is under way is finished."""
        with self._lock:
            self._stop(reason, detail)

    def _stop(self, reason: str, detail: str) -> None:
        if not self.stop_reason:
            self.stop_reason, self.stop_detail = reason, detail

    def _apply_rules(self) -> None:
        total, failed = sum(self.outcomes.values()), self.outcomes["failed"]
        if total >= self.rules.min_outcomes and failed > self.rules.max_failed_share * total:
            worst = max((key for key in self.reasons if key[0] == "failed"), key=self.reasons.__getitem__)
            self._stop(
                "too_many_failures",
                f"{failed} of {total} outcomes failed (limit {self.rules.max_failed_share:.0%}), most often {worst[1]}",
            )
        cap, cost = self.rules.max_cost, self.cost
        if cap is not None and cost >= cap:
            self._stop("budget", f"the run has cost {cost:.2f} of {cap:.2f}")

    @property
    def cost(self) -> float:
        """What the run has cost so far."""
        return (time.monotonic() - self.started) / 3600 * self.rules.price_per_hour

    @property
    def done(self) -> int:
        """Outcomes decided in this run."""
        return sum(self.outcomes.values())


_tallies: dict[str, Tally] = {}
_lock = threading.Lock()


def tally_of(run_id: str, rules: StopRules | None = None) -> Tally:
    """This process's tally of a run, made on first use."""
    with _lock:
        if run_id not in _tallies:
            _tallies[run_id] = Tally(rules or StopRules())
        return _tallies[run_id]
