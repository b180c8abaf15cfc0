"""Leaving `start()`, by every door: what becomes of calls and futures, and what is left."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from penstock.errors import ExecutorNotStartedError
from penstock.executor import Executor
from penstock.futures import Future
from penstock.testing import calls
from penstock.testing.checks import Checks, rule


class Leaving(Checks):
    """Whatever ends the time of an executor, nobody is left waiting."""

    @rule("start() opens nothing before it is entered")
    def test_start_opens_nothing_yet(self) -> None:
        executor = self.make()
        executor.start()
        assert not executor.started
        with executor.start():
            assert self.value(executor.submit(calls.add, 1, 1)) == 2

    @rule("start() that fails says why, leaves no process and no thread, and the executor is not started")
    def test_failed_starts_leave_nothing(self) -> None:
        if self.failing_options is None:
            pytest.skip("the suite is told no options with which start() has to fail (failing_options)")
        self.subject.close()
        executor = self.subject.make_with(self.failing_options)
        with self.subject.nothing_left():
            with pytest.raises(Exception) as caught, executor.start():  # noqa: PT011  (of whichever class)
                pass
            assert str(caught.value), "the error says nothing"
        assert not executor.started

    @rule("Ctrl-C inside start() comes out of it as KeyboardInterrupt; no process and no thread is left")
    def test_interrupts_leave_nothing(self) -> None:
        with self._left_by(KeyboardInterrupt) as executor:
            executor.map(calls.late, range(4), [0.05] * 4)

    @rule("SystemExit inside start() comes out of it; no process and no thread is left")
    def test_exits_leave_nothing(self) -> None:
        with self._left_by(SystemExit) as executor:
            executor.map(calls.late, range(4), [0.05] * 4)

    @contextmanager
    def _left_by(self, error: type[BaseException]) -> Iterator[Executor]:
        """A started executor, which is left by that error at the end."""
        with pytest.raises(error), self.fresh() as executor:
            assert self.value(executor.submit(calls.add, 1, 1)) == 2
            yield executor
            raise error

    @rule("start() may be entered in a thread that is not the main one")
    def test_starts_in_any_thread(self) -> None:
        self.subject.close()
        executor = self.make()

        def use() -> int:
            with executor.start():
                return int(self.value(executor.submit(calls.add, 1, 1)))

        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            assert thread.submit(use).result(timeout=self.patience) == 2

    @rule(
        "two executors of one kind may be started at the same time, and leaving one does not disturb the other"
    )
    def test_two_stand_side_by_side(self) -> None:
        self.subject.close()
        one, other = self.make(), self.make()
        with self.subject.nothing_left(), one.start():
            with other.start():
                futures = [executor.submit(calls.add, 1, 1) for executor in (one, other)]
                assert [self.value(future) for future in futures] == [2, 2]
            assert self.value(one.submit(calls.add, 2, 2)) == 4

    @rule("nobody waits for ever: every future is done once start() is left")
    def test_futures_end_with_the_executor(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder:
            opener = threading.Timer(0.5, (folder / "gate").touch)  # while start() is being left
            with self.fresh() as executor:
                occupants = self.occupy(executor, folder)
                futures = [executor.submit(calls.nothing) for _ in range(20 + 4 * executor.slots)]
                opener.start()
            opener.join()
            self.eventually(
                lambda: all(future.done() for future in [*occupants, *futures]), "every future is done"
            )

    @rule("the result of a call that was done is given or refused after start() was left, at once")
    def test_results_are_told_afterwards(self) -> None:
        with self.fresh() as executor:
            future = executor.submit(calls.add, 1, 1)
            assert self.value(future) == 2
        with ExitStack() as stack:
            thread = stack.enter_context(concurrent.futures.ThreadPoolExecutor(1))
            asked = thread.submit(future.result, 0.1)
            done, _ = concurrent.futures.wait([asked], timeout=self.patience)
            assert done, "result() waits for ever"
            assert asked.exception() is not None or asked.result() == 2

    @rule("a call that still waits for a future when start() is left never begins")
    def test_deferred_calls_never_begin(self) -> None:
        upstream: concurrent.futures.Future[int] = concurrent.futures.Future()
        with self.folder() as folder:
            sign = folder / "sign"
            with self.fresh() as executor:
                future = executor.submit(calls.meet, str(sign), upstream, 0.0)
                self.value(executor.submit(calls.nothing))
            upstream.set_result(0)
            self.eventually(future.done, "the future is done")
            assert not sign.exists(), "it ran, although the executor is closed"

    @rule("a call of an earlier start() that becomes ready in a later one does not run in it")
    def test_earlier_calls_stay_behind(self) -> None:
        upstream: concurrent.futures.Future[int] = concurrent.futures.Future()
        self.subject.close()
        executor = self.make()
        with self.folder() as folder:
            sign = folder / "sign"
            with executor.start():
                future = executor.submit(calls.meet, str(sign), upstream, 0.0)
            with executor.start():
                upstream.set_result(0)
                assert self.value(executor.submit(calls.add, 1, 1)) == 2
                assert isinstance(
                    self._error_or_cancelled(future), (ExecutorNotStartedError, *calls.CANCELLED)
                )
            assert not sign.exists(), "it ran in a start() that is not its own"

    def _error_or_cancelled(self, future: Future[Any]) -> BaseException:
        try:
            return self.error(future)
        except calls.CANCELLED as cancelled:
            return cancelled
