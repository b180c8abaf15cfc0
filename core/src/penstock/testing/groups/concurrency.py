"""Several threads at once, and calls from inside callbacks."""

from __future__ import annotations

import concurrent.futures
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from penstock.futures import Future
from penstock.testing import calls
from penstock.testing.checks import Checks, rule


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
            except Exception as error:  # noqa: BLE001  (told where the value is asked for)
                submitted.set_exception(error)

        executor.submit(calls.late, None, 0.05).add_done_callback(go_on)
        assert self.value(submitted.result(timeout=self.patience)) == 2
