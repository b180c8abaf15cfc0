"""Digests: equal values have the same one in every process, different values different ones."""

import functools
import operator
import os
import pickle
import subprocess
import sys
import threading
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path

import pytest

from turgo.identity.code import Code


def digest_of(value: object) -> str:
    """The digest of a value, with code in it by what that is made of."""
    return Code().digest(value)


SCRIPT = """
import functools
import sys
from datetime import date
from fractions import Fraction
from turgo.identity.code import Code

LIMIT = 3

def inner(x):
    return x < LIMIT

def outer(x, more=frozenset({"a", "b", "c"})):
    def deepest(y):
        return inner(y)
    return deepest(x), {"p", "q", "r"}

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def made(step):
    return lambda x: x + step

class Point:
    def __init__(self, x):
        self.x, self.tags = x, {str(n) for n in range(20)}

name = "shared" + str(len(sys.argv))
values = [
    {"x", "y", "z"}, {1: {("a", 1), ("b", 2)}}, [name, name], [name, "shared1"], Fraction(1, 3), date(2024, 5, 1),
    outer, fib, made(1), functools.partial(outer, 1, more={"k", "l"}), Point(3).tags, frozenset(map(str, range(50))),
]
print(*[Code().digest(value) for value in values])
"""


def digests_of_script(tmp_path: Path, seed: str, text: str = SCRIPT) -> list[str]:
    """What the script prints in a process of its own."""
    file = tmp_path / "script.py"
    file.write_text(text)
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, str(file)], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.split()


def test_a_digest_is_the_same_in_every_process(tmp_path: Path) -> None:
    """Sets, functions, closures and shared texts do not depend on the seed of hashes or on identities."""
    assert digests_of_script(tmp_path, "1") == digests_of_script(tmp_path, "2")


def test_comments_and_places_do_not_count(tmp_path: Path) -> None:
    """A function that moved down by some lines, with another comment in it, is the same."""
    moved = "# moved\n\n\n" + SCRIPT.replace("return inner(y)", "return inner(y)  # said")
    assert digests_of_script(tmp_path, "1") == digests_of_script(tmp_path, "1", moved)


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("x < LIMIT", "x <= LIMIT", {6, 9}),
        ("LIMIT = 3", "LIMIT = 4", {6, 9}),
        ('"p", "q"', '"p", "s"', {6, 9}),
        ("n < 2", "n < 3", {7}),
        ("x + step", "x - step", {8}),
        ("made(1)", "made(2)", {8}),
        ("outer, 1,", "outer, 2,", {9}),
        ('"k", "l"', '"k", "m"', {9}),
    ],
)
def test_a_change_of_what_a_function_is_made_of_counts(
    tmp_path: Path, old: str, new: str, changed: set[int]
) -> None:
    """Its code, that of functions of its module which it names, constants, defaults, and what a closure holds."""
    assert SCRIPT.count(old) == 1
    before, after = (digests_of_script(tmp_path, "1", text) for text in (SCRIPT, SCRIPT.replace(old, new)))
    assert {at for at, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]} == changed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ("a", b"a"),
        ([1, 2], (1, 2)),
        ([[1], 2], [1, [2]]),
        ({1, 2}, frozenset({1, 2})),
        ({1, 2}, {1, 2, 3}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 1}, OrderedDict(a=1)),
        (None, "None"),
        (Fraction(1, 2), 0.5),
        (operator.add, operator.sub),
        ("".join, ",".join),
    ],
)
def test_different_values_have_different_digests(one: object, other: object) -> None:
    """Types count, and so does the order of a dictionary, as a function may depend on it."""
    assert digest_of(one) != digest_of(other)


def test_closures_of_the_same_code_are_told_apart_within_one_value() -> None:
    """Two functions made by one are two, wherever they stand in a value."""

    def made(step: int) -> object:
        return lambda x: x + step

    assert digest_of([made(1), made(2)]) != digest_of([made(1), made(1)])


def test_arrays_count_by_what_they_hold() -> None:
    """Neither the layout in memory nor whether it may be written to; but the numbers, the type and the shape."""
    numpy = pytest.importorskip("numpy")
    array = numpy.arange(12.0).reshape(3, 4)
    frozen = pickle.loads(pickle.dumps(array))
    frozen.flags.writeable = False
    same = [array.copy(), numpy.asfortranarray(array), frozen, numpy.repeat(array, 2, axis=0)[::2]]
    assert {digest_of(each) for each in same} == {digest_of(array)}
    others = [array + 1, array.reshape(4, 3), array.astype("f4"), array.astype(object), array.astype(">f8")]
    assert len({digest_of(each) for each in [array, *others]}) == 6
    assert digest_of(numpy.array(3)) != digest_of(numpy.array([3]))
    assert digest_of([numpy.empty(0)]) != digest_of([numpy.empty(0, "i4")])


def test_what_cannot_be_pickled_has_no_digest() -> None:
    """A lock, a list that holds itself."""
    circle: list[object] = []
    circle.append(circle)
    for value in (threading.Lock(), circle, functools.partial(print, threading.Lock())):
        with pytest.raises((TypeError, ValueError, RecursionError)):
            digest_of(value)


def test_a_function_that_names_itself_has_a_digest() -> None:
    """Recursion through a closure does not go round for ever."""

    def down(n: int) -> int:
        return n and down(n - 1)

    assert digest_of(down) == digest_of(down)
