"""The nightly job with a death wish: kills its own process (SIGKILL) around the N-th write of one kind.

    python benchmarks/killed_run.py KIND N before|after -- FLAGS OF THE JOB

KIND is plan, put, ledger or index: the store's writes below plan/, creatives/ and evidence/, ledger/, or index/,
dead_letters/ and delivery/. Used by `kill_resume.py`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

from pipelines.enhance import run
from transforms.storage.local import LocalStore
from transforms.storage.s3 import S3Store

FOLDERS = {
    "plan": ("/plan/",),
    "put": ("/creatives/", "/evidence/"),
    "ledger": ("/ledger/",),
    "index": ("/index/", "/dead_letters/", "/delivery/", "/report."),
}


def arm(kind: str, number: int, when: str) -> None:
    """Make the store's `number`-th write of `kind` the last thing that this process does."""
    lock, count = threading.Lock(), [0]

    def due(uri: str) -> bool:
        if not any(folder in uri for folder in FOLDERS[kind]):
            return False
        with lock:
            count[0] += 1
            return count[0] == number

    for store in (LocalStore, S3Store):
        _wrap(store, due, when)


def _wrap(store: type, due: Any, when: str) -> None:
    write = store.write  # type: ignore[attr-defined]

    def killing(self: object, uri: str, *arguments: Any, **options: Any) -> Any:
        dies = due(uri)
        if dies and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        written = write(self, uri, *arguments, **options)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    store.write = killing  # type: ignore[attr-defined]


if __name__ == "__main__":
    kind, number, when, _, *flags = sys.argv[1:]
    arm(kind, int(number), when)
    sys.exit(run(flags))
