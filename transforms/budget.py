"""One byte budget for the process: how much pixel memory all works under way may hold together.

A work reserves once, when its image's size is known and before it is decoded, and gives everything back when it
ends. A thread that waits for bytes holds none, so waiting cannot lock up.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Bytes held for each source pixel while its work runs: RGB (3), foreground (3), matte (4), mask and trimap (2),
# resampled copy (3), and float32 temporaries of matting on the band and of Lab conversion (12).
BYTES_PER_SOURCE_PIXEL = 27
# And for the largest placement while it is painted and verified: 1080x1920 pixels at about 54 bytes, while its kept
# shadow is laid.
BYTES_PER_WORK = 112_000_000


class ByteBudget:
    """A counting gate over bytes. A request above the whole limit passes when nothing else is held."""

    def __init__(self, limit: int) -> None:
        self._limit, self._held, self.peak = limit, 0, 0
        self._freed = threading.Condition()

    def acquire(self, size: int) -> None:
        """Wait until `size` bytes fit."""
        with self._freed:
            self._freed.wait_for(lambda: self._held == 0 or self._held + size <= self._limit)
            self._held += size
            self.peak = max(self.peak, self._held)

    def release(self, size: int) -> None:
        """Give `size` bytes back."""
        with self._freed:
            self._held -= size
            self._freed.notify_all()


class Lease:
    """What one work holds of a budget."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget, self._held = budget, 0

    def reserve(self, size: int) -> None:
        """Hold `size` bytes; once in a work's life, so that two works never wait for each other's second helping."""
        if self._held:
            raise RuntimeError("a work reserves once")
        self._budget.acquire(size)
        self._held = size

    def close(self) -> None:
        """Give everything back."""
        if self._held:
            self._budget.release(self._held)
            self._held = 0


class GroupLease(Lease):
    """What several sources that are held together hold: each one adds to it.

    While it waits for the next source it counts for nothing, so two groups never wait for each other; what they hold
    meanwhile comes on top of the limit.
    """

    def reserve(self, size: int) -> None:
        """Hold `size` bytes more."""
        held = self._held
        self.close()
        self._budget.acquire(held + size)
        self._held = held + size


_lease: ContextVar[Lease | None] = ContextVar("lease", default=None)


@contextmanager
def lease_of(budget: ByteBudget, kind: type[Lease] = Lease) -> Iterator[Lease]:
    """A lease for the work that this thread runs in the context."""
    lease = kind(budget)
    token = _lease.set(lease)
    try:
        yield lease
    finally:
        _lease.reset(token)
        lease.close()


def reserve_pixels(pixels: int) -> None:
    """Hold what a source of `pixels` pixels needs, in the work that this thread runs; nothing outside of one."""
    lease = _lease.get()
    if lease is not None:
        lease.reserve(pixels * BYTES_PER_SOURCE_PIXEL + BYTES_PER_WORK)
