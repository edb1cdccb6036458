"""How a command ends: what is wrong with its options or files is said in words, not as a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

from transforms.errors import CanvasError


def told(main: Callable[[], int | None]) -> int:
    """The exit code of a command: its own, or 2 where it cannot do what it was asked for, which standard error says."""
    try:
        return main() or 0
    except CanvasError as error:
        said, remedy = str(error), error.remedy
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        remedy = "check that it is there, and how it is spelled"
    sys.stderr.write(f"error: {said}\n  remedy: {remedy}\n")
    return 2
