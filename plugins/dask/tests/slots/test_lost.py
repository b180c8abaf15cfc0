"""What becomes of calls whose connection has broken."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from distributed.client import FutureState

from turgo_dask.calls.deaths import Deaths
from turgo_dask.calls.future import LostSlotError
from turgo_dask.slots import lost as losing
from turgo_dask.slots.lost import KEPT_SLOTS, LostCalls
from turgo_dask.slots.records import Call, Slot


def handed(number: int = 0) -> Call:
    """A call that was handed to a slot."""
    state = FutureState(f"call-{number}")
    future = SimpleNamespace(key=state.key, _state=state)
    slot = Slot(f"slot-{number}", "tcp://a", SimpleNamespace(key=f"slot-{number}"), since=0.0)
    return Call(b"", future, slot)


def lose(deaths: Deaths, *calls: Call) -> tuple[LostCalls, list[str], list[bool]]:
    """Lose calls that ran; which were sent again, and whether all was over then."""
    again: list[str] = []
    over: list[bool] = []
    lost = LostCalls(deaths, lambda call: again.append(call.key))

    async def lose_all() -> None:
        lost.add("tcp://a", calls, [], lambda: over.append(True))
        while lost._tasks:
            await asyncio.sleep(0.001)

    asyncio.run(lose_all())
    return lost, again, over


@pytest.mark.parametrize(("expected", "sent"), [(True, ["call-0"]), (False, [])])
def test_a_call_goes_again_if_its_worker_was_closed_in_order(expected: bool, sent: list[str]) -> None:
    """As the scheduler does with its own; if it died, the call is lost. One that nobody wants is neither."""
    deaths, call, given_up = Deaths(), handed(), handed(1)
    deaths.note({"action": "remove-worker", "worker": "tcp://a", "expected": expected})
    given_up.future._state.cancel()
    _, again, over = lose(deaths, call, given_up)
    assert again == sent and over == [True]
    assert (call.future._state.status == "error") is not expected


def test_what_waited_goes_again_once_the_scheduler_knows_of_the_death() -> None:
    """It would send it where it comes from, and take it for one of those that ended the worker."""
    deaths, waited, given_up = Deaths(), handed(), handed(1)
    again: list[str] = []
    lost = LostCalls(deaths, lambda call: again.append(call.key))

    async def lose_both() -> None:
        lost.add("tcp://a", [], [waited, given_up], lambda: None)
        await asyncio.sleep(5 * losing.DEATH_LOOK_SECONDS)
        assert again == [] and lost.having({"call-1", "call-2"}) == [given_up]
        given_up.future._state.cancel()
        deaths.note({"action": "remove-worker", "worker": "tcp://a"})
        while lost._tasks:
            await asyncio.sleep(losing.DEATH_LOOK_SECONDS)

    asyncio.run(lose_both())
    assert again == ["call-0"] and not lost.waiting


def test_after_a_while_the_worker_is_taken_for_one_that_cannot_be_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The scheduler says nothing of its death, so the error does not."""
    monkeypatch.setattr(losing, "DEATH_SECONDS", 0.05)
    call = handed()
    lost, again, _ = lose(Deaths(), call)
    error: Any = call.future._state.exception
    assert isinstance(error, LostSlotError) and again == []
    ours = error.as_ours("call-0", None, Deaths())
    assert "the connection to the worker tcp://a broke while it ran call-0" in str(ours) and not ours.sure
    assert lost.with_slot("slot-0") and not lost.with_slot("slot-1")


def test_a_call_that_another_one_was_behind_is_not_named_for_sure() -> None:
    """The other one may have begun, and have ended the worker before it was said."""
    deaths = Deaths()
    deaths.note({"action": "remove-worker", "worker": "tcp://a", "processing-tasks": ["slot-0"]})
    errors = []
    for followed in (False, True):
        call = handed()
        call.followed = followed
        lose(deaths, call)
        lost: Any = call.future._state.exception
        errors.append(lost.as_ours("call-0", None, deaths))
    assert [error.sure for error in errors] == [True, False]
    assert ", or had it in its queue" in str(errors[1])


def test_it_is_not_remembered_for_ever_in_which_slots_calls_were_lost() -> None:
    """A thousand are enough to tell who else was there."""
    deaths = Deaths()
    deaths.note({"action": "remove-worker", "worker": "tcp://a"})
    lost, _, _ = lose(deaths, *map(handed, range(KEPT_SLOTS + 1)))
    assert not lost.with_slot("slot-0") and lost.with_slot(f"slot-{KEPT_SLOTS}")
