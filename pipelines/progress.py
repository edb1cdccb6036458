"""What is done, how fast, and what is left, while a run goes; silent where there is no terminal, unless it is `on`."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from transforms.tally import Tally

_EVERY_SEC = 0.5
_LINE_EVERY_SEC = 30.0  # where there is no terminal


class Progress:
    """A live line over a tally; in a log, which has no such thing, a line every half minute.

    Args:
        mode: `on`, `off`, or `auto`: on where standard error is a terminal.
    """

    def __init__(self, tally: Tally, mode: str = "auto") -> None:
        self._tally = tally
        self._on = mode == "on" or (mode == "auto" and sys.stderr.isatty())
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Progress:
        if self._on:
            self._thread = threading.Thread(target=self._show, daemon=True, name="progress")
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if self._thread:
            self._thread.join()

    def _show(self) -> None:
        console = Console(stderr=True)
        if not console.is_terminal:
            while not self._done.wait(_LINE_EVERY_SEC):
                sys.stderr.write(f"{describe(self._tally)}\n")
            sys.stderr.write(f"{describe(self._tally)}\n")
            return
        with Live(Text(describe(self._tally)), console=console, refresh_per_second=4, transient=False) as live:
            while not self._done.wait(_EVERY_SEC):
                live.update(Text(describe(self._tally)))
            live.update(Text(describe(self._tally)))


def describe(tally: Tally, now: float | None = None) -> str:
    """One line: done of expected, outcomes, rate, time left, cost."""
    spent = (time.monotonic() if now is None else now) - tally.started
    rate = tally.done / spent if spent > 0 else 0.0
    parts = [f"{tally.done}/{tally.expected} decided"]
    parts += [f"{count} {name}" for name, count in sorted(tally.outcomes.items())]
    parts.append(f"{rate:.2f}/s")
    if rate and tally.expected > tally.done:
        left = (tally.expected - tally.done) / rate
        parts.append(f"{int(left // 3600)}:{int(left // 60) % 60:02d}:{int(left) % 60:02d} left")
    if tally.settled:
        parts.append(f"{tally.settled} settled before")
    if tally.rules.price_per_hour:
        parts.append(f"cost {tally.cost:.2f}")
    if tally.stop_reason:
        parts.append(f"stopping: {tally.stop_detail}")
    return " · ".join(parts)
