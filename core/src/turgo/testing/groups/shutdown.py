"""Leaving `start()`, by every door: what becomes of calls and futures, and what is left."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from turgo.errors import ExecutorNotStartedError
from turgo.executor import Executor
from turgo.flows.task import task
from turgo.futures import Future
from turgo.hooks import hookimpl
from turgo.records.flow_run import FlowRun
from turgo.runner import flow
from turgo.testing import calls
from turgo.testing.checks import Checks, rule

RUNNING_SECONDS = 2.0
"""How long a call takes that still runs when it is left."""

STILL_SECONDS = 0.3
"""How long it is watched that nothing runs any more; a call would beat some fifty times."""

FLOW_TIMEOUT_SECONDS = 0.5
"""The time limit of a flow whose task takes RUNNING_SECONDS."""


class Shutdown(Checks):
    """Whatever ends the time of an executor, nobody is left waiting, and nothing runs on."""

    @rule("start() opens nothing before it is entered")
    def test_start_opens_nothing_yet(self) -> None:
        executor = self.alone()
        executor.start()
        assert not executor.started
        with executor.start():
            assert self.value(executor.submit(calls.add, 1, 1)) == 2

    @rule("start() that fails says why, leaves no process and no thread, and the executor is not started")
    def test_failed_starts_leave_nothing(self) -> None:
        if self.failing_options is None:
            pytest.skip("the suite has no options with which start() has to fail (failing_options)")
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
        executor = self.alone()

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

    @rule("leaving start() in order waits for calls that run: what they do is done when it is left")
    def test_running_calls_are_waited_for(self) -> None:
        with self.folder() as folder:
            with self.fresh() as executor:
                future = executor.submit(calls.beat, str(folder), RUNNING_SECONDS)
                self.eventually(lambda: calls.beats(str(folder)) > 0, "a call that was submitted begins")
            assert (folder / "end").exists(), "a call that ran was broken off"
            assert future.done(), "its future is not done"
            self._stands_still(folder)

    @rule("leaving start() by an error stops calls that run, or waits for them: nothing runs when it is left")
    def test_running_calls_end_with_an_error(self) -> None:
        with self.folder() as folder:
            with pytest.raises(KeyError), self.fresh() as executor:
                future = executor.submit(calls.beat, str(folder), RUNNING_SECONDS)
                self.eventually(lambda: calls.beats(str(folder)) > 0, "a call that was submitted begins")
                raise KeyError("inside")
            assert future.done(), "its future is not done"
            self._stands_still(folder)

    @rule("an executor that can end a call that runs does so where start() is left by an error")
    def test_killable_calls_are_stopped(self) -> None:
        if not {"cancels_running", "hard_timeouts"} & self.running().capabilities:
            pytest.skip("declares neither `cancels_running` nor `hard_timeouts`")
        with self.folder() as folder:
            with pytest.raises(KeyError), self.fresh() as executor:
                future = executor.submit(calls.beat, str(folder), self.patience)
                self.eventually(lambda: calls.beats(str(folder)) > 0, "a call that was submitted begins")
                raise KeyError("inside")
            assert future.done(), "its future is not done"
            assert not (folder / "end").exists(), "it waited for the call to end by itself"
            self._stands_still(folder)

    @rule("nothing of a flow runs any more once its run has ended by its timeout")
    def test_nothing_outlives_a_timeout(self) -> None:
        self._nothing_outlives(beating_until_timeout)

    @rule("nothing of a flow runs any more once its run has ended by cancel()")
    def test_nothing_outlives_a_cancel(self) -> None:
        self._nothing_outlives(beating, cancel=True)

    @rule("nothing of a flow runs any more once its run has ended by fail_fast")
    def test_nothing_outlives_fail_fast(self) -> None:
        self._nothing_outlives(beating_until_failure)

    def _nothing_outlives(self, beating_flow: Any, *, cancel: bool = False) -> None:
        self.needs_waiting_calls()
        self.subject.close()
        with self.folder() as folder, self.subject.nothing_left():
            observers = [_Canceller(folder, self.patience)] if cancel else []
            run = beating_flow.run(folder=str(folder), executor=self.make(), observers=observers)
            assert not run.ok, f"the run ended {run.state}"
            self._stands_still(folder)

    def _stands_still(self, folder: Path) -> None:
        """Raise AssertionError if a call of `calls.beat` still runs in that folder."""
        seen = calls.beats(str(folder))
        time.sleep(STILL_SECONDS)
        more = calls.beats(str(folder)) - seen
        assert not more, (
            f"a call went on after start() was left: it wrote {more} times in {STILL_SECONDS:g} s"
        )

    @rule("the result of a call that was done is given or refused after start() was left, at once")
    def test_results_are_given_afterwards(self) -> None:
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
        executor = self.alone()
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


@task
def beat(folder: str, seconds: float) -> str:
    """Run for so many seconds, and leave a sign of it in `folder`."""
    return calls.beat(folder, seconds)


@task
def fail_beside(folder: str, patience: float) -> None:
    """Fail once a call beats in `folder`."""
    calls.wait_for(f"{folder}/beats", patience)
    raise LookupError("beside it")


@flow
def beating(folder: str) -> Any:
    """One call that runs for a while."""
    return beat(folder, RUNNING_SECONDS)


@flow(timeout=FLOW_TIMEOUT_SECONDS)
def beating_until_timeout(folder: str) -> Any:
    """One call that takes longer than the flow may."""
    return beat(folder, RUNNING_SECONDS)


@flow(fail_fast=True)
def beating_until_failure(folder: str) -> Any:
    """One call that runs while another one fails."""
    return [beat(folder, RUNNING_SECONDS), fail_beside(folder, RUNNING_SECONDS)]


class _Canceller:
    """An observer that cancels the run once a call beats in the folder."""

    def __init__(self, folder: Path, patience: float) -> None:
        self.folder = folder
        self.patience = patience

    @hookimpl
    def turgo_flow_started(self, run: FlowRun) -> None:
        threading.Thread(target=self._cancel, args=[run], daemon=True).start()

    def _cancel(self, run: FlowRun) -> None:
        calls.wait_for(str(self.folder / "beats"), self.patience)
        run.cancel()
