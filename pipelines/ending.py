"""How a run's command ends: whatever happens becomes an exit code and words, never a traceback alone."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipelines.launch import ExitCode
from pipelines.telemetry.logs import tell
from transforms.errors import CanvasError, ConfigError, ManifestError, RunAborted

_LOG = logging.getLogger(__name__)


def exit_code_of(job: Callable[[], int]) -> int:
    """The exit code of `job`: its own, or that of what it raised, which is told; see docs/operations.md."""
    try:
        with _interrupted_by_sigterm():
            return job()
    except (ConfigError, ManifestError) as error:
        return _failed(error, ExitCode.BAD_CONFIG)
    except CanvasError as error:
        return _failed(error, ExitCode.INFRASTRUCTURE)
    except KeyboardInterrupt:  # before rows are under way, or a second time: `stopping_on_signals` takes the first
        tell("run interrupted", "interrupted: run again", exit_code=int(ExitCode.INTERRUPTED))
        return ExitCode.INTERRUPTED
    except Exception as error:  # Python's own exit code would be 1, which says that every row is decided
        _LOG.exception("a defect of the pipeline itself")
        return _failed(RunAborted(f"{type(error).__name__}: {error}"), ExitCode.INFRASTRUCTURE)


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """SIGTERM does as SIGINT does, so that a server that is starting is stopped again."""
    if threading.current_thread() is not threading.main_thread():  # which alone may set handlers
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _failed(error: CanvasError, code: ExitCode) -> ExitCode:
    text = f"error: {error}\n  remedy: {error.remedy}"
    tell("run failed", text, reason=error.reason, detail=str(error), remedy=error.remedy, exit_code=int(code))
    return code
