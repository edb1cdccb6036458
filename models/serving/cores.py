"""The one OpenVINO core of a process."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import openvino


@cache
def core() -> openvino.Core:
    """The process's own, made on first use and kept until it ends.

    The CPU plugin of every core gives the main thread a signal stack, and puts back the one before when it goes
    (openvino 2026.4, `CPUSpecialSetup`). Of two cores that go in the order in which they came, the second puts back the
    first one's, which is unmapped by then: the next signal ends the process by SIGSEGV.
    """
    import openvino

    return openvino.Core()
