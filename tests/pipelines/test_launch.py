"""What a scheduler is told of a run that has ended."""

import pytest

from pipelines.finish import Finished
from pipelines.launch import ExitCode, _exit_code, _status
from transforms.records import Outcome, Product
from transforms.tally import StopRules, Tally


def failing(rules: StopRules) -> Tally:
    """A tally of one failed outcome."""
    tally = Tally(rules)
    tally.add(Outcome(Product("m", 0, "a", "p", "i.png"), "square", "failed", "load", "not_found"))
    return tally


@pytest.mark.parametrize(
    ("rules", "reason", "code"),
    [
        (StopRules(min_outcomes=1), "too_many_failures", ExitCode.TOO_MANY_FAILURES),
        (StopRules(max_cost=0.0), "budget", ExitCode.OVER_BUDGET),
    ],
)
def test_a_rule_that_the_last_row_breaks_stops_nothing(rules: StopRules, reason: str, code: ExitCode) -> None:
    tally, decided, left = failing(rules), Finished({"failed": 1}), Finished({"failed": 1}, pending=1)
    assert (_status(tally, left, None), _exit_code(tally, left)) == (reason, code)
    assert (_status(tally, decided, None), _exit_code(tally, decided)) == ("complete", ExitCode.SOME_FAILED)
