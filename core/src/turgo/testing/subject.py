"""The executor under test: made, started, shared among checks, and closed."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from turgo.executor import Executor
from turgo.testing import calls
from turgo.testing.observed.deadline import Overdue, deadline
from turgo.testing.observed.leaks import nothing_left

PATIENCE_TIMES = 3
"""How often its patience the suite waits in failing checks, before it runs no more of them."""


class Subject:
    """Makes the executor that a conformance class names.

    Starting some executors takes seconds, so checks that leave it as they found it share one that is started;
    those of the life cycle start their own, and each of these must leave nothing behind.
    failed_seconds: what failing checks have taken; measured: what several checks read of one start, by their own names.
    """

    def __init__(
        self,
        use: Any,
        options: Mapping[str, Any],
        *,
        made_by: Callable[[], Executor] | None = None,
        lasting_threads: tuple[str, ...],
        patience: float,
    ) -> None:
        self.use = use
        self._made_by = made_by
        self.options = dict(options)
        self.failed_seconds = 0.0
        self.measured: dict[str, Any] = {}
        self._lasting_threads = lasting_threads
        self._patience = patience
        self._shared = ExitStack()
        self._running: Executor | None = None
        self._synchronous: bool | None = None

    def make(self) -> Executor:
        """A new executor that is not started."""
        if self._made_by is not None:
            return self._made_by()
        return copy.copy(self.use) if isinstance(self.use, Executor) else self.make_with(self.options)

    def make_with(self, options: Mapping[str, Any]) -> Executor:
        """One of the same class with other options."""
        if isinstance(self.use, Executor):
            return type(self.use)(**options)
        if isinstance(self.use, type):
            made = self.use(**options)
            if not isinstance(made, Executor):
                raise TypeError(f"{self.use.__name__} is no turgo.Executor")
            return made
        from turgo.registry.precedence import (
            get_executor,  # only names, class paths and mappings need the registry
        )

        return get_executor(self.use, **options)

    @contextmanager
    def fresh(self) -> Iterator[Executor]:
        """A started executor of one's own. Raises AssertionError if it leaves a thread or process behind."""
        self.close()
        executor = self.make()
        with self.nothing_left(), executor.start():
            yield executor

    def nothing_left(self) -> AbstractContextManager[None]:
        """Raises AssertionError at its end if a thread or process is there that was not at its beginning."""
        return nothing_left(lasting_threads=self._lasting_threads, patience=self._patience)

    def running(self) -> Executor:
        """The started executor that checks share."""
        if self._running is None:
            executor = self.make()
            self._shared.enter_context(self.nothing_left())
            self._shared.enter_context(executor.start())
            self._running = executor
        return self._running

    def close(self) -> None:
        """Close the shared one. Raises AssertionError if it leaves a thread or a process behind."""
        self._running, shared, self._shared = None, self._shared, ExitStack()
        shared.close()

    def lost_patience(self) -> bool:
        """Whether failing checks have taken so long that the rest need not be run."""
        return self.failed_seconds > PATIENCE_TIMES * self._patience

    def discard(self, seconds: float) -> str:
        """Close the shared one, which may be broken, in limited time; returns what goes wrong in that, as a line."""
        try:
            with deadline(seconds):
                self.close()
        except (Exception, Overdue) as error:  # noqa: BLE001  (shown beside what was found before)
            return f"\n  besides:   leaving start(): {type(error).__name__}: {error}"
        return ""

    def is_synchronous(self) -> bool:
        """Whether `submit` computes the call itself. One that declares `parallel` has no right to."""
        if self._synchronous is None:
            executor = self.running()
            began = time.monotonic()
            future = executor.submit(calls.late, None, 0.2)
            done, took = future.done(), time.monotonic() - began
            self._synchronous = "parallel" not in executor.capabilities and done and took >= 0.2
        return self._synchronous
