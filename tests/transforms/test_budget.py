import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from transforms.budget import BYTES_PER_SOURCE_PIXEL, BYTES_PER_WORK, ByteBudget, GroupLease, lease_of, reserve_pixels


def test_holders_never_exceed_the_limit_together() -> None:
    budget, inside, seen, lock = ByteBudget(100), [0], [], threading.Lock()

    def hold(size: int) -> None:
        budget.acquire(size)
        with lock:
            inside[0] += size
            seen.append(inside[0])
        with lock:
            inside[0] -= size
        budget.release(size)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hold, [40, 60, 30, 90, 10] * 40))
    assert max(seen) <= 100
    assert budget.peak <= 100


def test_a_work_larger_than_the_limit_passes_alone() -> None:
    budget = ByteBudget(10)
    budget.acquire(50)
    waiting = threading.Thread(target=lambda: (budget.acquire(1), budget.release(1)))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    budget.release(50)
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_lease_gives_back_whatever_happens() -> None:
    budget = ByteBudget(10**9)
    with pytest.raises(ZeroDivisionError), lease_of(budget):
        reserve_pixels(1000)
        raise ZeroDivisionError
    assert budget.peak == 1000 * BYTES_PER_SOURCE_PIXEL + BYTES_PER_WORK
    budget.acquire(10**9)


def test_a_work_reserves_once() -> None:
    with lease_of(ByteBudget(10**9)), pytest.raises(RuntimeError):
        reserve_pixels(1)
        reserve_pixels(1)


def test_outside_a_work_nothing_is_reserved() -> None:
    reserve_pixels(10**12)


def test_a_group_adds_source_to_source_and_two_groups_never_lock_up() -> None:
    one = 1000 * BYTES_PER_SOURCE_PIXEL + BYTES_PER_WORK
    budget = ByteBudget(3 * one)

    def hold(_: int) -> None:
        with lease_of(budget, GroupLease):
            for _ in range(4):  # more than the limit: passes alone
                reserve_pixels(1000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hold, range(16)))
    assert budget.peak == 4 * one
    budget.acquire(3 * one)
