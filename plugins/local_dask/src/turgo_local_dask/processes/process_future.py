"""The future of a call in a process. It can be cancelled while it is executed, by ending that process."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any, Protocol

from turgo_local_dask.processes.pipe import Packed


class RemoteTraceback(Exception):  # noqa: N818  (the cause of an error; its text is the traceback in the worker)
    """Where the error was raised in the worker process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class Holder(Protocol):
    """Whoever executes the call."""

    def give_up(self, future: ProcessFuture) -> None:
        """End the process if it still executes that call."""


class ProcessFuture(Future[Any]):
    """The future of a call in a process.

    For its base class it is pending until it is done, so that it can be cancelled while a process has the call.
    name: of the task, for messages; seconds: after which the call is killed; call: the pickle, until it is sent.
    """

    def __init__(self, name: str, seconds: float | None) -> None:
        super().__init__()
        self.name = name
        self.seconds = seconds
        self.call: Packed | None = None
        self.holder: Holder | None = None
        self._claimed = False
        self._claiming = threading.Lock()

    def _claim(self) -> bool:
        """Whether the caller is the one who says what became of the call."""
        with self._claiming:
            first = not self._claimed
            self._claimed = True
        return first

    def cancel(self) -> bool:
        """Take the call back; a process that has begun it is ended, and replaced. False if it is done."""
        if not self._claim():
            return self.cancelled()
        super().cancel()
        self.set_running_or_notify_cancel()  # without it `concurrent.futures.wait` would not see it
        self.call = None
        holder = self.holder
        if holder is not None:
            holder.give_up(self)
        return True

    def running(self) -> bool:
        """Whether a process has it."""
        return self.holder is not None and not self.done()

    def succeed(self, value: Any) -> None:
        """Give it its value, unless it was cancelled."""
        if self._claim():
            self.set_result(value)

    def fail(self, error: BaseException, cause: BaseException | None = None) -> None:
        """Give it its error, unless it was cancelled."""
        if self._claim():
            if error.__cause__ is None:
                error.__cause__ = cause
            self.set_exception(error)
