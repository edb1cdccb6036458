import logging
import os
import signal

import pytest

from pipelines.ending import exit_code_of
from pipelines.launch import ExitCode
from transforms.errors import ConfigError, ManifestError, ServerUnavailable


def raising(error):
    def job():
        raise error

    return job


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("no such option"), ExitCode.BAD_CONFIG),
        (ManifestError("no such column"), ExitCode.BAD_CONFIG),
        (ServerUnavailable("nobody answers"), ExitCode.INFRASTRUCTURE),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (ZeroDivisionError("a defect"), ExitCode.INFRASTRUCTURE),
    ],
)
def test_what_a_job_raises_is_told_and_has_an_exit_code(error, code, capfd, caplog):
    caplog.set_level(logging.WARNING, "canvas.events")  # in words, whatever logs another test has turned on
    assert exit_code_of(raising(error)) == code
    said = "interrupted" if code == ExitCode.INTERRUPTED else str(error)
    assert said in capfd.readouterr().err


def test_a_job_that_ends_keeps_its_exit_code():
    assert exit_code_of(lambda: ExitCode.SOME_FAILED) == ExitCode.SOME_FAILED


def test_sigterm_interrupts_what_is_starting_and_is_what_it_was_afterwards():
    before = signal.getsignal(signal.SIGTERM)
    cleaned = []

    def starting():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        finally:
            cleaned.append(True)

    assert exit_code_of(starting) == ExitCode.INTERRUPTED
    assert cleaned and signal.getsignal(signal.SIGTERM) == before
