"""Several threads at once, and calls from inside callbacks."""

from __future__ import annotations

import concurrent.futures
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from turgo.futures import Future
from turgo.runner import flow
from turgo.testing import calls
from turgo.testing.checks import Checks, rule
from turgo.testing.groups.flows import add, total


class Concurrency(Checks):
    """An executor is used by more than one thread."""

    @rule("submit may be called from several threads at once; each gets the results of its own calls")
    def test_threads_submit_at_once(self) -> None:
        executor, line = self.running(), threading.Barrier(4)

        def use(number: int) -> list[Any]:
            line.wait(self.patience)
            futures = [executor.submit(calls.add, number, 1000 * call) for call in range(10)]
            return [self.value(future) for future in futures]

        with ThreadPoolExecutor(4) as threads:
            came = list(threads.map(use, range(4), timeout=self.patience))
        assert came == [[number + 1000 * call for call in range(10)] for number in range(4)]

    @rule("several threads may wait for the same future")
    def test_threads_wait_for_one(self) -> None:
        executor = self.running()
        future = executor.submit(calls.late, 1, 0.1)
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(executor.wait, [future] * 4, timeout=self.patience)) == [1] * 4

    @rule("a callback of a future may submit further calls")
    def test_callbacks_submit(self) -> None:
        executor = self.running()
        submitted: concurrent.futures.Future[Future[Any]] = concurrent.futures.Future()

        def go_on(_: object) -> None:
            try:
                submitted.set_result(executor.submit(calls.add, 1, 1))
            except Exception as error:  # noqa: BLE001  (raised where the value is asked for)
                submitted.set_exception(error)

        executor.submit(calls.late, None, 0.05).add_done_callback(go_on)
        assert self.value(submitted.result(timeout=self.patience)) == 2

    @rule("callbacks may submit calls whose callbacks submit further ones, twenty deep")
    def test_callbacks_go_on(self) -> None:
        executor = self.running()
        last: concurrent.futures.Future[int] = concurrent.futures.Future()

        def go_on(future: Any) -> None:
            try:
                number = future.result()
                if number < 20:
                    executor.submit(calls.add, number, 1).add_done_callback(go_on)
                else:
                    last.set_result(number)
            except Exception as error:  # noqa: BLE001  (raised where the value is asked for)
                last.set_exception(error)

        executor.submit(calls.add, 0, 1).add_done_callback(go_on)
        assert last.result(timeout=self.patience) == 20

    @rule("a callback may cancel other calls, and ask for results that are there")
    def test_callbacks_cancel(self) -> None:
        executor = self.running()
        seen: concurrent.futures.Future[tuple[Any, int]] = concurrent.futures.Future()
        done = executor.submit(calls.identity, "there")
        self.value(done)

        def look(_: object) -> None:
            try:
                seen.set_result((done.result(timeout=self.patience), executor.cancel([done])))
            except Exception as error:  # noqa: BLE001  (raised where the value is asked for)
                seen.set_exception(error)

        executor.submit(calls.late, None, 0.05).add_done_callback(look)
        assert seen.result(timeout=self.patience) == ("there", 0)

    @rule("each of several callbacks of one future is called, in the order in which they were added")
    def test_callbacks_keep_their_order(self) -> None:
        called: list[int] = []
        future = self.running().submit(calls.late, None, 0.1)
        for number in range(5):
            future.add_done_callback(partial(_note_call, called, number))
        self.value(future)
        self.eventually(lambda: len(called) == 5, "all callbacks are called")
        assert called == list(range(5))

    @rule(
        "a call that submits to its own executor gets its future, or ExecutorNotStartedError in another process"
    )
    def test_calls_submit(self) -> None:
        with self.folder() as folder:
            sign = folder / "sign"
            answer = self.value(self.running().submit(calls.touch_within, self.running(), str(sign)))
            assert answer in ("submitted", "ExecutorNotStartedError")
            if answer == "submitted":
                self.eventually(sign.exists, "a call that a call submitted runs")

    @rule("while some threads submit others may cancel; each future ends with its value or as cancelled")
    def test_threads_cancel_at_once(self) -> None:
        executor = self.running()

        def use(number: int) -> bool:
            futures = [executor.submit(calls.identity, number) for _ in range(20)]
            executor.cancel(futures[10:])
            return all(self._value_or_cancelled(future, number) for future in futures)

        with ThreadPoolExecutor(4) as threads:
            assert all(threads.map(use, range(4), timeout=2 * self.patience))
        self.still_works(executor)

    def _value_or_cancelled(self, future: Future[Any], value: int) -> bool:
        try:
            return bool(self.value(future) == value)
        except calls.CANCELLED:
            return True

    @rule("several flows may run at the same time on one started executor, each with its own results")
    def test_flows_share_an_executor(self) -> None:
        @flow
        def sums(start: int) -> Any:
            return total(add.map(range(start, start + 10)))

        executor = self.running()
        with ThreadPoolExecutor(3) as threads:
            runs = list(threads.map(lambda start: sums.run(start, executor=executor), (0, 100, 200)))
        assert [run.result for run in runs] == [sum(range(s + 1, s + 11)) for s in (0, 100, 200)]


def _note_call(called: list[int], number: int, future: object) -> None:
    called.append(number)
