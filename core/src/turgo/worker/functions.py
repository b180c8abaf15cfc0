"""Turgo's own task functions flatten values, count them, and choose a branch."""

from __future__ import annotations

import functools
import inspect
import pickle
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
    from turgo.errors import Skip  # here, as the module itself has to load without turgo

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


class TaskHere:
    """A task where turgo is not installed: its function, which is what a call comes to."""

    __name__: str

    def __init__(self, fn: Callable[..., Any], name: str) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.name = name

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.fn(*args, **kwargs)

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None or isinstance(self.fn, staticmethod):
            return self
        return TaskHere(functools.partial(self.fn, instance), self.name)

    def with_options(self, *, name: str = "", **policy: Any) -> TaskHere:
        """The same task: a policy is nothing to a call within a task."""
        return TaskHere(self.fn, name or self.name)

    def __reduce__(self) -> Any:
        # At home it is the task of that name; here it may stand in no module that pickle looks into.
        names = {"module": self.__module__, "name": self.__name__}
        return eval, ("getattr(__import__('sys').modules.get(module), name, None)", names)


class FlowHere(TaskHere):
    """A flow where turgo, which runs flows, is not installed."""

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        raise ModuleNotFoundError(
            f"the flow {self.name} is called within a task, and turgo, which that takes, is not installed here",
            name="turgo",
        )

    run = start = __call__

    def __get__(self, instance: Any, owner: type) -> Any:
        return self

    def with_options(self, **options: Any) -> FlowHere:
        """The same flow, which cannot be run."""
        return self


def task_here(fn: Callable[..., Any], packed: bytes, name: str) -> Any:
    """The task that a task's code calls; a stand-in for it where turgo is not installed.

    packed: a pickle of what makes it of function and name, which nobody without turgo can open.
    """
    try:
        make = pickle.loads(packed)
    except ImportError:
        return TaskHere(fn, name)
    return make(fn, name=name)


def flow_here(fn: Callable[..., Any], packed: bytes, name: str) -> Any:
    """The same of a flow."""
    try:
        make = pickle.loads(packed)
    except ImportError:
        return FlowHere(fn, name)
    return make(fn, name=name)
