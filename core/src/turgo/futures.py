"""Finds futures among arguments and replaces them by their values. Says what counts as one; makes ready ones.

A future may stand among the arguments of a call, nested in lists, tuples (named ones too), dicts' values and
sets, subclasses of these included. Everything that has the five methods of `Future` counts as one, whoever
made it. A future in a place that is not walked (the key of a dict, a field of a record, a deque, an awaitable
of asyncio) is an error that names the place: silently passing it on would hand the task an object that it did
not ask for.
"""

from __future__ import annotations

import collections
import concurrent.futures
import copy
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Protocol, TypeVar, runtime_checkable

from turgo.errors import UnresolvableFutureError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_METHODS = ("result", "exception", "done", "cancel", "add_done_callback")
_PLAIN = frozenset({int, float, str, bytes, bool, type(None), complex, bytearray})
_UNWALKED = (collections.deque, collections.UserDict, collections.UserList, types.MappingProxyType)


@runtime_checkable
class Future(Protocol[T_co]):
    """What an executor returns for a call: `concurrent.futures.Future`, or all with these methods of it."""

    def result(self, timeout: float | None = None) -> T_co:
        """The value, or the error raised; blocks for at most `timeout` seconds."""
        ...

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The error, or None; blocks for at most `timeout` seconds."""
        ...

    def done(self) -> bool:
        """Whether there is a value or an error, or the call was cancelled."""
        ...

    def cancel(self) -> Any:
        """Take the call back if that is still possible."""
        ...

    def add_done_callback(self, fn: Callable[[Any], Any], /) -> Any:
        """Call `fn(future)` once it is done; at once if it is done already.

        Where `fn` has a true attribute `never_blocks`, it may be called in a thread that has no time to wait, as that
        of an event loop.
        """
        ...


@lru_cache(maxsize=1024)
def _is_future_type(cls: type) -> bool:
    return all(callable(getattr(cls, name, None)) for name in _METHODS)


def is_future(value: object) -> bool:
    """Whether `value` is a future: an instance whose class has the methods of `Future`."""
    cls = type(value)
    return cls not in _PLAIN and cls is not type and _is_future_type(cls)  # type: ignore[arg-type]  # a type is hashable


def find(value: object, place: str) -> Iterator[Future[Any]]:
    """Each future in `value`, nested in lists, tuples, dicts and sets; `place` is how messages call `value`.

    Raises UnresolvableFutureError for one that stands where it cannot be replaced by its value. A container
    that holds itself is walked once.
    """
    return _walk(value, place, set())


def _walk(value: object, place: str, above: set[int]) -> Iterator[Future[Any]]:
    if type(value) in _PLAIN or isinstance(value, type):
        return
    if is_future(value):
        asyncio = sys.modules.get("asyncio")
        if asyncio is not None and isinstance(value, asyncio.Future):
            raise _unresolvable(place, "is an asyncio future: await it first")
        yield value  # type: ignore[misc]  # is_future has just said so
    elif id(value) not in above:
        above.add(id(value))
        yield from _walk_inside(value, place, above)
        above.discard(id(value))


def _walk_inside(value: object, place: str, above: set[int]) -> Iterator[Future[Any]]:
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            if type(item) not in _PLAIN:  # long lists are lists of numbers
                yield from _walk(item, f"{place}[{index}]", above)
    elif isinstance(value, (set, frozenset)):
        for item in value:
            yield from _walk(item, f"{place}{{…}}", above)
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse(key, place, "is a key of a dict, or in one", above)
            if type(item) not in _PLAIN:
                yield from _walk(item, f"{place}[{key!r}]", above)
    else:
        _refuse_unwalked(value, place, above)


def _refuse(value: object, place: str, why: str, above: set[int]) -> None:
    """A future in `value` stands where it cannot be replaced."""
    for _ in _walk(value, place, above):
        raise _unresolvable(place, why)


def _refuse_unwalked(value: object, place: str, above: set[int]) -> None:
    """Records, and containers that cannot be built anew in general, are not walked for futures to replace."""
    kind = type(value).__name__
    for name in _fields(value):
        _refuse(getattr(value, name, None), f"{place}.{name}", f"is a field of a {kind}, or in one", above)
    if isinstance(value, _UNWALKED):
        items: Iterable[object] = value.values() if hasattr(value, "values") else value
        for item in items:
            _refuse(item, place, f"is in a {kind}", above)


def _fields(value: object) -> list[str]:
    dataclasses = sys.modules.get("dataclasses")  # nobody has made one without it
    if dataclasses is not None and dataclasses.is_dataclass(value):
        return [field.name for field in dataclasses.fields(value)]
    return [attribute.name for attribute in getattr(type(value), "__attrs_attrs__", ())]


def _unresolvable(place: str, why: str) -> UnresolvableFutureError:
    return UnresolvableFutureError(
        f"the future at {place} {why}; futures are resolved as arguments and in lists, tuples, dicts' values "
        "and sets only. Pass the value: executor.wait(future).",
        place=place,
    )


def replace(value: Any, resolve: Callable[[Future[Any]], Any]) -> Any:
    """`value` with each future in it replaced by `resolve(future)`; a part that holds none stays as it is.

    A container keeps its class: named tuples, defaultdicts and subclasses of the built-in ones.
    """
    if type(value) in _PLAIN or isinstance(value, type):
        return value
    if is_future(value):
        return resolve(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        old = list(value)
        new = [item if type(item) in _PLAIN else replace(item, resolve) for item in old]
        return value if _same_items(old, new) else _refilled(value, new)
    if isinstance(value, dict):
        old = list(value.values())
        new = [item if type(item) in _PLAIN else replace(item, resolve) for item in old]
        return value if _same_items(old, new) else _refilled_dict(value, new)
    return value


def _same_items(old: list[Any], new: list[Any]) -> bool:
    return all(one is other for one, other in zip(old, new, strict=True))


def _refilled(original: Any, items: list[Any]) -> Any:
    cls = type(original)
    if cls in (list, tuple, set, frozenset):
        return cls(items)
    if isinstance(original, tuple):
        return cls._make(items) if hasattr(cls, "_make") else cls(items)
    if isinstance(original, frozenset):
        return cls(items)
    refilled = copy.copy(original)
    refilled.clear()
    (refilled.extend if isinstance(original, list) else refilled.update)(items)
    return refilled


def _refilled_dict(original: dict[Any, Any], items: list[Any]) -> dict[Any, Any]:
    filled = dict(zip(original, items, strict=True))
    if type(original) is dict:
        return filled
    refilled = copy.copy(original)  # a defaultdict stays one; `update` of a Counter would add
    for key, item in filled.items():
        refilled[key] = item
    return refilled


def is_cancellation(error: BaseException | None) -> bool:
    """Whether an error says that a call was cancelled: that of concurrent.futures, or of asyncio if it is in use."""
    asyncio = sys.modules.get("asyncio")  # 15 ms to import, and nobody raises its error without it
    return isinstance(error, concurrent.futures.CancelledError) or (
        asyncio is not None and isinstance(error, asyncio.CancelledError)
    )


def failure_of(future: Future[Any]) -> BaseException | None:
    """The error of a future that is done, cancellation included; None if it has a value."""
    try:
        return future.exception()
    except BaseException as error:
        if is_cancellation(error):
            return error
        raise


def failure_is_cancellation(future: Future[Any]) -> bool:
    """Whether a future is done because it was cancelled."""
    return future.done() and is_cancellation(failure_of(future))


def call_now(fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[T]:
    """Call in this thread, and give the future of the call, which is done: for executors that are synchronous.

    `SystemExit` is the error of the call. `KeyboardInterrupt` is the user's, and is raised here; so is what says that
    it `propagates`: that the time is up of a task which runs all this.
    """
    future: concurrent.futures.Future[T] = concurrent.futures.Future()
    future.set_running_or_notify_cancel()
    try:
        value = fn(*args, **kwargs)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or getattr(error, "propagates", False):
            raise
        future.set_exception(error)
    else:
        future.set_result(value)
    return future
