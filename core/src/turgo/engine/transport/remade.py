"""Remakes on a worker the globals that cannot be pickled. Each is no more than what it is made of.

lru_cache, cache           the same function with an empty cache
singledispatch, its method the same implementations, registered again
locks, events, queues      a fresh one, if a module or class of the flow holds it; among arguments they are an error
weak dictionaries and sets an empty one, if a module or class of the flow holds it: nothing else would keep the rest
threading.local            a fresh one
ContextVar                 of the same name and default
NewType, cached_property,  of the same parts
partialmethod
"""

from __future__ import annotations

import contextvars
import copyreg
import enum
import functools
import queue
import threading
import types
import typing
import weakref
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

Reduced = tuple[Any, ...]

_GENERIC = functools.singledispatch(lambda value: value)
_GENERIC_ATTRIBUTES = ("register", "dispatch", "registry", "_clear_cache", "__wrapped__")

_PLAIN_TYPES = (str, bytes, int, float, complex)
"""What members of an enum may be besides, each made of one value of that type."""


def is_generic(fn: Any) -> bool:
    """Whether `functools.singledispatch` made a function."""
    return getattr(fn, "__code__", None) is _GENERIC.__code__  # type: ignore[attr-defined]


def generic_state(fn: Any) -> Reduced:
    """The implementations of a generic function, and its other attributes."""
    attributes = {key: value for key, value in vars(fn).items() if key not in _GENERIC_ATTRIBUTES}
    return dict(fn.registry), attributes


def remade(obj: Any, own: Mapping[str, ModuleType], cached: Callable[..., Any]) -> Any:
    """How an object is pickled that is made anew; NotImplemented for any other.

    own: the modules of the flow. cached: the function that makes an empty cache.
    """
    reduce = _REDUCERS.get(type(obj))
    if reduce is not None:
        return reduce(obj)
    if type(obj) is _CACHE:
        if _is_importable(obj, own):
            return NotImplemented
        parameters = obj.cache_parameters()
        state = {
            key: value for key, value in vars(obj).items() if key not in ("cache_parameters", "__wrapped__")
        }
        return cached, (obj.__wrapped__, parameters["maxsize"], parameters["typed"]), state
    if type(obj) is typing.NewType:
        if _is_importable(obj, own):
            return NotImplemented
        return typing.NewType, (obj.__name__, obj.__supertype__), dict(vars(obj))
    fresh = _FRESH.get(type(obj))
    if fresh is not None and _is_held(obj, own.values()):
        return fresh(obj)
    return NotImplemented


def _is_importable(obj: Any, own: Mapping[str, ModuleType]) -> bool:
    return obj.__module__ not in own and "<locals>" not in obj.__qualname__ and obj.__module__ != "__main__"


def _context_variable(variable: contextvars.ContextVar[Any]) -> Reduced:
    try:
        default = contextvars.Context().run(variable.get)
    except LookupError:
        return contextvars.ContextVar, (variable.name,)
    return functools.partial(contextvars.ContextVar, variable.name, default=default), ()


def _cached_property(found: functools.cached_property[Any]) -> Reduced:
    state = {key: value for key, value in vars(found).items() if key not in ("func", "lock")}
    return functools.cached_property, (found.func,), state


def _partial_method(found: functools.partialmethod[Any]) -> Reduced:
    """From Python 3.14 on it takes what it calls as it is made, and not only as it is set up."""
    make = copyreg.__newobj__  # type: ignore[attr-defined]  # typeshed leaves it out
    return make, (type(found), found.func), dict(vars(found))


def _generic_method(found: functools.singledispatchmethod[Any]) -> Reduced:
    """Without the methods that it has bound, of which newer versions of Python keep a weak dictionary."""
    return functools.singledispatchmethod, (found.func,), {"dispatcher": found.dispatcher}


def _is_held(obj: Any, modules: Iterable[ModuleType]) -> bool:
    """Whether a module of the flow holds the object, or a class in one does."""
    for module in modules:
        for value in list(vars(module).values()):
            if value is obj:
                return True
            if isinstance(value, type) and any(each is obj for each in vars(value).values()):
                return True
    return False


_CACHE: Any = type(functools.lru_cache(lambda: None))

_REDUCERS: Mapping[type, Callable[[Any], Any]] = types.MappingProxyType(
    {
        contextvars.ContextVar: _context_variable,
        functools.cached_property: _cached_property,
        functools.partialmethod: _partial_method,
        functools.singledispatchmethod: _generic_method,
        threading.local: lambda found: (threading.local, ()),
    }
)

_FRESH: Mapping[type, Callable[[Any], Reduced]] = types.MappingProxyType(
    {
        type(threading.Lock()): lambda found: (threading.Lock, ()),
        type(threading.RLock()): lambda found: (threading.RLock, ()),
        threading.Condition: lambda found: (threading.Condition, ()),
        threading.Event: lambda found: (threading.Event, ()),
        threading.Semaphore: lambda found: (threading.Semaphore, (found._value,)),
        threading.BoundedSemaphore: lambda found: (threading.BoundedSemaphore, (found._initial_value,)),
        threading.Barrier: lambda found: (threading.Barrier, (found.parties,)),
        queue.Queue: lambda found: (queue.Queue, (found.maxsize,)),
        queue.SimpleQueue: lambda found: (queue.SimpleQueue, ()),
        weakref.WeakKeyDictionary: lambda found: (weakref.WeakKeyDictionary, ()),
        weakref.WeakSet: lambda found: (weakref.WeakSet, ()),
        weakref.WeakValueDictionary: lambda found: (weakref.WeakValueDictionary, ()),
    }
)
"""Objects of a process that a module makes once, and how a worker makes its own."""


def enum_parts(cls: Any, arguments: Reduced, state: Any) -> tuple[Reduced, Reduced]:
    """The arguments that cloudpickle makes an enum of, and the arguments of `restore_enum` behind its setter.

    Cloudpickle makes members anew from their values alone: names of aliases, what `__init__` or `__new__` set, and what
    a member is besides its value (bytes, a number) are left out. cls: an enum.
    """
    bases, name, qualname, values, *rest = arguments
    values = {each: _made_of(cls._member_type_, cls[each], value) for each, value in values.items()}
    attributes, slots = state
    attributes = {key: value for key, value in attributes.items() if key not in cls.__members__}
    members = [
        (each, member._name_, member._value_, _attributes_of(member))
        for each, member in cls.__members__.items()
    ]
    return (bases, name, qualname, values, *rest), ((attributes, slots), members)


def _made_of(kind: Any, member: enum.Enum, value: Any) -> Any:
    """What a member of an enum is made of. kind: what it is besides, `object` if nothing."""
    if kind in _PLAIN_TYPES:
        return kind.__getnewargs__(member)[0]
    if kind is not object and kind.__reduce__ is not object.__reduce__:  # a date, a Decimal
        made = kind.__reduce__(member)
        if isinstance(made, tuple) and len(made) == 2 and made[0] is type(member):
            return made[1]
    return enum.member(value) if hasattr(value, "__get__") else value  # else a function counts as a method


def _attributes_of(member: enum.Enum) -> dict[str, Any]:
    """What a member has besides what `enum` gives it, whose names begin and end with an underscore."""
    return {key: value for key, value in vars(member).items() if not (key[0] == key[-1] == "_")}
