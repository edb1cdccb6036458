"""Room for requests in flight: never more than there is, and nobody is passed over."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.inference.slots import Slots


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.lists(st.integers(1, 8), min_size=1, max_size=20))
def test_never_more_is_in_flight_than_there_is_room_and_all_of_it_comes_back(size: int, counts: list[int]) -> None:
    slots, lock, held, most = Slots(size), threading.Lock(), 0, 0

    def ask(count: int) -> None:
        nonlocal held, most
        with slots.taken(count):
            with lock:
                held += min(count, size)
                most = max(most, held)
            time.sleep(0.0002)
            with lock:
                held -= min(count, size)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, counts))
    assert most <= size and slots.free == size


def test_a_large_request_is_not_overtaken_by_small_ones_that_came_later() -> None:
    slots, order = Slots(4), []
    first = slots.taken(1)
    first.__enter__()

    def ask(count: int) -> None:
        with slots.taken(count):
            order.append(count)

    threads = [threading.Thread(target=ask, args=(count,)) for count in (4, 1)]
    threads[0].start()
    while not slots._turn.locked():  # the large one waits, and it is its turn
        time.sleep(0.001)
    threads[1].start()
    time.sleep(0.05)
    assert order == []
    first.__exit__(None, None, None)
    for thread in threads:
        thread.join(60)
    assert order == [4, 1]


def test_what_is_raised_inside_gives_the_room_back() -> None:
    slots = Slots(2)
    with np.testing.assert_raises(ValueError), slots.taken(2):
        raise ValueError("no")
    assert slots.free == 2
