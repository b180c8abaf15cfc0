"""Guards around the methods of an executor. It must be started, and futures among arguments become values.

`Executor.__init_subclass__` wraps the `start`, `submit` and `wait` that an author writes, so that no author has to call
`super()`.
"""

from __future__ import annotations

import concurrent.futures
import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from turgo.contract.deferred import DeferredFuture
from turgo.errors import ExecutorError, ExecutorNotStartedError, ExecutorStartedError
from turgo.futures import Future, find, is_future, replace


class Guarded(Protocol):
    """What the guards need to know of an executor."""

    @property
    def native_futures(self) -> tuple[type, ...]: ...


def require_started(executor: Guarded, session: object = None) -> None:
    """Raise ExecutorNotStartedError outside `start()`, and inside a later one than `session`, if that is given."""
    opened = executor.__dict__.get("_opened")
    if opened is None or (session is not None and opened is not session):
        name = type(executor).__name__
        raise ExecutorNotStartedError(
            f"{name} is not started: use it inside `with {name}(…).start() as executor:`"
        )


def guard_start(start: Callable[..., Any]) -> Callable[[Any], AbstractContextManager[Any]]:
    """Keep account of whether the executor is open, and hand out the executor whatever `start` yields."""
    made = contextmanager(start) if inspect.isgeneratorfunction(start) else start

    def opened(executor: Any) -> AbstractContextManager[Any]:
        manager = made(executor)
        if not isinstance(manager, AbstractContextManager):
            raise ExecutorError(
                f"{type(executor).__name__}.start returned {type(manager).__name__}, which is no context manager: "
                "write it under @contextmanager, with one `yield self`"
            )
        return manager

    @functools.wraps(start)
    @contextmanager
    def guarded(self: Any) -> Iterator[Any]:
        token = object()
        if self.__dict__.setdefault("_opened", token) is not token:
            if self.__dict__.get("_opening") != threading.get_ident():
                raise ExecutorStartedError(
                    f"{type(self).__name__} is started already; run several flows on it inside one `start()`"
                )
            with opened(self):  # the start of a base class, called through super()
                yield self
            return
        self._opening = threading.get_ident()
        try:
            with opened(self):
                self._opening = None
                yield self
        finally:
            self._opening = None
            del self._opened

    return guarded


@guard_start
@contextmanager
def nothing_to_open(executor: Guarded) -> Iterator[Guarded]:
    """The `start` of an executor that has none of its own."""
    yield executor


def guard_submit(submit: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
    """Refuse calls outside `start()`, and resolve the futures among the arguments first."""

    @functools.wraps(submit)
    def guarded(
        self: Guarded, fn: Any, /, *args: Any, extra_context: Any = None, **kwargs: Any
    ) -> Future[Any]:
        require_started(self)
        native = self.native_futures
        waits_for = [future for future in _in_arguments(args, kwargs) if not isinstance(future, native)]
        if not waits_for:
            return _checked(self, submit(self, fn, *args, extra_context=extra_context, **kwargs))

        session = self.__dict__.get("_opened")

        def submit_resolved() -> Future[Any]:
            require_started(self, session)
            values, named = replace(
                (args, kwargs), lambda future: future if isinstance(future, native) else future.result()
            )
            return _checked(self, submit(self, fn, *values, extra_context=extra_context, **named))

        return DeferredFuture(waits_for, submit_resolved)

    return guarded


def _checked(executor: Guarded, future: Any) -> Future[Any]:
    if not isinstance(future, concurrent.futures.Future) and not is_future(future):
        raise ExecutorError(
            f"{type(executor).__name__}.submit returned {type(future).__name__}, which is no future: it has to return "
            "a concurrent.futures.Future, or an object with the methods of turgo.futures.Future"
        )
    return future  # type: ignore[no-any-return]


def _in_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Future[Any]]:
    for number, value in enumerate(args):
        yield from find(value, f"args[{number}]")
    for name, value in kwargs.items():
        yield from find(value, name)


def guard_wait(wait: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Refuse to wait outside `start()`."""

    @functools.wraps(wait)
    def guarded(self: Guarded, futures: Any) -> Any:
        require_started(self)
        return wait(self, futures)

    return guarded
