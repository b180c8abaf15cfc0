"""Wrong when `start()` is entered or left."""

from __future__ import annotations

import os
import queue
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from turgo.futures import find, replace
from turgo.registry.source_files import load_source

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right, OddFutures = _right.Right, _right.OddFutures

SILENT_SECONDS = 45.0 if os.environ.get("TEST_MATRIX") == "full" else 3.0
"""Longer than the suite's patience with it: the usual one, or that of the quick tests."""


class OpensEarly(Right):
    breaks = ("start_opens_nothing_yet",)


def _start_early(self):
    Right.start(self).__enter__()
    return nullcontext(self)


OpensEarly.start = _start_early  # after the class was made, so that the base class cannot wrap it


class StartsAnyhow(Right):
    breaks = ("failed_starts_leave_nothing",)

    @contextmanager
    def start(self):
        self.workers = self.workers or 1
        with super().start():
            yield self


class SwallowsInterrupts(Right):
    breaks = ("interrupts_leave_nothing", "exits_leave_nothing", "flows_are_interrupted")

    @contextmanager
    def start(self):
        with super().start(), suppress(KeyboardInterrupt, SystemExit):
            yield self


class MainThreadOnly(Right):
    breaks = ("starts_in_any_thread",)

    @contextmanager
    def start(self):
        before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        with super().start():
            yield self
        signal.signal(signal.SIGUSR1, before)


class SharesItsPool(Right):
    breaks = ("two_stand_side_by_side",)

    @contextmanager
    def start(self):
        with ThreadPoolExecutor(self.workers) as SharesItsPool._pool:
            yield self


class DropsWhatWaits(Right):
    breaks = ("futures_end_with_the_executor",)

    @contextmanager
    def start(self):
        with ThreadPoolExecutor(self.workers) as self._pool:
            yield self
            with suppress(queue.Empty):
                while True:
                    self._pool._work_queue.get_nowait()


class LetsCallsRunOn(Right):
    breaks = (
        "running_calls_are_waited_for",
        "running_calls_end_with_an_error",
        "nothing_outlives_a_timeout",
        "nothing_outlives_a_cancel",
        "nothing_outlives_fail_fast",
    )

    @contextmanager
    def start(self):
        self._pool = ThreadPoolExecutor(self.workers)
        try:
            yield self
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)


class WaitsInsteadOfKilling(Right):
    breaks = ("killable_calls_are_stopped",)
    capabilities = frozenset({"parallel", "hard_timeouts"})


class KeepsSilence(OddFutures):
    breaks = ("results_are_given_afterwards",)

    class kind(Future):  # noqa: N801
        def result(self, timeout=None):
            if not self.executor.started:
                time.sleep(SILENT_SECONDS)  # whatever the timeout
            return super().result(timeout)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = super().submit(fn, *args, **kwargs)
        future.executor = self
        return future


class RunsLate(Right):
    breaks = ("deferred_calls_never_begin", "earlier_calls_stay_behind")
    native_futures = (Future,)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        waits = list(find(args, "args"))
        if not waits:
            return super().submit(fn, *args, **kwargs)
        late = Future()
        waits[0].add_done_callback(
            lambda _: late.set_result(fn(*replace(args, lambda future: future.result()), **kwargs))
        )
        return late
