"""Thresholds from plain mappings: frozen dataclasses with some of their fields replaced, and nothing guessed."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

from transforms.errors import ConfigError

Settings = TypeVar("Settings")


def overridden(settings: Settings, values: Mapping[str, Any], path: str) -> Settings:
    """`settings` with the fields that `values` names replaced, nested dataclasses included.

    Args:
        settings: an instance of a frozen dataclass.
        values: field name -> value; numbers may be integers where a float is held.
        path: what messages call `settings`.

    Raises:
        ConfigError: an unknown field, or a value of another kind; names path, value and what was expected.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path}: expected a mapping of names to values, got {values!r}")
    fields = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}  # type: ignore[arg-type]
    changed = {}
    for name, value in values.items():
        if name not in fields:
            close = difflib.get_close_matches(str(name), fields, 1)
            raise ConfigError(f"{path}.{name}: no such threshold{f'; did you mean {close[0]!r}?' if close else ''}")
        changed[name] = _converted(fields[name], value, f"{path}.{name}")
    return dataclasses.replace(settings, **changed)  # type: ignore[type-var]


def _converted(current: Any, value: Any, path: str) -> Any:
    if dataclasses.is_dataclass(current) and not isinstance(current, type):
        return overridden(current, value, path)
    if isinstance(current, bool) or isinstance(value, bool):
        good = isinstance(current, bool) and isinstance(value, bool)
    elif isinstance(current, float):
        good, value = isinstance(value, int | float), float(value) if isinstance(value, int) else value
        if value != value:  # nothing is beyond a limit that is no number: it would let everything pass
            raise ConfigError(f"{path}: {value!r} is not a number")
    elif isinstance(current, tuple):
        good, value = isinstance(value, list | tuple), tuple(value) if isinstance(value, list) else value
    else:
        good = current is None or isinstance(value, type(current))
    if not good:
        raise ConfigError(f"{path}: {value!r} is not of the kind of {current!r}")
    return value
