"""Many calls."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from turgo.testing import calls
from turgo.testing.checks import Checks, rule


class Load(Checks):
    """Nothing is lost when there is much of it, and nothing is kept; `load` says how many calls are made."""

    @rule("many calls give each its own value, in order")
    def test_many_calls(self) -> None:
        futures = self.running().map(calls.identity, range(self.load))
        came = self.running().wait(futures)
        wrong = [number for number in range(self.load) if came[number] != number]
        assert not wrong, (
            f"{len(wrong)} of {self.load} calls have another value than their own, {wrong[0]} among them"
        )

    @rule("many futures can be the argument of one call")
    def test_many_futures_in_one_call(self) -> None:
        futures = self.running().map(calls.identity, range(self.load // 10))
        assert self.value(self.running().submit(sum, futures)) == sum(range(self.load // 10))

    @rule("many failures among many calls fail each its own call")
    def test_many_failures(self) -> None:
        elements = [number if number % 2 else "even" for number in range(self.load // 20)]
        futures = self.running().map(calls.add, elements)
        failed = [future.exception(timeout=self.patience) is not None for future in futures]
        assert failed == [isinstance(element, str) for element in elements]

    @rule("values that nobody asks for any more are let go: the driver's memory is bounded")
    def test_memory_is_bounded(self) -> None:
        if not Path("/proc/self/statm").exists():
            pytest.skip("this system does not tell how much memory a process has")
        executor, size, each = self.running(), 2**18, 40
        rounds = max(10, self.load // 10 // each)  # 250 MiB pass in all
        before = _resident()
        for _ in range(rounds):
            futures = executor.map(calls.letters, [size] * each)
            assert [len(value) for value in executor.wait(futures)] == [size] * each
        kept, passed = _resident() - before, rounds * each * size
        limit = 3 * each * size + passed // 4
        assert kept < limit, f"{kept >> 20} MiB are kept of {passed >> 20} MiB that were let go"

    @rule("many calls take no more threads of the driver than a few")
    def test_threads_are_bounded(self) -> None:
        executor = self.running()
        executor.wait(executor.map(calls.identity, range(50)))
        before = threading.active_count()
        executor.wait(executor.map(calls.identity, range(self.load // 20)))
        more = threading.active_count() - before
        assert more <= executor.slots + 16, f"{more} threads more than before"


def _resident() -> int:
    """Bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
