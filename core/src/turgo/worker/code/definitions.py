"""Functions, classes and other definitions of a flow on a worker, restored into the modules that hold them.

    driver:  Pickler ── function, restore_function, … and their arguments ──> pickle
    worker:  function / class_of / enum_of ──> the one that was shipped before, or a new one
             restore_function / restore_class / restore_enum ──> its state; its place in its module

Each is one object within a run, however often it is unpickled.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from turgo.worker.code.modules import RUNS_KEY, is_set, publish, set_names
from turgo.worker.once import OfThisProcess

HOOK = "__init_subclass__"


class _RestoredClasses:
    """The classes that this process has made of pickles."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.classes: weakref.WeakSet[type] = weakref.WeakSet()


@OfThisProcess
def _restored() -> _RestoredClasses:
    """cloudpickle's own register of classes is the process's too."""
    return _RestoredClasses()


def function(
    make: Callable[..., Any], run: str, public: str, code: Any, globals_: dict[str, Any], *rest: Any
) -> Any:
    """The function that a module has under a name by now, if it was shipped in this run; else one that is made."""
    found = globals_.get(public)
    if getattr(found, "__code__", None) == code and is_set(globals_, run, public):
        return found
    return make(code, globals_, *rest)


def restore_function(fn: Any, packed: Any) -> None:
    """Give a function its state. packed: cloudpickle's own setter and state; what its names are in other modules."""
    setter, (attributes, slots), run, public, others = packed
    if public and fn.__globals__.get(public) is fn and is_set(fn.__globals__, run, public):
        return
    for globals_, values in others:
        set_names(globals_, run, values)
    set_names(fn.__globals__, run, slots["__globals__"])
    setter(fn, (attributes, {**slots, "__globals__": {}}))
    if public:
        publish(fn.__globals__, run, public, fn)


def class_of(make: Callable[..., Any], meta: Any, name: str, bases: tuple[Any, ...], *rest: Any) -> Any:
    """The class that this one became here before; else a new one. Its bases learned of it where it was written."""
    tracked, owned = (make.__globals__[f"_DYNAMIC_CLASS_TRACKER_BY_{each}"] for each in ("ID", "CLASS"))
    with _restored().lock:
        found = tracked.get(rest[1])
        if found is None:
            lineage = [cls for base in bases if isinstance(base, type) for cls in base.__mro__]
            held = {cls: vars(cls)[HOOK] for cls in lineage if cls in owned and HOOK in vars(cls)}
            for cls in held:
                type.__delattr__(cls, HOOK)
            try:
                found = make(meta, name, bases, *rest)
            finally:
                for cls, hook in held.items():
                    type.__setattr__(cls, HOOK, hook)
            _restored().classes.add(found)
        return found


def enum_of(make: Callable[..., Any], *arguments: Any) -> Any:
    """The enum that this one became here before; else a new one."""
    with _restored().lock:
        found = make.__globals__["_DYNAMIC_CLASS_TRACKER_BY_ID"].get(arguments[-2])
        if found is None:
            found = make(*arguments)
            _restored().classes.add(found)
        return found


def restore_class(cls: type, packed: Any) -> None:
    """Give a class its state, and place it in its module. packed: cloudpickle's own setter and state.

    The driver's own class stays as it is: while it is set anew, another thread could not pickle it.
    """
    setter, state, globals_, run, public = packed
    if RUNS_KEY not in globals_ and cls not in _restored().classes:
        return
    if public:
        publish(globals_, run, public, cls)
    setter(cls, state)


def restore_enum(cls: Any, packed: Any) -> None:
    """Give an enum its state, its aliases, and its members what their own `__init__` or `__new__` has given them.

    A class that is restored once more has its aliases, which may not be set again.
    """
    setter, state, members = packed
    setter(cls, state)
    for name, own_name, value, attributes in members:
        member = cls._member_map_.get(name)
        if member is None:
            member = cls._member_map_[name] = cls(value)
            member._name_ = own_name
            type.__setattr__(cls, name, member)
        elif member._value_ != value:
            with suppress(TypeError):  # those that cannot be hashed are looked for one by one
                cls._value2member_map_.pop(member._value_, None)
                cls._value2member_map_[value] = member
            member._value_ = value
        vars(member).update(attributes)


def attribute(globals_: dict[str, Any], run: str, name: str, kind: Any) -> Any:
    """An object of a class that is known by its identity, as `MISSING = object()`."""
    if not is_set(globals_, run, name):
        set_names(globals_, run, {name: kind.__new__(kind)})
    return globals_[name]


def empty_cache(fn: Callable[..., Any], maxsize: int | None, typed: bool) -> Any:
    """The function with a cache, as `functools.lru_cache` made it."""
    return functools.lru_cache(maxsize, typed)(fn)


def restore_dispatch(fn: Any, packed: tuple[dict[type, Callable[..., Any]], dict[str, Any]]) -> None:
    """Register the implementations of a generic function, as `functools.singledispatch` made it."""
    registry, attributes = packed
    for cls, implementation in registry.items():
        if cls is not object:
            fn.register(cls, implementation)
    fn.__dict__.update(attributes)
