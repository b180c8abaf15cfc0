"""What is known of the calls that were handed to slots."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from distributed.client import FutureState

from turgo_dask.slots import handed as handing
from turgo_dask.slots.handed import HandedCalls
from turgo_dask.slots.records import Call, Slot

Sent = list[tuple[str, str, bytes | None]]


@pytest.fixture
def sent() -> Sent:
    """What was sent: to which slot, of which call, and its bytes."""
    return []


@pytest.fixture
def handed(sent: Sent) -> HandedCalls:
    """The calls of a driver whose slots can be reached, but for those at `tcp://gone`."""

    def send(slot: Slot, key: str, call: bytes | None) -> bool:
        sent.append((slot.key, key, call))
        return slot.address != "tcp://gone"

    return HandedCalls(send, lambda *args: None, lambda: None)


def slot_at(address: str, key: str = "slot") -> Slot:
    """A slot that is held."""
    return Slot(key, address, SimpleNamespace(key=key), since=0.0)


def call_of(key: str) -> Call:
    """A call."""
    return Call(b"call", SimpleNamespace(key=key, _state=FutureState(key)))


def test_a_call_is_in_its_slot_until_it_is_over(handed: HandedCalls, sent: Sent) -> None:
    """The one behind it as well."""
    slot, first, second = slot_at("tcp://a"), call_of("first"), call_of("second")
    assert handed.hand(slot, first) and handed.hand(slot, second)
    assert sent == [("slot", "first", b"call"), ("slot", "second", b"call")]
    assert handed.waiting() == [second] and handed.is_in("slot")
    assert handed.pop("first") is first and handed.waiting() == []
    assert handed.pop("first") is None
    assert handed.pop("second") is second and not handed.is_in("slot")


def test_a_call_is_not_handed_where_nobody_can_be_reached(handed: HandedCalls) -> None:
    """It has no slot then."""
    call = call_of("first")
    assert not handed.hand(slot_at("tcp://gone"), call)
    assert handed.calls == {} and call.slot is None


def test_of_what_is_lost_only_the_first_in_a_slot_is_known_to_have_begun(handed: HandedCalls) -> None:
    """Whoever ended the worker may be the one behind it, if its report was lost; what ran elsewhere is not lost."""
    one, other = slot_at("tcp://a", "one"), slot_at("tcp://a", "other")
    calls = [call_of(f"call-{number}") for number in range(4)]
    for slot, call in zip((one, one, other, slot_at("tcp://b")), calls, strict=True):
        handed.hand(slot, call)
    running, waiting = handed.lose("tcp://a")
    assert (running, waiting) == ([calls[0], calls[2]], [calls[1]])
    assert [call.followed for call in running] == [True, False]
    assert handed.calls.keys() == {"call-0", "call-2", "call-3"}


def test_a_call_that_waits_is_asked_for_until_it_is_known_whether_it_has_begun(
    handed: HandedCalls, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that does not answer is waited for a moment; one that runs is not asked for."""
    monkeypatch.setattr(handing, "RECALL_SECONDS", 30.0)
    slot, calls = slot_at("tcp://a"), [call_of(f"call-{number}") for number in range(3)]
    for call in calls:
        handed.hand(slot, call)
    sent.clear()

    async def answered() -> None:
        asking: Any = asyncio.create_task(handed.recall(calls))
        await asyncio.sleep(0.01)
        assert sent == [("slot", "call-1", None), ("slot", "call-2", None)] and not asking.done()
        handed.pop("call-1")
        handed.ahead.begun("call-2")
        await asking

    asyncio.run(answered())
    monkeypatch.setattr(handing, "RECALL_SECONDS", 0.01)
    handed.hand(slot, calls[1])
    asyncio.run(handed.recall([calls[1]]))
    assert "call-1" in handed.calls
