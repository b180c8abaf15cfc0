"""Messages on their way by one connection."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from distributed.comm import CommClosedError, connect, listen

from turgo_dask.slots.outbox import Outbox

END_SECONDS = 30


def talk(said: Callable[[Any, Any], Awaitable[None]]) -> None:
    """Call a function with both ends of a connection on loopback, in an event loop of its own."""

    async def both() -> None:
        ends: asyncio.Queue[Any] = asyncio.Queue()
        async with listen("tcp://127.0.0.1:0", ends.put) as listener:
            near = await connect(listener.contact_address)
            far = await ends.get()
            try:
                await said(near, far)
            finally:
                near.abort()
                far.abort()

    asyncio.run(asyncio.wait_for(both(), END_SECONDS))


def test_messages_of_one_turn_travel_together() -> None:
    """In their order; those of the next turn after them."""

    async def said(near: Any, far: Any) -> None:
        outbox = Outbox(near)
        for message in ("a", "b"):
            outbox.send(message)
        assert list(await far.read()) == ["a", "b"]
        outbox.send({"c": b"\0" * 3})
        assert list(await far.read()) == [{"c": b"\0" * 3}]

    talk(said)


def test_what_is_sent_while_another_is_written_follows_it() -> None:
    """A large message is serialised in a thread; what comes meanwhile waits, and keeps its order."""

    async def said(near: Any, far: Any) -> None:
        outbox = Outbox(near)
        large = [b"x" * 20_000_000, 1]
        outbox.send(large)
        await asyncio.sleep(0)
        for at in range(100):
            outbox.send(at)
            await asyncio.sleep(0)
        came: list[Any] = []
        while len(came) < 101:
            came.extend(await far.read())
        assert list(came[0]) == large and came[1:] == list(range(100))

    talk(said)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python has no eager tasks before 3.12")
def test_an_event_loop_whose_tasks_begin_at_once_sends_all() -> None:
    """Each message leaves as it is sent: there, a task may be over before whoever makes it has it."""

    async def said(near: Any, far: Any) -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        outbox = Outbox(near)
        for message in ("a", "b"):
            outbox.send(message)
            assert list(await far.read()) == [message]

    talk(said)


def test_a_connection_ends_with_the_task_that_writes() -> None:
    """What it had taken is lost if the task is cancelled, and the other end would wait for it."""

    async def said(near: Any, far: Any) -> None:
        outbox = Outbox(near)
        before = asyncio.all_tasks()
        outbox.send(b"x" * 20_000_000)
        (writing,) = asyncio.all_tasks() - before
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(CommClosedError):
            await far.read()
        with pytest.raises(CommClosedError):
            outbox.send("more")

    talk(said)


def test_a_connection_that_has_ended_takes_nothing() -> None:
    """Whoever sends is told by an OSError, as soon as the end is known here."""

    async def said(near: Any, far: Any) -> None:
        outbox = Outbox(near)
        far.abort()
        with pytest.raises(OSError, match="closed"):
            while True:
                outbox.send("late")
                await asyncio.sleep(0.01)
        outbox.abort()  # a second end is none

    talk(said)


def test_what_cannot_be_sent_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    """It is a defect, and nobody knows what of it has left: the other end sees an end, and the log has the reason."""

    async def said(near: Any, far: Any) -> None:
        outbox = Outbox(near)
        outbox.send(threading.Lock())
        with pytest.raises(CommClosedError):
            await far.read()
        with pytest.raises(CommClosedError):
            outbox.send("more")

    talk(said)
    assert "cannot be sent to tcp://127.0.0.1" in caplog.text
