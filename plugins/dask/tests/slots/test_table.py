"""How slots that are taken are counted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from turgo_dask.slots import table as tables
from turgo_dask.slots.table import SlotTable


def call(key: str) -> Any:
    """The future of a call of that key."""
    return SimpleNamespace(key=key)


@pytest.fixture
def table() -> SlotTable:
    """Of three slots."""
    return SlotTable(lambda: 3)


def test_a_slot_is_taken_until_the_scheduler_is_done_with_its_call(table: SlotTable) -> None:
    """Whether its call was sent, or it is held; one that leaves is spare."""
    one, two = call("one"), call("two")
    table.send(one)
    table.send(two)
    assert table.spare == 1
    assert table.tells("one") is one and table.tells("one") is None
    slot = table.hold(one, "tcp://a")
    assert table.spare == 1 and table.find("one") is slot
    table.leave(slot)
    assert table.spare == 2 and table.find("one") is None
    assert not table.forget("one")
    assert table.forget("two") and table.spare == 3


def test_the_slot_that_is_free_for_the_shortest_time_is_taken(
    table: SlotTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the likeliest to be there; those that may be gone leave."""
    now = [0.0]
    monkeypatch.setattr(tables, "time", SimpleNamespace(monotonic=lambda: now[0]))
    slots = [table.hold(call(key), "tcp://a") for key in ("one", "two", "three")]
    for at, slot in enumerate(slots):
        now[0] = at * tables.OFFER_SECONDS * 0.4
        table.free(slot)
    now[0] = 1.1 * tables.OFFER_SECONDS
    assert table.take() is slots[2] and table.spare == 1
    assert table.free_slots() == [slots[1]]
    assert table.take() is slots[1] and table.take() is None


def test_the_future_of_a_slot_is_dropped_with_it(table: SlotTable) -> None:
    """Though a call that was handed to it has it still: the scheduler would make again what is at home already."""
    given_back, over = table.hold(call("one"), "tcp://a"), table.hold(call("two"), "tcp://a")
    table.leave(given_back)
    assert given_back.future is None and over.future is not None
    assert table.forget("two") and over.future is None and table.find("two") is None


def test_a_slot_that_is_lost_keeps_its_future_until_it_is_known_why(table: SlotTable) -> None:
    """Until the scheduler says that its call was over, or that the worker is gone, which had this call."""
    slots = [table.hold(call(key), "tcp://a") for key in ("one", "two")]
    assert table.lose("tcp://a") == slots and all(slot.future is not None for slot in slots)
    assert not table.forget("one")
    assert [slot.future is None for slot in slots] == [True, False]
    assert not table.forget("two") and not table._lost


def test_all_slots_of_a_worker_are_lost_with_it(table: SlotTable) -> None:
    """And no others."""
    one, two = table.hold(call("one"), "tcp://a"), table.hold(call("two"), "tcp://b")
    table.free(one)
    assert table.lose("tcp://a") == [one] and table.free_slots() == []
    assert table.find("two") is two and table.spare == 2


def test_the_number_of_slots_is_looked_up_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers come and go; with many of them it takes a while to count."""
    now, totals = [0.0], iter([3, 4])
    monkeypatch.setattr(tables, "time", SimpleNamespace(monotonic=lambda: now[0]))
    table = SlotTable(lambda: next(totals))
    assert table.total == table.total == 3
    now[0] = 2 * tables.TOTAL_SECONDS
    assert table.total == 4
