"""Iterates the task runs of a run in the order in which they end, in a `for` and in an `async for`."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from typing import Self

from turgo.records.task_run import TaskRun
from turgo.records.task_runs import TaskRuns
from turgo.running.ended import Ended

TAKEN_WITHOUT_PAUSE_RUNS = 64
"""How many task runs a coroutine gets before others of its loop have a turn, if they are all there."""


class TaskRunsAsTheyEnd(Iterator[TaskRun], AsyncIterator[TaskRun]):
    """Each task run of one run once, from the first that ended on; at the end, what the run raised.

    Those who share one iterator, be they threads or coroutines, share its task runs.
    """

    def __init__(self, task_runs: TaskRuns, ended: Ended) -> None:
        self._task_runs = task_runs
        self._ended = ended
        self._lock = threading.Lock()
        self._seen = 0
        self._at_hand: Iterator[TaskRun] = iter(())
        self._taken = 0

    def __iter__(self) -> Self:
        return self

    def __aiter__(self) -> Self:
        return self

    def __next__(self) -> TaskRun:
        while (found := self._take()) is None:
            seen = self._seen
            self._ended.wait(seen)
            if self._exhausted(seen):
                self._ended.raise_error()
                raise StopIteration
        return found

    async def __anext__(self) -> TaskRun:
        while (found := self._take()) is None:
            seen = self._seen
            await self._ended.turn(seen)
            if self._exhausted(seen):
                self._ended.raise_error()
                raise StopAsyncIteration
        self._taken += 1
        if self._taken % TAKEN_WITHOUT_PAUSE_RUNS == 0:
            import asyncio  # it is there: this is called by a loop of it

            await asyncio.sleep(0)
        return found

    def _take(self) -> TaskRun | None:
        """The next one, if it is at hand."""
        with self._lock:
            while True:
                found = next(self._at_hand, None)
                if found is not None or self._seen >= len(self._ended.events):
                    return found
                self._at_hand = self._task_runs.of_event(self._ended.events[self._seen])
                self._seen += 1

    def _exhausted(self, seen: int) -> bool:
        """Whether all is taken; seen: events that were taken before there was no more of them."""
        return self._ended.over and seen >= len(self._ended.events)
