"""Room for requests in flight, counted in items."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """Room for `size` items at once, shared by threads; one that waits for much is not overtaken by small ones.

    >>> slots = Slots(4)
    >>> with slots.taken(3):
    ...     slots.free
    1
    """

    def __init__(self, size: int) -> None:
        self.size, self.free = size, size
        self._turn, self._room = threading.Lock(), threading.Condition()

    @contextmanager
    def taken(self, count: int) -> Iterator[None]:
        """Hold `count` items' room, at most all there is; waits until it is free."""
        count = min(count, self.size)
        with self._turn, self._room:
            self._room.wait_for(lambda: self.free >= count)
            self.free -= count
        try:
            yield
        finally:
            with self._room:
                self.free += count
                self._room.notify_all()
