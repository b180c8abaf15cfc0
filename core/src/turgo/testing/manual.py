"""A fake executor for tests of what happens while calls wait."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from turgo.executor import Executor, ExtraContext


class ManualExecutor(Executor):
    """Holds every call until it is asked to run it, in the thread that asks it to.

    `calls` is what is held, the oldest first; `contexts` are the hints of all calls that were made; `width`
    is what `slots` says.
    """

    def __init__(self, *, width: int = 1) -> None:
        self.width = width

    @property
    def slots(self) -> int:
        """`width`."""
        return self.width

    @contextmanager
    def start(self) -> Iterator[Self]:
        """Hold nothing yet; what is still held at the end is cancelled."""
        self._held: list[tuple[concurrent.futures.Future[Any], Callable[[], Any]]] = []
        self._contexts: list[ExtraContext | None] = []
        try:
            yield self
        finally:
            for future, _ in self._held:
                future.cancel()

    def submit(
        self,
        fn: Callable[..., Any],
        /,
        *args: Any,
        extra_context: ExtraContext | None = None,
        **kwargs: Any,
    ) -> concurrent.futures.Future[Any]:
        """Hold the call."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._held.append((future, lambda: fn(*args, **kwargs)))
        self._contexts.append(extra_context)
        return future

    @property
    def calls(self) -> list[concurrent.futures.Future[Any]]:
        """The futures of the calls that are held."""
        return [future for future, _ in self._held]

    @property
    def contexts(self) -> list[ExtraContext | None]:
        """The `extra_context` of every call since `start()`."""
        return self._contexts

    def run_next(self, index: int = 0) -> None:
        """Run the call at `index` of those that are held; one that was cancelled is dropped."""
        future, call = self._held.pop(index)
        if not future.set_running_or_notify_cancel():
            return
        try:
            value = call()
        except Exception as error:  # noqa: BLE001  (whatever the call raises)
            future.set_exception(error)
        else:
            future.set_result(value)

    def run_all(self) -> None:
        """Run what is held, and what comes to be held by that, until nothing is."""
        while self._held:
            self.run_next()
