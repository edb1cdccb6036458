"""Which server is asked next: round robin over those that are not marked down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Endpoints:
    """Addresses in rotation. Safe to share between threads.

    Args:
        addresses: at least one.
        down_sec: how long a failed address is passed over while another one is left.
        clock: seconds that never run backwards.
    """

    def __init__(
        self, addresses: tuple[str, ...], down_sec: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._addresses, self._down_sec, self._clock = addresses, down_sec, clock
        self._down_until = dict.fromkeys(addresses, float("-inf"))
        self._turn = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._addresses)

    def pick(self, but: str = "") -> str:
        """The next address that is up; where all are down, the one that comes back first.

        Args:
            but: taken only where no other one is up: a request does not come back to where it just failed, however
                many other threads have moved the rotation on meanwhile.
        """
        with self._lock:
            now, count = self._clock(), len(self._addresses)
            order = [self._addresses[(self._turn + step) % count] for step in range(count)]
            up = [address for address in order if self._down_until[address] <= now]
            others = [address for address in up if address != but]
            chosen = (others or up or [min(order, key=self._down_until.__getitem__)])[0]
            self._turn = self._addresses.index(chosen) + 1
            return chosen

    def mark_down(self, address: str) -> None:
        """Pass `address` over for a while."""
        with self._lock:
            self._down_until[address] = self._clock() + self._down_sec

    def mark_up(self, address: str) -> None:
        """`address` answered: take it into the rotation again."""
        with self._lock:
            self._down_until[address] = float("-inf")
