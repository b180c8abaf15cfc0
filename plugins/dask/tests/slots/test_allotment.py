"""Which slot is given to which call, with nothing behind it: no scheduler, no workers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from distributed.client import FutureState

from turgo_dask.slots import allotment as policy
from turgo_dask.slots.allotment import Allotment
from turgo_dask.slots.records import Call, Slot


class Driver:
    """A driver with two slots. by_scheduler, handed, let_go: the keys of calls and slots that went each way."""

    def __init__(self) -> None:
        self.by_scheduler: list[str] = []
        self.handed: list[tuple[str, str]] = []
        self.let_go: list[str] = []
        self.queues = True
        self.allotment = Allotment(
            lambda: 2,
            queues=lambda: self.queues,
            reachable=lambda: True,
            later=lambda *args: None,
            send=self._send,
            send_to=self._send_to,
        )

    def _send(self, call: Call) -> None:
        self.by_scheduler.append(call.key)
        self.allotment.table.send(call.future)

    def _send_to(self, slot: Slot, key: str | None, call: bytes | None) -> bool:
        if key is None:
            self.let_go.append(slot.key)
        elif call is not None:
            self.handed.append((slot.key, key))
        return slot.address != "tcp://gone"

    def place(self, *keys: str) -> list[Call]:
        """Calls that are to be made."""
        calls = [Call(b"call", SimpleNamespace(key=key, _state=FutureState(key))) for key in keys]
        for call in calls:
            self.allotment.place(call)
        return calls

    def holds(self, key: str, address: str = "tcp://a") -> Slot:
        """The call of that key, which went by the scheduler, is over, and its slot is held and free."""
        future: Any = self.allotment.table.tells(key)
        slot = self.allotment.table.hold(future, address)
        self.allotment.offer(slot)
        return slot


@pytest.fixture
def driver() -> Driver:
    """One that has called nothing yet."""
    return Driver()


def test_calls_go_by_the_scheduler_until_it_has_one_for_each_slot(driver: Driver) -> None:
    """The others wait, and the first slot that is free has the one that has waited longest."""
    driver.place("a", "b", "c", "d")
    assert driver.by_scheduler == ["a", "b"] and driver.allotment.waiting.keys() == {"c", "d"}
    driver.holds("b")
    assert driver.handed == [("b", "c")] and driver.allotment.waiting.keys() == {"d"}


def test_a_slot_that_is_free_is_given_before_the_scheduler_is_asked(driver: Driver) -> None:
    """That is what it is held for."""
    driver.place("a")
    driver.holds("a")
    driver.place("b")
    assert driver.handed == [("a", "b")] and driver.by_scheduler == ["a"]


def test_a_slot_that_cannot_be_reached_is_held_no_more(driver: Driver) -> None:
    """Its call goes by the scheduler."""
    driver.place("a")
    driver.holds("a", "tcp://gone")
    driver.place("b")
    assert driver.by_scheduler == ["a", "b"] and driver.allotment.table.find("a") is None


def test_what_nobody_wants_is_not_placed(driver: Driver) -> None:
    """It was cancelled on its way."""
    call = Call(b"call", SimpleNamespace(key="a", _state=FutureState("a")))
    call.future._state.cancel()
    driver.allotment.place(call)
    assert driver.by_scheduler == [] and not driver.allotment.waiting


def test_slots_are_let_go_for_calls_that_went_by_the_scheduler(driver: Driver) -> None:
    """As many as it has too few."""
    driver.place("a", "b")
    driver.holds("a")
    driver.holds("b")
    driver.allotment.sent(SimpleNamespace(key="other", _state=FutureState("other")))
    assert len(driver.let_go) == 1 and driver.allotment.table.spare == 0


def test_a_slot_is_let_go_after_its_time(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call that would have had it goes by the scheduler, so that a worker has it in its queue by then."""
    monkeypatch.setattr(policy, "HELD_SECONDS", -1.0)
    driver.place("a", "b", "c")
    driver.holds("a")
    assert driver.by_scheduler == ["a", "b", "c"] and driver.let_go == ["a"]


def test_where_nothing_is_to_wait_here_all_goes_by_the_scheduler(driver: Driver) -> None:
    """As on a cluster that grows by what waits there; what has waited goes as soon as that is known."""
    driver.place("a", "b", "c")
    driver.queues = False
    driver.place("d")
    driver.allotment.balance()
    assert driver.by_scheduler == ["a", "b", "c", "d"]
