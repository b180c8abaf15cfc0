"""Lets a call begin once at most. Dask makes again what a dead worker had, and what was done there already.

    worker ── has it begun? ──> an event of the scheduler ── no ───> set it, and make the call
                                                           └─ yes ──> an error, so that nothing is made twice

The scheduler gives a call to one worker at a time, so nobody can come between the question and the setting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import distributed

from turgo_dask.calls.wrappers import ByValue

AGAIN = "turgo-again"
"""Marks the error of a call that was to be made a second time."""

EVENTS_CLEAR_SECONDS = 5.0
"""How long the scheduler may take to forget which calls have begun."""

EVENT_ANSWER_SECONDS = 5.0
"""How long the scheduler may take to say whether a call has begun."""

EVENTS_CLEAR_CALLS = 200
"""How many of them it is asked to forget at a time."""


@cache
def once() -> ByValue:
    """The function that calls another one unless a call of that key has begun before."""
    mark = AGAIN

    def begin(key: str, fn: Callable[..., Any], /, *args: Any) -> Any:
        import distributed
        from distributed.utils import sync

        worker = distributed.get_worker()
        if sync(worker.loop, worker.scheduler.event_is_set, name=key):
            raise RuntimeError(mark, key)
        sync(worker.loop, worker.scheduler.event_set, name=key)
        return fn(*args)

    return ByValue(begin)


def never_begins(client: distributed.Client, key: str) -> bool:
    """Whether a call that was lost had not begun. If so it never does: its event is set, as if it had.

    So a worker that was thought dead does not make it after all. False if the scheduler does not answer.
    """

    async def ask() -> bool:
        if await client.scheduler.event_is_set(name=key):
            return False
        await client.scheduler.event_set(name=key)
        return True

    with suppress(Exception):  # it is gone, or slow: nobody knows then
        return bool(client.sync(ask, callback_timeout=EVENT_ANSWER_SECONDS))
    return False


def was_begun(error: BaseException) -> bool:
    """Whether an error says that its call had begun on a worker that is dead now."""
    return type(error) is RuntimeError and len(error.args) == 2 and error.args[0] == AGAIN


def forget(client: distributed.Client, keys: Sequence[str]) -> None:
    """Let a scheduler that stays forget that these calls have begun."""

    async def forget_all() -> None:
        for first in range(0, len(keys), EVENTS_CLEAR_CALLS):
            some = keys[first : first + EVENTS_CLEAR_CALLS]
            await asyncio.gather(*(client.scheduler.event_clear(name=key) for key in some))

    client.sync(forget_all, callback_timeout=EVENTS_CLEAR_SECONDS)
