"""When a slot may be handed one call more than it runs, and when that call is asked for: in virtual time."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from distributed.client import FutureState

from turgo_dask.slots.ahead import LATE_SHARE, NEARLY_FREE_SHARE, Ahead
from turgo_dask.slots.records import Call, Slot


class Clock:
    """Calls functions later, as time is moved on."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, Callable[[], Any]]] = []

    def later(self, seconds: float, fn: Callable[..., Any], *args: Any) -> None:
        """Call a function after so many seconds."""
        self._due.append((self.now + seconds, lambda: fn(*args)))

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        due, self._due = (
            [each for each in self._due if each[0] <= self.now],
            [each for each in self._due if each[0] > self.now],
        )
        for _, fn in sorted(due, key=lambda each: each[0]):
            fn()


class Slots:
    """One slot, and what was asked for."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.recalled: list[str] = []
        self.near = 0
        self.ahead = Ahead(
            self.clock.later,
            self._is_near,
            lambda slot, call: self.recalled.append(call.key),
            lambda: self.clock.now,
        )

    def _is_near(self) -> None:
        self.near += 1

    def slot(self, name: str = "slot") -> Slot:
        """One more."""
        return Slot(name, "tcp://a", SimpleNamespace(key=name), since=0.0)

    def hand(self, slot: Slot, key: str, seconds: float = 1.0) -> Call:
        """Hand a call to a slot."""
        call = Call(b"", SimpleNamespace(key=key, _state=FutureState(key)), slot, seconds)
        self.ahead.handed(slot, call)
        return call


def test_a_slot_is_nearly_free_once_half_the_time_of_its_call_is_over() -> None:
    """And not once it has been handed another one, until that has run for as long."""
    slots, slot = Slots(), Slots().slot()
    first = slots.hand(slot, "first")
    assert slots.ahead.next_slot() is None
    slots.clock.move(NEARLY_FREE_SHARE * 1.0)
    assert slots.ahead.next_slot() is slot and slots.near == 1
    second = slots.hand(slot, "second", seconds=2.0)
    assert slots.ahead.next_slot() is None and second.waits_in_slot and not first.waits_in_slot
    slots.clock.move(0.25)
    slots.ahead.over(slot, first)
    assert not second.waits_in_slot and slots.ahead.next_slot() is None
    slots.clock.move(NEARLY_FREE_SHARE * 2.0)
    assert slots.ahead.next_slot() is slot and slots.near == 2
    slots.ahead.over(slot, second)
    assert slots.ahead.next_slot() is None and slot.calls == [] and slots.recalled == []


def test_a_call_of_which_nobody_knows_how_long_it_runs_has_none_behind_it() -> None:
    """It may be hours."""
    slots = Slots()
    slots.hand(slots.slot(), "first", seconds=0.0)
    slots.clock.move(1_000.0)
    assert slots.near == 0


def test_a_call_behind_one_that_takes_too_long_is_recalled() -> None:
    """Once, and not after it has begun."""
    slots, slot = Slots(), Slots().slot()
    first = slots.hand(slot, "first")
    slots.clock.move(NEARLY_FREE_SHARE * 1.0)
    second = slots.hand(slot, "second")
    slots.clock.move((LATE_SHARE - NEARLY_FREE_SHARE) * 1.0)
    assert slots.recalled == ["second"] and slots.ahead.recalls([second])
    slots.ahead.recall_some(1)
    assert slots.recalled == ["second"]
    slots.ahead.over(slot, second)  # it came back
    assert slot.calls == [first] and not slots.ahead.recalls([second])
    slots.ahead.over(slot, first)
    slots.clock.move(10.0)
    assert slots.recalled == ["second"] and slots.ahead.next_slot() is None


def test_calls_are_recalled_for_slots_that_have_nothing_to_do() -> None:
    """As many as there are of these, the one that waits longest first; another one where one had begun."""
    slots = Slots()
    each = [slots.slot(f"slot-{number}") for number in range(3)]
    for number, slot in enumerate(each):
        slots.hand(slot, f"runs-{number}")
        slots.hand(slot, f"waits-{number}")
    slots.ahead.recall_some(0)
    slots.ahead.recall_some(-1)
    assert slots.recalled == []
    slots.ahead.recall_some(1)
    slots.ahead.recall_some(1)
    assert slots.recalled == ["waits-0"]
    slots.ahead.begun("waits-0")
    slots.ahead.recall_some(1)
    assert slots.recalled == ["waits-0", "waits-1"]
    slots.ahead.recall_some(5)
    assert slots.recalled == ["waits-0", "waits-1", "waits-2"]


def test_nothing_goes_ahead_where_calls_differ_much() -> None:
    """A slot whose call is not over soon may be busy for long; it is as before once calls take what is thought."""
    slots, slot = Slots(), Slots().slot()

    def near_after(*seconds: float) -> bool:
        for each in seconds:
            call = slots.hand(slot, "call")
            slots.clock.move(each)
            slots.ahead.over(slot, call)
        call = slots.hand(slot, "last")
        slots.clock.move(NEARLY_FREE_SHARE * 1.0)
        found = slots.ahead.next_slot() is slot
        slots.clock.move((1 - NEARLY_FREE_SHARE) * 1.0)
        slots.ahead.over(slot, call)
        return found

    assert near_after(1.2, 0.8, 1.1)
    assert not near_after(*[0.1, 0.2, 0.1, 9.0] * 5)
    assert near_after(*[1.1, 0.9] * 40)


def test_what_is_lost_or_comes_back_says_nothing_of_how_long_calls_take() -> None:
    """Whenever that was."""
    slots, slot = Slots(), Slots().slot()
    for _ in range(5):
        slots.ahead.over(slot, slots.hand(slot, "lost"), made=False)
    slots.hand(slot, "last")
    slots.clock.move(NEARLY_FREE_SHARE * 1.0)
    assert slots.ahead.next_slot() is slot


def test_nothing_is_kept_of_a_call_that_is_over_nor_of_its_slot() -> None:
    """However long it was thought to take: dask makes again what somebody seems to want."""
    slots, slot = Slots(), Slots().slot()
    call = slots.hand(slot, "call", seconds=3_600.0)
    slots.ahead.over(slot, call)
    kept = weakref.ref(slot), weakref.ref(call)
    call.slot = None
    del slot, call
    assert [each() for each in kept] == [None, None]


def test_a_slot_that_cannot_be_reached_is_handed_nothing() -> None:
    """Nor is it asked for again."""
    slots, slot = Slots(), Slots().slot()
    slots.hand(slot, "first")
    slots.clock.move(NEARLY_FREE_SHARE * 1.0)
    slots.ahead.leave(slot)
    assert slots.ahead.next_slot() is None
