'''A wrapper is an executor around another one: it counts calls, limits them, or changes what they are given.

    flow ──> your wrapper: submit, start … what you write ──> WrappingExecutor: all the rest ──> the wrapped executor

A complete one:

    from turgo import WrappingExecutor


    class Counted(WrappingExecutor):
        """Count the calls of another executor.

        limit: how many there may be.
        """

        def __init__(self, wrapped="local", *, limit=1000):
            super().__init__(wrapped)
            self.limit = limit

        def submit(self, fn, /, *args, extra_context=None, **kwargs):
            ...                                 # futures among the arguments are values, or are the wrapped one's own
            return super().submit(fn, *args, extra_context=extra_context, **kwargs)
'''

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Self, TypeVar

from turgo.contract.clock import Clock, clock_of
from turgo.contract.guards import require_started
from turgo.errors import OptionError, UsageError
from turgo.executor import Executor, ExecutorEvent, ExecutorLike, ExtraContext, Growth
from turgo.futures import Future
from turgo.registry.precedence import get_executor

T = TypeVar("T")


class WrappingExecutor(Executor):
    """Runs calls on another executor. Subclass it, and override what should differ.

    wrapped: the other executor: a name, class path, mapping with `use` and options, class, or object. One that is
        started already is used as it is and left open; of any other a copy is started and closed with this one.

    Whatever is not overridden is the wrapped executor's: its slots, capabilities, tags, events. A `submit` that is
    overridden is what `map`, `as_pool` and flows call. Raises OptionError if `wrapped` leads to no executor.
    """

    def __init__(self, wrapped: ExecutorLike = "local") -> None:
        self.wrapped = wrapped
        self._inner = self._made()

    @property
    def inner(self) -> Executor:
        """The wrapped executor as an object, started while this one is."""
        if "_inner" not in self.__dict__:  # what begins with "_" stays behind when this is copied or pickled
            self._inner = self._made()
        return self._inner

    def _made(self) -> Executor:
        if isinstance(self.wrapped, Executor):
            return self.wrapped if self.wrapped.started else copy.copy(self.wrapped)
        name = type(self).__name__
        try:
            return get_executor(self.wrapped)
        except UsageError as error:
            message = f"option 'wrapped' of {name}: {error}"
        except RecursionError:
            message = f"option 'wrapped' of {name} leads back to {name}: {self.wrapped!r}"
        raise OptionError(message, option="wrapped", executor=name)

    @contextmanager
    def start(self) -> Iterator[Self]:
        """Start the wrapped executor, unless it is an object that somebody else has started."""
        self._inner = self._made()
        with nullcontext() if self._inner.started else self._inner.start():
            yield self

    def submit(
        self, fn: Callable[..., T], /, *args: Any, extra_context: ExtraContext | None = None, **kwargs: Any
    ) -> Future[T]:
        """Hand the call to the wrapped executor."""
        return self.inner.submit(fn, *args, extra_context=extra_context, **kwargs)

    def map(
        self, fn: Callable[..., T], *iterables: Iterable[Any], extra_context: ExtraContext | None = None
    ) -> list[Future[T]]:
        """Map by the wrapped executor's own way, unless `submit` is overridden: then by that."""
        require_started(self)
        if type(self).submit is not WrappingExecutor.submit:
            return super().map(fn, *iterables, extra_context=extra_context)
        return self.inner.map(fn, *iterables, extra_context=extra_context)

    def wait(self, futures: Any) -> Any:
        """Wait by the wrapped executor's own way."""
        return self.inner.wait(futures)

    def cancel(self, futures: Any) -> int:
        """Take calls back by the wrapped executor's own way."""
        return self.inner.cancel(futures)

    @property
    def slots(self) -> int:
        """Those of the wrapped executor."""
        return self.inner.slots

    @property
    def growth(self) -> Growth | None:
        """That of the wrapped executor; none if the wrapper has a number of slots of its own."""
        return self.inner.growth if type(self).slots is WrappingExecutor.slots else None

    @property
    def capabilities(self) -> frozenset[str]:  # type: ignore[override]  # a property, as the contract allows
        """Those of the wrapped executor. Take away what the wrapper cannot keep."""
        return self.inner.capabilities

    @property
    def native_futures(self) -> tuple[type, ...]:  # type: ignore[override]  # of the object behind, not of the class
        """Those of the wrapped executor: `submit` gets its futures as they are."""
        return self.inner.native_futures

    @property
    def resource_tag(self) -> str:  # type: ignore[override]  # as above
        """That of the wrapped executor."""
        return self.inner.resource_tag

    @property
    def clock(self) -> Clock:
        """The time that the wrapped executor lives in."""
        return clock_of(self.inner)

    def offers(self, requirement: str) -> bool:
        """What the wrapped executor offers, of the capabilities that this one declares."""
        capability = requirement.partition(":")[0]
        return capability in self.capabilities and self.inner.offers(requirement)

    def check_tags(self, tags: Sequence[str]) -> None:
        """Refuse what the wrapped executor refuses."""
        self.inner.check_tags(tags)

    @contextmanager
    def channel(self, deliver: Callable[[bytes], None]) -> Iterator[Callable[[bytes], None] | None]:
        """That of the wrapped executor."""
        with self.inner.channel(deliver) as send:
            yield send

    def events(self) -> Sequence[ExecutorEvent]:
        """Those of the wrapped executor."""
        return self.inner.events()
