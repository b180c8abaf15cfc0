"""Calls that wait in the driver: their order, and for how long they do."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from distributed.client import FutureState

from turgo_dask.slots.driver_queue import DRIVER_WAIT_SECONDS, DriverQueue
from turgo_dask.slots.records import Call


class Driver:
    """Has calls that wait. due: what is to be called later; sent: what went by the scheduler; looks: how often."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []
        self.sent: list[str] = []
        self.looks = 0
        self.reachable = True
        self.waiting = DriverQueue(
            self._later, lambda call: self.sent.append(call.key), lambda: self.reachable, self._looked
        )

    def _later(self, seconds: float, fn: Callable[[], None]) -> None:
        assert seconds == DRIVER_WAIT_SECONDS
        self.due.append(fn)

    def _looked(self) -> None:
        self.looks += 1

    def look(self) -> None:
        """Let the time pass."""
        self.due.pop()()


@pytest.fixture
def driver() -> Driver:
    """One for which nothing waits."""
    return Driver()


def call_of(key: str) -> Call:
    """A call."""
    return Call(b"", SimpleNamespace(key=key, _state=FutureState(key)))


def test_the_one_that_waited_longest_is_the_first(driver: Driver) -> None:
    """One that has waited before comes before it; one that nobody wants is passed over."""
    first, second, third = (call_of(key) for key in "abc")
    for call in (second, third):
        driver.waiting.append(call)
    driver.waiting.put_first(first)
    assert driver.waiting.keys() == {"a", "b", "c"} and driver.waiting.having({"b", "d"}) == [second]
    assert driver.waiting.first() is first and len(driver.waiting) == 3
    second.future._state.cancel()
    assert [driver.waiting.take() for _ in range(3)] == [first, third, None]
    assert driver.waiting.first() is None and len(driver.waiting) == 0


def test_all_go_by_the_scheduler_if_the_first_has_waited_for_too_long(driver: Driver) -> None:
    """Not if another one is the first by then."""
    first, second, third = (call_of(key) for key in "abc")
    driver.waiting.append(first)
    driver.waiting.append(second)
    assert len(driver.due) == 1
    assert driver.waiting.take() is first
    driver.look()
    assert driver.sent == [] and driver.looks == 1 and len(driver.due) == 1
    driver.waiting.append(third)
    driver.look()
    assert driver.sent == ["b", "c"] and driver.looks == 2 and driver.due == []


def test_a_call_that_waits_no_more_is_not_kept(driver: Driver) -> None:
    """Its future would be, and the scheduler would make again what is at home already, as its worker dies."""
    call = call_of("a")
    driver.waiting.append(call)
    kept = weakref.ref(call)
    driver.waiting.take()
    del call
    gc.collect()
    assert kept() is None


def test_all_go_by_the_scheduler_if_no_slot_can_be_reached(driver: Driver) -> None:
    """However short a time they have waited."""
    for key in "ab":
        driver.waiting.append(call_of(key))
    driver.waiting.take()
    driver.reachable = False
    driver.look()
    assert driver.sent == ["b"]
