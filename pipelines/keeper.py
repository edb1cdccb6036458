"""Keeps a tritonserver for as long as its parent lives. A script of its own: stdlib only, one thread.

Started by `pipelines.embedded` with one JSON argument (the fields of `Kept`). It starts the server in a process
group of its own, writes `ready` when every model is, watches the server and the processes of its Python models, and
starts it again when one of them dies, or when the server gives no answer for a minute. When its parent is gone, however
it went, or on SIGTERM, it ends the server, kills what is left of the group (busy stubs outlive their server and ignore
SIGTERM) and removes the group's shared memory and run folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICK_SEC = 0.1
_ASK_SEC = 5.0  # between two questions after a server's health
_ANSWER_SEC = 10.0
_SILENCES = 4  # in a row, then it hangs; questions count and not time, which goes on while all are frozen
_CRASH_EXIT_SEC = 1.0  # a server with a dead stub waits for it in vain; its requests are asked again anyway
_STUB = "triton_python_b"  # a process's name is cut to 15 characters


@dataclass(frozen=True)
class Kept:
    """What is kept and how.

    Attributes:
        command: the server and its arguments.
        environment: the server's, whole.
        work_dir: where it runs. The Python models' processes ignore PYTHONPATH, and import from here first.
        health_url: answers 200 once every model is ready.
        run_dir: folder of this run; removed at the end, unless the server could not be kept.
        log: file that the server's output is added to.
        shm_prefix: of the group's files in /dev/shm.
        parent: process id of whoever this is kept for.
        start_sec: a server that is not ready by then has failed.
        exit_sec: what the server gets to finish its requests.
        restarts: how often a server that died or hung is started again.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    work_dir: str
    health_url: str
    run_dir: str
    log: str
    shm_prefix: str
    parent: int
    start_sec: float
    exit_sec: float
    restarts: int


class Keeper:
    """One server, kept."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._stopped = False

    def run(self) -> int:
        """Keep the server until the parent is gone or this is told to stop; 1 where the server cannot be kept."""
        for turn in range(self._kept.restarts + 1):
            server = self._start()
            try:
                if not self._became_ready(server):
                    return 0 if self._is_over() else 1
                if turn == 0:
                    os.write(sys.stdout.fileno(), b"ready\n")
                self._watch(server)
            finally:
                self._end(server)
            if self._is_over():
                return 0
        return 1

    def stop(self, *_: object) -> None:
        """Signal handler: leave at the next tick."""
        self._stopped = True

    def _is_over(self) -> bool:
        return self._stopped or os.getppid() != self._kept.parent

    def _start(self) -> subprocess.Popen[bytes]:
        with Path(self._kept.log).open("ab") as log:
            return subprocess.Popen(
                list(self._kept.command),
                env=dict(self._kept.environment),
                cwd=self._kept.work_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # safe: this process has one thread
            )

    def _became_ready(self, server: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + self._kept.start_sec
        while time.monotonic() < deadline and server.poll() is None and not self._is_over():
            if _answers(self._kept.health_url):
                return True
            time.sleep(_TICK_SEC)
        return False

    def _watch(self, server: subprocess.Popen[bytes]) -> None:
        """Return when the server or one of its stubs has died, when it answers no more, or when the keeping is over."""
        stubs, asked, silences = _stubs_of(server.pid), time.monotonic(), 0
        while not self._is_over() and server.poll() is None and all(_runs(stub) for stub in stubs):
            time.sleep(_TICK_SEC)
            if time.monotonic() - asked > _ASK_SEC:
                silences = 0 if _answers(self._kept.health_url, _ANSWER_SEC) else silences + 1
                asked = time.monotonic()
            if silences == _SILENCES:
                return

    def _end(self, server: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(self._kept.exit_sec if self._is_over() else _CRASH_EXIT_SEC)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        for path in Path("/dev/shm").glob(f"{self._kept.shm_prefix}*"):
            path.unlink(missing_ok=True)


def _end_with_parent() -> None:
    """Have the kernel end the server should the keeper itself be killed: prctl(2), PR_SET_PDEATHSIG."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _answers(url: str, timeout_sec: float = 2.0) -> bool:
    # No proxy: the server is on this host, whatever the environment says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_sec) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stubs_of(server: int) -> list[int]:
    """Process ids of the Python models of a server: its children; what a model starts itself may end when it likes."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            name, _, parent = _stat(int(entry.name))
            if parent == server and name.startswith(_STUB):
                found.append(int(entry.name))
    return found


def _runs(process: int) -> bool:
    return _stat(process)[1] not in ("", "Z", "X")


def _stat(process: int) -> tuple[str, str, int]:
    """(name, state, parent) of a process, ("", "", 0) where there is none: see proc(5), /proc/pid/stat."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return "", "", 0
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    return name, fields[0], int(fields[1])


def main() -> int:
    """Keep what the first argument says."""
    kept = Kept(**json.loads(sys.argv[1]))
    keeper = Keeper(kept)
    signal.signal(signal.SIGTERM, keeper.stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    status = keeper.run()
    if status == 0:  # otherwise its owner is alive, and reads the log first
        shutil.rmtree(kept.run_dir, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
