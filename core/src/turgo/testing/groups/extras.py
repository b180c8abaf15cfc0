"""What an executor may offer beside calls: events, a channel for bytes, the type of a value, tags of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from turgo.executor import ExecutorEvent
from turgo.testing import calls
from turgo.testing.checks import Checks, rule

CHANNEL_MESSAGES = 20
"""How many times a call sends bytes to the driver."""


class Extras(Checks):
    """What is offered beside calls is true; what is not offered is missed by nobody."""

    @rule("events() returns a sequence of ExecutorEvent, each of them once")
    def test_events_are_told_once(self) -> None:
        executor = self.running()
        told = [executor.events() for _ in range(3)]
        for events in told:
            assert isinstance(events, Sequence), f"events() returned {events!r}"
            assert all(isinstance(event, ExecutorEvent) for event in events), f"events() returned {events!r}"
        again = [event for event in told[1] if any(event is before for before in told[0])]
        assert not again, f"{len(again)} events were told twice: {again[0]!r}"

    @rule("what calls send by the channel reaches the driver whole, once and in the order of the call")
    def test_channels_deliver(self) -> None:
        executor = self.running()
        came: list[bytes] = []
        with executor.channel(came.append) as send:
            if send is None:
                pytest.skip("it has no channel")
            self.value(executor.submit(calls.send_all, send, CHANNEL_MESSAGES))
            self.eventually(lambda: len(came) >= CHANNEL_MESSAGES, "all bytes reach the driver")
        wanted = calls.messages(CHANNEL_MESSAGES)
        assert came == wanted, f"{came} reached the driver, and {wanted} were sent"

    @rule("the attribute `type` of a future that is done, where it has one, is the class of its value")
    def test_types_are_true(self) -> None:
        for value in (1, "text", [1], None, calls.Counter(1)):
            future = self.running().submit(calls.identity, value)
            self.value(future)
            told: Any = getattr(future, "type", None)
            assert told in (None, type(value)), f"the type of {value!r} is said to be {told!r}"

    @rule("check_tags refuses no tag that is meant for somebody else")
    def test_tags_of_others_pass(self) -> None:
        for executor in (self.make(), self.running()):
            executor.check_tags([])
            executor.check_tags(["conformance", "a=b", "somebody-elses:GPU=2", "ünï ☃", ""])
