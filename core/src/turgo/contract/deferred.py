"""Futures that stand for another one. That one is not there yet, or is no real `concurrent.futures.Future`."""

from __future__ import annotations

import collections
import concurrent.futures
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from turgo.futures import Future, failure_is_cancellation, failure_of, is_cancellation

T = TypeVar("T")


class BridgedFuture(concurrent.futures.Future[T], Generic[T]):
    """A real `concurrent.futures.Future` that takes on what becomes of another, and passes cancelling on."""

    def __init__(self) -> None:
        super().__init__()
        self._inner: Future[T] | None = None
        self._settled = False
        self._settling = threading.Lock()

    def follow(self, inner: Future[T]) -> None:
        """Take on the value or error of `inner` once it is done."""
        self._inner = inner
        if self.cancelled():  # while `inner` was being made
            inner.cancel()
        inner.add_done_callback(self._finished)

    def cancel(self) -> bool:
        """Cancel the call. False if it is done, or running on an executor that cannot stop it."""
        inner = self._inner
        if inner is not None and not self.done():
            if not inner.done():
                inner.cancel()
            if not failure_is_cancellation(inner):
                return False
        self._cancel_here()
        if inner is None and self._inner is not None and self.cancelled():  # followed meanwhile
            self._inner.cancel()
        return self.cancelled()

    def running(self) -> bool:
        """Whether a worker runs the call. False as well where the executor behind does not report it."""
        tells = getattr(self._inner, "running", None)
        return not self.done() and tells is not None and bool(tells())

    def _cancel_here(self) -> None:
        """Become cancelled, and say so to `concurrent.futures.wait`, which `cancel` alone does not."""
        if super().cancel():
            self._settle()

    def _finished(self, inner: Future[T]) -> None:
        try:
            error = failure_of(inner)
            value = None if error is not None else inner.result()
        except Exception as lost:  # noqa: BLE001  (whatever keeps the value from coming)
            self._settle(error=lost)
        else:
            self._settle(value=value, error=error)

    def _settle(self, *, value: Any = None, error: BaseException | None = None) -> None:
        """Take on the outcome, unless this was cancelled or has one already."""
        if is_cancellation(error):
            super().cancel()
        with self._settling:
            if self._settled:
                return
            self._settled = True
            if not self.set_running_or_notify_cancel():
                return
        if error is not None:
            self.set_exception(error)
        else:
            self.set_result(value)


class _Turns(threading.local):
    """Of each thread: how deep deferred futures are ending inside one another, and what was put off."""

    def __init__(self) -> None:
        self.depth = 0
        self.put_off: collections.deque[Callable[[], None]] = collections.deque()


class DeferredFuture(BridgedFuture[T], Generic[T]):
    """The future of a call that waits for others: `submit` is called with their values once all are done.

    Takes on the error of the first of them that failed; a call that is cancelled while it waits is never
    submitted. `submit` is called in the thread that finishes the last of `waits_for`.
    """

    _DEEPEST: ClassVar[int] = 20
    _turns: ClassVar[_Turns] = _Turns()

    def __init__(self, waits_for: list[Future[Any]], submit: Callable[[], Future[T]]) -> None:
        super().__init__()
        self._submit: Callable[[], Future[T]] | None = submit
        self._missing = len(waits_for) + 1  # one for this constructor
        self._counting = threading.Lock()
        for future in waits_for:
            future.add_done_callback(self._one_done)
        if self._was_last() and not self.done():
            self._make()

    def _one_done(self, future: Future[Any]) -> None:
        try:
            error = failure_of(future)
        except Exception as lost:  # noqa: BLE001  (whatever keeps the outcome from coming)
            error = lost
        last = self._was_last()
        if error is not None:
            self._in_turn(partial(self._settle, error=error))
        elif last and not self.done():
            self._in_turn(self._make)

    def _was_last(self) -> bool:
        with self._counting:
            self._missing -= 1
            return self._missing == 0

    def _in_turn(self, step: Callable[[], None]) -> None:
        """Do `step`, which may end this future and so begin the next: a long chain is no deep recursion."""
        turns = self._turns
        if turns.depth >= self._DEEPEST:
            turns.put_off.append(step)
            return
        turns.depth += 1
        try:
            step()
            while turns.depth == 1 and turns.put_off:
                turns.put_off.popleft()()
        finally:
            turns.depth -= 1

    def _settle(self, *, value: Any = None, error: BaseException | None = None) -> None:
        self._submit = None  # it holds the arguments, and so all the futures of a long chain
        super()._settle(value=value, error=error)

    def _make(self) -> None:
        submit = self._submit
        if submit is None:  # settled meanwhile
            return
        try:
            inner = submit()
        except BaseException as error:
            self._settle(error=error)
            if not isinstance(error, Exception):  # Ctrl-C is also for whoever made this happen
                raise
        else:
            self.follow(inner)
