"""Stopping: why a run ends before all of its calls are over, and who is told at once.

    run.cancel(), from any thread ──┐
    flow(timeout=…), by the clock ──┼──> ask ──> notice(), at once: what has not begun here does not begin
    flow(fail_fast=True) ───────────┘     └────> check(), in the loop, between two of its steps: raises why

A call that runs in the loop's own thread holds the loop up until it ends. When the time of the run is up, a signal ends
it, where there are signals: in the main thread, on POSIX.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from penstock.engine.calling import alarm, can_be_alarmed
from penstock.errors import RunCancelledError, RunError, RunTimeoutError


class Stop:
    """Whether one run is to end early. why: the error that says so, once it is; failed_fast: a task's failure did it.

    timeout: seconds that the run may take once it is watched, or None. notice: called in the thread that asks.
    """

    def __init__(self, flow: str, timeout: float | None, notice: Callable[[], None]) -> None:
        self.why: RunError | None = None
        self.failed_fast = False
        self._flow, self._timeout, self._notice = flow, timeout, notice
        self._deadline: float | None = None

    def ask(self, why: RunError) -> None:
        """End the run, from any thread. The first reason counts."""
        if self.why is None:
            self.why = why
        self._notice()

    def cancel(self) -> None:
        """End the run as somebody wishes."""
        self.ask(RunCancelledError(f"the run of {self._flow} was cancelled"))

    def fail_fast(self) -> None:
        """End the run since a task failed."""
        self.failed_fast = self.why is None
        self.ask(RunCancelledError(f"a task of {self._flow} failed, and the flow is to fail fast"))

    def check(self) -> None:
        """Raise the reason if the run is to end, as somebody asked or as its time is up."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._too_late()
        if self.why is not None:
            raise self.why

    def due_in(self) -> float | None:
        """Seconds until the time of the run is up; None if there is no such time."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    @contextmanager
    def watched(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """The time of the run begins. Inside, a signal calls `interrupt` when it is up, if this thread can get one."""
        left = self._timeout
        if left is None:
            yield
            return
        self._deadline = time.monotonic() + left
        if not can_be_alarmed():
            yield
            return

        def ring() -> None:
            self._too_late()
            interrupt()

        with alarm(left, ring):
            yield

    def _too_late(self) -> None:
        seconds = self._timeout or 0.0
        self.ask(
            RunTimeoutError(f"the run of {self._flow} took longer than its {seconds:g} s", seconds=seconds)
        )
