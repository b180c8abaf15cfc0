"""The stop of a run before all of its calls are over. It keeps why, and gives notice at once.

    run.cancel(), from any thread ──┐
    flow(timeout=…), by the clock ──┼──> ask ──> notice(), at once: what has not begun here does not begin
    flow(fail_fast=True) ───────────┤     └────> check(), in the loop, between two of its steps: raises why
    Ctrl-C, if it is not heard of ──┘

A call that runs in the loop's own thread holds the loop up until it ends. When the time of the run is up, a signal ends
it, where there are signals: in the main thread, on POSIX.

Python discards a KeyboardInterrupt that it raises in a finalizer, and a task may swallow one. So what a handler of
signals raised is remembered as well, and raised again by the loop.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from turgo.contract.clock import SYSTEM_CLOCK, Clock
from turgo.errors import RunCancelledError, RunError, RunTimeoutError
from turgo.worker.limits.alarm import alarm, can_be_alarmed
from turgo.worker.limits.interrupt import Interrupt

SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
"""Those that a handler may make a KeyboardInterrupt of; SIGHUP is not on Windows."""


class Stop:
    """Whether one run is to end early. why: the error that says so, once it is; failed_fast: a task's failure did it.

    interrupted: whether a signal was to end it. timeout: seconds that the run may take once it is watched, or None.
    notice: called in the thread that asks.
    """

    def __init__(
        self, flow: str, timeout: float | None, notice: Callable[[], None], clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.why: RunError | None = None
        self.failed_fast = False
        self.interrupted = False
        self._flow = flow
        self._timeout = timeout
        self._notice = notice
        self._clock = clock
        self.deadline: float | None = None

    def ask(self, why: RunError) -> None:
        """End the run, from any thread. The first reason counts."""
        if self.why is None:
            self.why = why
        self._notice()

    def cancel(self) -> None:
        """End the run, as somebody asked for that."""
        self.ask(RunCancelledError(f"the run of {self._flow} was cancelled"))

    def fail_fast(self) -> None:
        """End the run since a task failed."""
        self.failed_fast = self.why is None
        self.ask(RunCancelledError(f"a task of {self._flow} failed, and the flow is to fail fast"))

    def check(self) -> None:
        """Raise the reason if the run is to end: as somebody asked, its time is up, or a signal came."""
        self.check_interrupted()
        if self.deadline is not None and self._clock.monotonic() >= self.deadline:
            self._too_late()
        if self.why is not None:
            raise self.why

    def check_interrupted(self) -> None:
        """Raise KeyboardInterrupt if one was raised by a signal's handler; here it is lost no more."""
        if self.interrupted:
            raise KeyboardInterrupt

    @contextmanager
    def hearing(self) -> Iterator[None]:
        """Inside, a KeyboardInterrupt of a handler of signals is remembered, and raised on leaving if it was lost.

        Only the main thread hears of signals.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        heard = {
            number: self._remembering(handler) for number, handler in handlers.items() if callable(handler)
        }
        for number, receive in heard.items():
            signal.signal(number, receive)
        try:
            yield
            self.check_interrupted()
        finally:
            for number, receive in heard.items():
                if signal.getsignal(number) is receive:  # else somebody has set another one meanwhile
                    signal.signal(number, handlers[number])

    def _remembering(self, handler: Callable[[int, FrameType | None], object]) -> Callable[..., object]:
        """The handler, which also ends the run if it raises KeyboardInterrupt."""

        def receive(number: int, frame: FrameType | None) -> object:
            try:
                return handler(number, frame)
            except KeyboardInterrupt:
                self.interrupted = True
                self._notice()
                raise

        return receive

    @contextmanager
    def watched(self, executing: Callable[[], bool]) -> Iterator[None]:
        """The time of the run begins. When it is up, what runs in this thread is interrupted, if a signal can reach it.

        executing: whether a call of the run runs in this thread now.
        """
        left = self._timeout
        if left is None:
            yield
            return
        self.deadline = self._clock.monotonic() + left
        if self._clock is not SYSTEM_CLOCK or not can_be_alarmed():  # a signal comes in real time only
            yield
            return

        interrupt = Interrupt(left)

        def ring() -> None:
            self._too_late()
            if executing():
                interrupt.ring()

        with alarm(left, ring), interrupt:
            yield

    def _too_late(self) -> None:
        seconds = self._timeout or 0.0
        self.ask(
            RunTimeoutError(f"the run of {self._flow} took longer than its {seconds:g} s", seconds=seconds)
        )
