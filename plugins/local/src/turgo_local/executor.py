"""`LocalExecutor`: no thread, no process, no queue.

A call has run when `submit` returns, so a debugger stops where the task is, a profiler sees it, and the
order of calls is the order of submission. It is what to choose when something is to be understood.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ClassVar, TypeVar

from turgo.executor import Executor, ExtraContext
from turgo.futures import call_now

T = TypeVar("T")


class LocalExecutor(Executor):
    """Run every call synchronously, at once, in the thread that submits it. It has no options."""

    api_version: ClassVar[int] = 1

    def submit(
        self,
        fn: Callable[..., T],
        /,
        *args: Any,
        extra_context: ExtraContext | None = None,
        **kwargs: Any,
    ) -> Future[T]:
        """Run the call; its future is done, with the value or with the error that it raised.

        `SystemExit` is the error of the call. `KeyboardInterrupt` is the user's, and is raised here.
        """
        return call_now(fn, *args, **kwargs)
