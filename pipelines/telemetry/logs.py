"""What a run logs: text for people, or one JSON object a line for machines (`--log_format json`).

Every line carries the run id once it is known. Credentials are taken out of messages, values and tracebacks.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from transforms.errors import redact

_EVENTS = logging.getLogger("canvas.events")
_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonFormatter(logging.Formatter):
    """One JSON object for each record: `at`, `level`, `logger`, `event`, `run_id`, and an event's own fields.

    Attributes:
        run_id: of the run, "" before it is known.
    """

    run_id = ""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "run_id": self.run_id,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(_redacted(line), default=lambda value: redact(str(value)))


class StderrHandler(logging.Handler):
    """Writes lines to whatever standard error is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, whole."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:
            self.handleError(record)


class RedactingFormatter(logging.Formatter):
    """Text without credentials."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        return redact(super().format(record))


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {str(name): _redacted(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    return value


def configure(level: str, style: str = "text") -> None:
    """Log to standard error.

    Beam logs on import, before any configuration: so every logger gets its level explicitly.

    Args:
        level: of all loggers; a run's own events are logged in any case where `style` is `json`.
        style: `text` or `json`.
    """
    root = logging.getLogger()
    for former in [each for each in root.handlers if type(each) in (logging.StreamHandler, StderrHandler)]:
        root.removeHandler(former)
    handler = StderrHandler()
    handler.setFormatter(JsonFormatter() if style == "json" else RedactingFormatter(_TEXT))
    root.addHandler(handler)
    root.setLevel(level)
    logging.getLogger("apache_beam").setLevel(max(logging.getLevelName(level), logging.WARNING))
    _EVENTS.setLevel(logging.INFO if style == "json" else logging.ERROR + 1)


def name_run(run_id: str) -> None:
    """From here on every JSON line carries `run_id`."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, JsonFormatter):
            handler.formatter.run_id = run_id


def tell(event: str, text: str, **fields: Any) -> None:
    """Tell what happened: as an event where logs are JSON, else as `text` on standard error.

    Args:
        event: what happened, in a few fixed words, such as `run finished`.
        text: the same for people; "" says nothing to them.
        fields: figures of the event, as JSON knows them.
    """
    if _EVENTS.isEnabledFor(logging.INFO):
        _EVENTS.info(event, extra={"fields": fields})
    elif text:
        sys.stderr.write(redact(text) + "\n")
