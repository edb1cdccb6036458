"""Round robin over servers that are up."""

from __future__ import annotations

from transforms.inference.endpoints import Endpoints


class Clock:
    """Seconds, by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_endpoints_take_turns() -> None:
    endpoints = Endpoints(("a", "b", "c"), 5.0)
    assert [endpoints.pick() for _ in range(6)] == ["a", "b", "c"] * 2


def test_a_failed_endpoint_is_passed_over_for_a_while() -> None:
    clock = Clock()
    endpoints = Endpoints(("a", "b"), 5.0, clock)
    endpoints.mark_down("a")
    assert {endpoints.pick() for _ in range(4)} == {"b"}
    clock.now = 5.0
    assert {endpoints.pick() for _ in range(4)} == {"a", "b"}


def test_an_endpoint_that_answers_is_up_again() -> None:
    endpoints = Endpoints(("a", "b"), 5.0, Clock())
    endpoints.mark_down("a")
    endpoints.mark_up("a")
    assert {endpoints.pick() for _ in range(4)} == {"a", "b"}


def test_where_all_are_down_the_first_to_come_back_is_asked() -> None:
    clock = Clock()
    endpoints = Endpoints(("a", "b"), 5.0, clock)
    endpoints.mark_down("b")
    clock.now = 1.0
    endpoints.mark_down("a")
    assert endpoints.pick() == "b"


def test_a_request_does_not_come_back_to_where_it_just_failed_while_another_endpoint_is_up() -> None:
    endpoints = Endpoints(("a", "b"), 5.0, Clock())
    first = endpoints.pick()
    endpoints.pick()  # another thread's
    assert endpoints.pick(but=first) != first
    endpoints.mark_down("b")
    assert endpoints.pick(but="a") == "a"
    assert Endpoints(("a",), 5.0).pick(but="a") == "a"
