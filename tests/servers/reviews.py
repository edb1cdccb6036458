"""The review page's server as a process of the command line."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.review.runs import slug_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

_WAIT_SEC = 60


@dataclass
class Served:
    """Serves `run` with its decisions in `database`, on any free port."""

    run: str
    database: Path
    flags: tuple[str, ...] = ()

    def __enter__(self) -> Served:
        command = [
            sys.executable,
            "-m",
            "pipelines.review",
            "serve",
            self.run,
            "--port=0",
            f"--database={self.database}",
        ]
        self.process = subprocess.Popen([*command, "--name=Ann", *self.flags], stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "http://" in line:
                self.url = line[line.index("http://") :].strip()
                return self
        raise AssertionError("the server ended before it was ready")

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(_WAIT_SEC)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def of(self, advertiser: str) -> str:
        return f"{self.url}a/{slug_of(advertiser)}/"


def ready(page: Page) -> Page:
    """The page once its list is drawn."""
    page.wait_for_selector("body[data-ready]")
    return page


def wait_until(page: Page, condition: str, timeout_sec: float = 240.0) -> None:
    """Wait for a JavaScript expression to hold; Playwright would do so by `eval`, which the page's policy forbids."""
    ends = time.monotonic() + timeout_sec
    while not page.evaluate(condition):
        assert time.monotonic() < ends, f"never held: {condition}"
        page.wait_for_timeout(50)
