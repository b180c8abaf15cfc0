"""Starting, leaving, starting again; what an executor says of itself."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from turgo.contract.versions import API_VERSION
from turgo.errors import ExecutorNotStartedError, ExecutorStartedError
from turgo.executor import CAPABILITIES
from turgo.futures import Future
from turgo.testing import calls
from turgo.testing.checks import Checks, rule

REST_SECONDS = 0.2
"""For how long no call may begin that is then said to wait."""


class Lifecycle(Checks):
    """What `start()` opens, and what is left when it is left."""

    @rule("entering start() gives the executor itself")
    def test_start_gives_the_executor(self) -> None:
        executor = self.alone()
        with executor.start() as entered:
            assert entered is executor

    @rule("an executor is `started` inside start() and only there")
    def test_started_says_so(self) -> None:
        executor = self.alone()
        seen = [executor.started]
        with executor.start():
            seen.append(executor.started)
        seen.append(executor.started)
        assert seen == [False, True, False]

    @rule("an executor can be started again after it was left, and works as before")
    def test_starts_again(self) -> None:
        executor = self.alone()
        for number in range(2):
            with executor.start():
                assert self.value(executor.submit(calls.add, number, 1)) == number + 1

    @rule("start() inside start() of the same executor raises ExecutorStartedError and does no harm")
    def test_start_inside_start_is_refused(self) -> None:
        with self.fresh() as executor:
            with pytest.raises(ExecutorStartedError), executor.start():
                pass
            assert self.value(executor.submit(calls.add, 1, 2)) == 3

    @rule("submit, map, wait and as_pool before start() raise ExecutorNotStartedError")
    def test_not_started_is_refused(self) -> None:
        executor = self.make()
        with pytest.raises(ExecutorNotStartedError):
            executor.submit(calls.nothing)
        with pytest.raises(ExecutorNotStartedError):
            executor.map(calls.identity, [1])
        with pytest.raises(ExecutorNotStartedError):
            executor.wait([])
        with pytest.raises(ExecutorNotStartedError), executor.as_pool():
            pass

    @rule("submit and wait after start() was left raise ExecutorNotStartedError")
    def test_left_is_refused(self) -> None:
        with self.fresh() as executor:
            pass
        with pytest.raises(ExecutorNotStartedError):
            executor.submit(calls.nothing)
        with pytest.raises(ExecutorNotStartedError):
            executor.wait([])

    @rule("an error inside start() comes out of it unchanged, and the executor can be started again")
    def test_error_inside_comes_out(self) -> None:
        executor, error = self.alone(), KeyError("inside")
        caught: BaseException | None = None
        try:
            with executor.start():
                raise error
        except KeyError as came_out:
            caught = came_out
        assert caught is error
        with executor.start():
            assert self.value(executor.submit(calls.add, 1, 1)) == 2

    @rule("leaving start() leaves no process and no thread behind")
    def test_nothing_is_left(self) -> None:
        with self.fresh() as executor:
            futures = executor.map(calls.identity, range(8))
            assert [self.value(future) for future in futures] == list(range(8))

    @rule("leaving start() through an error leaves no process and no thread behind")
    def test_nothing_is_left_after_an_error(self) -> None:
        with suppress(KeyError), self.fresh() as executor:
            executor.map(calls.identity, range(8))
            raise KeyError("inside")

    @rule("calls that wait when start() is left never begin")
    def test_waiting_calls_never_begin(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder:
            with self.fresh() as executor:
                self.occupy(executor, folder)
                signs = [folder / f"sign-{number}" for number in range(20 + 6 * executor.slots)]
                waiting = [executor.submit(calls.touch, str(sign)) for sign in signs]
                opener = threading.Thread(target=_open, args=(folder / "gate", waiting), daemon=True)
                _wait_for_rest(signs)  # some may find a worker that has come since
                waited = [sign for sign in signs if not sign.exists()]
                opener.start()  # it opens the gate while start() is being left
            opener.join()
            begun = sum(sign.exists() for sign in waited)  # a few may have been on their way to a worker
            assert begun <= len(signs) // 2, f"{begun} of {len(waited)} calls that waited ran after all"

    @rule("a copy of an executor that is started is an executor that is not")
    def test_copies_are_not_started(self) -> None:
        assert not copy.copy(self.running()).started

    @rule("slots is an int, at least 1, inside start()")
    def test_slots_are_counted(self) -> None:
        slots = self.running().slots
        assert isinstance(slots, int)
        assert slots >= 1

    @rule("capabilities are a frozenset of names that turgo.executor.CAPABILITIES knows")
    def test_capabilities_are_known(self) -> None:
        for executor in (self.make(), self.running()):
            assert isinstance(executor.capabilities, frozenset)
            assert executor.capabilities <= CAPABILITIES.keys()

    @rule("api_version is a version of the contract that this turgo understands")
    def test_api_version_is_spoken(self) -> None:
        assert self.make().api_version == API_VERSION


def _wait_for_rest(signs: list[Path]) -> None:
    """Wait until no more of the signs appear for a moment."""
    before = -1
    while (now := sum(sign.exists() for sign in signs)) != before:
        before = now
        time.sleep(REST_SECONDS)


def _open(gate: Path, waiting: Sequence[Future[Any]]) -> None:
    """Make the file a second after all calls that waited are done, as they were taken back, or after six seconds."""
    end = time.monotonic() + 5.0
    while time.monotonic() < end and not all(future.done() for future in waiting):
        time.sleep(0.01)
    time.sleep(1.0)
    with suppress(OSError):  # the check is over, and its folder is gone
        gate.touch()
