"""How many CPUs this process may keep busy: what a container is given counts, not what its host has."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def usable_cpus(cgroups: Path = _CGROUPS) -> int:
    """The CPUs that this process may run on, or those that its control group pays for where they are fewer; 1 at least.

    A quota (`docker run --cpus 2`, a Kubernetes limit) leaves the affinity alone: all of the host's CPUs are there to
    run on, and time on them runs out.

    Args:
        cgroups: where control groups are mounted; `cpu.max` of version 2, `cpu/cpu.cfs_*_us` of version 1.
    """
    return max(1, min(len(os.sched_getaffinity(0)), _paid(cgroups)))


def _paid(cgroups: Path) -> int:
    old = cgroups / "cpu"
    limit = _numbers(cgroups / "cpu.max") or _numbers(old / "cpu.cfs_quota_us") + _numbers(old / "cpu.cfs_period_us")
    if len(limit) != 2 or min(limit) <= 0:  # no quota
        return 1 << 16
    return math.ceil(limit[0] / limit[1])


def _numbers(path: Path) -> tuple[int, ...]:
    """The numbers in a file, () where there is none or one is the word `max`."""
    try:
        return tuple(int(text) for text in path.read_text().split())
    except (OSError, ValueError):
        return ()
