"""Calls that were not sent by the scheduler."""

from __future__ import annotations

from types import SimpleNamespace

from distributed.client import FutureState

from turgo_dask.slots.records import Call


def test_a_call_is_wanted_until_it_is_over_or_given_up() -> None:
    """Its future says so."""
    for end in (FutureState.finish, FutureState.cancel):
        state = FutureState("key")
        call = Call(b"", SimpleNamespace(key="key", _state=state))
        assert call.wanted and call.key == "key"
        end(state)
        assert not call.wanted
