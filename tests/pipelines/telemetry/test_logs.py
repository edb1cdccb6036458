import json
import logging
from collections.abc import Iterator

import pytest

from pipelines.telemetry.logs import configure, name_run, tell


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_every_line_is_one_object_with_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    configure("WARNING", "json")
    name_run("night")
    logging.getLogger("transforms.load").warning("two\nlines of %s", "text")
    tell("run finished", "for people", outcomes={"enhanced": 3}, pending=0)
    first, second = lines(capsys)
    assert (first["level"], first["run_id"], first["event"]) == ("WARNING", "night", "two\nlines of text")
    assert (second["event"], second["outcomes"], second["pending"]) == ("run finished", {"enhanced": 3}, 0)


def test_events_do_not_depend_on_the_level_and_other_loggers_do(capsys: pytest.CaptureFixture[str]) -> None:
    configure("ERROR", "json")
    logging.getLogger("transforms.load").warning("quiet")
    tell("run started", "")
    assert [line["event"] for line in lines(capsys)] == ["run started"]


def test_people_get_text_and_no_events(capsys: pytest.CaptureFixture[str]) -> None:
    configure("WARNING", "text")
    tell("run started", "")
    tell("run finished", "run night: complete", pending=0)
    logging.getLogger("x").warning("token=hunter2")
    told = capsys.readouterr().err
    assert told.startswith("run night: complete\n")
    assert "pending" not in told
    assert "hunter2" not in told


@pytest.mark.parametrize("style", ["json", "text"])
def test_secrets_stay_out_of_messages_values_and_tracebacks(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", style)
    secret = "https://ann:hunter2@host/a.jpg?X-Amz-Signature=hunter2"
    logging.getLogger("x").info("reading %s", secret)
    tell("run failed", f"error: {secret}", detail=secret, deep={"list": [secret]}, odd=ValueError(secret))
    try:
        raise ValueError(secret)
    except ValueError:
        logging.getLogger("x").exception("broken")
    told = capsys.readouterr().err
    assert "hunter2" not in told
    assert "host/a.jpg" in told


def test_configuring_twice_logs_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "text")
    configure("INFO", "json")
    logging.getLogger("x").info("once")
    assert len(lines(capsys)) == 1
