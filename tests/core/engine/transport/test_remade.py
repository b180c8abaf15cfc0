"""Globals that are made anew on a worker."""

import contextvars
import functools
import sys
import threading
import typing
import weakref

import pytest

from turgo.engine.transport.remade import generic_state, is_generic, remade
from turgo.worker.code.definitions import empty_cache

LOCK, EVENT, BOUNDED = threading.Lock(), threading.Event(), threading.BoundedSemaphore(3)
LIVING, PARENTS, SEEN = weakref.WeakValueDictionary(), weakref.WeakKeyDictionary(), weakref.WeakSet()
REQUEST = contextvars.ContextVar("REQUEST", default="none")
UserId = typing.NewType("UserId", int)
OWN = {__name__: sys.modules[__name__]}


class Holder:
    lock = threading.RLock()


@functools.lru_cache(maxsize=7)
def cached(number):
    return number


@functools.singledispatch
def show(value):
    return "any"


@show.register
def _(value: int):
    return "int"


def made(obj):
    """What is made of the parts that an object is pickled as."""
    make, arguments, *_ = remade(obj, OWN, empty_cache)
    return make(*arguments)


@pytest.mark.parametrize(
    "obj",
    [LOCK, EVENT, BOUNDED, Holder.lock, LIVING, PARENTS, SEEN],
    ids=lambda obj: type(obj).__name__,
)
def test_what_a_module_or_class_holds_is_a_fresh_one(obj):
    """Of the same type."""
    assert type(made(obj)) is type(obj) and made(obj) is not obj


def test_a_lock_that_no_module_holds_is_not_made_anew():
    """It may be an argument, and two sides of it would be two locks."""
    assert remade(threading.Lock(), OWN, empty_cache) is NotImplemented


def test_a_cache_is_empty_and_as_large():
    """Whatever the driver's holds."""
    cached(1)
    copy = made(cached)
    assert copy(2) == 2 and copy.cache_info().currsize == 1 and copy.cache_parameters()["maxsize"] == 7


def test_a_cache_of_another_module_goes_by_its_name():
    """Workers have it, as it is installed."""
    assert remade(cached, {}, empty_cache) is NotImplemented


def test_a_context_variable_keeps_name_and_default():
    """Also one without a default."""
    copy = made(REQUEST)
    assert copy.name == "REQUEST" and copy.get() == "none"
    with pytest.raises(LookupError):
        made(contextvars.ContextVar("bare")).get()


def test_a_new_type_keeps_its_name_and_its_base():
    """As a type checker knows it."""
    copy = made(UserId)
    assert copy.__name__ == "UserId" and copy.__supertype__ is int


def test_a_generic_function_is_known_by_how_it_was_made():
    """Its implementations are its state."""
    assert is_generic(show) and not is_generic(cached) and not is_generic(made)
    registry, _ = generic_state(show)
    assert set(registry) == {object, int}


def test_a_generic_method_keeps_its_implementations():
    """Without what it has bound, of which Python 3.13 keeps a weak dictionary."""

    class River:
        @functools.singledispatchmethod
        def name(self, value):
            return "any"

        @name.register
        def _(self, value: int):
            return "int"

    make, arguments, state = remade(vars(River)["name"], OWN, empty_cache)
    method = make(*arguments)
    vars(method).update(state)
    River.again = method
    assert (River().again(1), River().again("s")) == ("int", "any")


def test_a_partial_method_keeps_what_it_was_given():
    """By position and by name."""

    class River:
        def flow(self, *args, **kwargs):
            return args, kwargs

        fast = functools.partialmethod(flow, 3, to="sea")

    make, arguments, state = remade(vars(River)["fast"], OWN, empty_cache)
    method = make(*arguments)
    vars(method).update(state)
    River.again = method
    assert River().again(4) == River().fast(4) == ((3, 4), {"to": "sea"})
