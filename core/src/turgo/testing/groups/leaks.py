"""Leaks: descriptors, threads and arguments that are held although nobody needs them any more."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from turgo.testing import calls
from turgo.testing.checks import Checks, rule

LEAK_STARTS = 2
"""How often it is started while what it holds is counted."""

LEAK_CALLS = 100
"""How many calls are made while what it holds is counted."""


class Leaks(Checks):
    """What one start or one call holds for good is little, and much after many of them."""

    @rule("a start leaves no descriptor open")
    def test_starts_leak_no_descriptor(self) -> None:
        leaked, _ = self._left_by_starts()
        assert leaked < LEAK_STARTS, f"{leaked} descriptors more are open after {LEAK_STARTS} starts"

    @rule("a start leaves no thread running, be it a daemon")
    def test_starts_leak_no_thread(self) -> None:
        _, left = self._left_by_starts()
        assert len(left) < LEAK_STARTS, f"{', '.join(left)} still run after {LEAK_STARTS} starts"

    def _left_by_starts(self) -> tuple[int, list[str]]:
        """How many descriptors more are open after several starts, and which threads run; the first start aside."""
        measured = self.subject.measured
        if "starts" not in measured:
            self._start_and_call()
            threads, opened = set(threading.enumerate()), descriptors()
            for _ in range(LEAK_STARTS):
                self._start_and_call()
            with suppress(AssertionError):  # the check says which threads there are
                self.eventually(lambda: len(self._more(threads)) < LEAK_STARTS, "they end")
            measured["starts"] = descriptors() - opened, self._more(threads)
        left: tuple[int, list[str]] = measured["starts"]
        return left

    def _more(self, before: set[threading.Thread]) -> list[str]:
        names = [thread.name for thread in threading.enumerate() if thread not in before]
        return [name for name in names if not name.startswith(self.lasting_threads)]

    def _start_and_call(self) -> None:
        with self.alone().start() as executor:
            self.value(executor.submit(calls.nothing))

    @rule("a call leaves no descriptor open")
    def test_calls_leak_no_descriptor(self) -> None:
        executor, times = self.running(), self.at_most(LEAK_CALLS)
        leaked = self._growth(lambda: self.value(executor.submit(calls.nothing)), times)
        assert leaked < (times + 1) // 2, f"{leaked} descriptors more are open after {times} calls"

    @rule("a call that fails leaves no descriptor open")
    def test_failing_calls_leak_no_descriptor(self) -> None:
        executor, times = self.running(), self.at_most(LEAK_CALLS)
        leaked = self._growth(lambda: self.error(executor.submit(calls.fail)), times)
        assert leaked < (times + 1) // 2, f"{leaked} descriptors more are open after {times} failing calls"

    def _growth(self, action: Callable[[], Any], times: int) -> int:
        """How many descriptors more are open after so many times, those that were opened the first time aside."""
        action()
        before = descriptors()
        for _ in range(times):
            action()
        return descriptors() - before

    @rule("an argument is let go once its call is done and nobody holds the future")
    def test_arguments_are_let_go(self) -> None:
        executor, argument = self.running(), calls.Counter(1)
        held = weakref.ref(argument)
        self.value(executor.submit(calls.identity, argument))
        del argument
        self.value(executor.submit(calls.nothing))  # a worker may hold what it did last

        def gone() -> bool:
            gc.collect()
            return held() is None

        self.eventually(gone, "the argument of a call that is done is let go")


def descriptors() -> int:
    """How many descriptors are open here; 0 where the system does not report it."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0
