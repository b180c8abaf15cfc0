"""Keys: the same call has the same key, however its arguments are written; another one has another."""

import threading

import pytest

from turgo import task
from turgo.caching.keys import Keys
from turgo.errors import CacheKeyError, UnkeyedCallError
from turgo.flows.policy.options import CacheKey
from turgo.identity.code import Code


def scale(value, factor=2, *rest, offset=0, **more):
    return value * factor + offset


def plain(value, factor):
    return value * factor


def keys(fn=scale, name="scale", key: CacheKey = "inputs") -> Keys:
    return Keys(task(name=name, cache_key=key)(fn), Code())


def test_the_way_of_writing_does_not_count() -> None:
    """By place, by name, or left to the default: it is the same call."""
    maker = keys()
    assert maker.key_of([3], {}) == maker.key_of([], {"value": 3, "factor": 2}) == maker.key_of([3, 2], {})
    assert (
        len({maker.key_of(*call) for call in [([3], {}), ([4], {}), ([3], {"offset": 1}), ([3], {"a": 1})]})
        == 4
    )
    short = keys(plain)
    assert short.key_of([3, 4], {}) == short.key_of([3], {"factor": 4}) != short.key_of([4, 3], {})


def test_name_and_code_count() -> None:
    """Two tasks do not share values, even if their functions are alike; nor does a task with another function."""

    def other(value, factor=2, *rest, offset=0, **more):
        return value * factor - offset

    called = {keys().key_of([1], {}), keys(name="grow").key_of([1], {}), keys(fn=other).key_of([1], {})}
    assert len(called) == 3


def test_a_callable_gets_the_arguments_by_name_and_decides_alone() -> None:
    """What it leaves out does not count; defaults are there."""
    seen = []

    def by_value(arguments):
        seen.append(dict(arguments))
        return f"v{arguments['value']}"

    maker = keys(key=by_value)
    assert maker.key_of([1], {}) == maker.key_of([1], {"offset": 5}) != maker.key_of([2], {})
    assert seen[0] == {"value": 1, "factor": 2, "rest": (), "offset": 0, "more": {}}


def test_declared_variables_count_beside_what_a_callable_says(monkeypatch) -> None:
    """As the version does."""
    made = task(cache_key=lambda arguments: "same", env=["MODEL_HOME"])(plain)
    found = set()
    for value in ("1", "2", "2"):
        monkeypatch.setenv("MODEL_HOME", value)
        found.add(Keys(made, Code()).key_of([1, 2], {}))
    assert len(found) == 2


def test_the_keys_of_a_callable_are_scoped_by_the_task() -> None:
    """Two tasks whose callables return the same text do not share values; nor do equal names in different modules."""

    def other(value):
        return value

    other.__module__ = "elsewhere"

    def same(arguments):
        return "x"

    called = {
        keys(key=same).key_of([1], {}),
        keys(key=same, name="b").key_of([1], {}),
        keys(fn=other, key=same).key_of([1], {}),
    }
    assert len(called) == 3


def test_a_callable_may_key_what_has_no_digest() -> None:
    """Only its text is looked at, so a lock among the arguments, or in the function, does not matter."""
    lock = threading.Lock()

    def locked(value, lock=lock):
        with lock:
            return value

    maker = keys(fn=locked, key=lambda arguments: str(arguments["value"]))
    assert maker.key_of([1], {}) == maker.key_of([1, lock], {})


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (lambda arguments: 3, "returned 3; it has to return a text"),
        (lambda arguments: arguments["path"], "failed: KeyError: 'path'"),
    ],
)
def test_a_callable_that_brings_no_text_is_an_error(key: CacheKey, words: str) -> None:
    """The error says whose it is, and keeps the cause."""
    with pytest.raises(CacheKeyError, match=words) as caught:
        keys(key=key).key_of([1], {})
    assert str(caught.value).startswith("the cache_key of scale ")


def test_arguments_without_a_digest_are_named() -> None:
    """The message says which argument of which task it is."""
    with pytest.raises(UnkeyedCallError, match=r"scale is not cached: .* its argument 'factor', a lock"):
        keys().key_of([1, threading.Lock()], {})


def test_a_function_without_a_digest_is_named() -> None:
    """A closure over a lock."""
    lock = threading.Lock()
    with pytest.raises(UnkeyedCallError, match="no stable key can be made of its function"):
        keys(fn=lambda value: (value, lock)).key_of([1], {})


def test_an_object_that_can_be_called_counts_by_its_code_and_what_it_holds() -> None:
    """Two of one class with other values, and one of a class whose call does something else, are three."""

    class Scaler:
        def __init__(self, factor):
            self.factor = factor

        def __call__(self, value):
            return value * self.factor

    Scaler.__qualname__ = "Scaler"
    globals()["Scaler"] = Scaler
    try:
        first, second = (keys(fn=Scaler(factor), name="s").key_of([1], {}) for factor in (2, 3))
        Scaler.__call__ = lambda self, value: value + self.factor
        third = keys(fn=Scaler(2), name="s").key_of([1], {})
    finally:
        del globals()["Scaler"]
    assert len({first, second, third}) == 3
