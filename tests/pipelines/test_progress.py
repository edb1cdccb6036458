"""What a run says of itself while it goes."""

import io
import sys

import pytest

from pipelines.progress import Progress
from transforms.tally import StopRules, Tally


def test_in_a_log_progress_is_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    tally = Tally(StopRules(max_failed_share=1.0, price_per_hour=0.4))
    tally.expect(1_000_000, settled=2_000_000)
    with Progress(tally, "on"):
        pass
    (line,) = log.getvalue().splitlines(keepends=True)
    assert line.startswith("0/1000000 decided") and line.endswith("settled before · cost 0.00\n")
