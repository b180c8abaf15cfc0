"""What workers do with values on a flow's behalf: flatten them, count them, compare them with what a branch is for.

These are the functions of tasks that no user wrote. They need nothing but the standard library; see `engine.work`.
"""

from __future__ import annotations

import functools
import inspect
import reprlib
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any


def flattened(nested: Iterable[Any]) -> list[Any]:
    """The elements of the elements, one level down. Raises TypeError for an element that is no collection itself."""
    flat: list[Any] = []
    for at, each in enumerate(nested):
        if isinstance(each, (str, bytes)) or not isinstance(each, Iterable):
            raise TypeError(
                f"element {at} of what is to be flattened is {reprlib.repr(each)}, and no collection of elements"
            )
        flat.extend(each)
    return flat


def chosen(found: Any, wanted: Any) -> bool:
    """True if a branch is the one to take. Raises Skip, with the reason, if it is not."""
    from penstock.errors import Skip  # here, as the module itself has to load without penstock

    if found == wanted:
        return True
    raise Skip(f"the condition is {reprlib.repr(found)}, not {reprlib.repr(wanted)}")


def counted(fn: Callable[..., Any], nout: int, name: str) -> Callable[..., Any]:
    """`fn`, made to fail if what it returns is not a sequence of `nout` values. name: of its task."""
    if inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(fn, "__call__", None)):  # noqa: B004

        @functools.wraps(fn, assigned=("__name__", "__qualname__"), updated=())
        async def call_later(*args: Any, **kwargs: Any) -> Any:
            return _checked(await fn(*args, **kwargs), nout, name)

        return call_later

    @functools.wraps(fn, assigned=("__name__", "__qualname__"), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        return _checked(fn(*args, **kwargs), nout, name)

    return call


def _checked(value: Any, nout: int, name: str) -> Any:
    declared = f"{name} is declared with nout={nout}"
    unordered = isinstance(value, (Mapping, AbstractSet)) or not hasattr(value, "__getitem__")
    if unordered or not hasattr(value, "__len__"):
        raise TypeError(f"{declared}, but returned {reprlib.repr(value)}, which is no sequence of values")
    if len(value) != nout:
        raise ValueError(f"{declared}, but returned {len(value)} values: {reprlib.repr(value)}")
    return value
