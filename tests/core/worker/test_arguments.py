"""Templates: arguments that hold results, put together when their values are there."""

import subprocess
import sys
from typing import NamedTuple

import pytest

from turgo.worker.arguments import (
    CONST,
    DICT,
    FROZENSET,
    LIST,
    RECORD,
    RESULT,
    SET,
    TUPLE,
    fill,
    results_in,
)


class Pair(NamedTuple):
    left: object
    right: object


ONE, TWO = (RESULT, 1), (RESULT, 2)


@pytest.mark.parametrize(
    ("template", "value", "needs"),
    [
        ((CONST, [1]), [1], set()),
        (ONE, "one", {1}),
        ((LIST, (ONE, (CONST, 0))), ["one", 0], {1}),
        ((TUPLE, (ONE, TWO)), ("one", "two"), {1, 2}),
        ((SET, (ONE, ONE)), {"one"}, {1}),
        ((FROZENSET, (TWO,)), frozenset(["two"]), {2}),
        ((DICT, (("k", ONE), ("l", (LIST, (TWO,))))), {"k": "one", "l": ["two"]}, {1, 2}),
        ((RECORD, (ONE, TWO), Pair), Pair("one", "two"), {1, 2}),
    ],
)
def test_each_kind_is_filled_and_tells_what_it_needs(template, value, needs):
    """The value has the container's own type."""
    filled = fill(template, {1: "one", 2: "two"}.__getitem__)
    assert filled == value and type(filled) is type(value)
    assert results_in(template) == needs


def test_the_module_needs_nothing_but_the_standard_library():
    """It may be shipped to workers that have no turgo."""
    code = """
import sys, importlib.util, pathlib
place = importlib.util.find_spec("turgo")
before = set(sys.modules)
file = pathlib.Path(place.origin).parent / "worker/arguments.py"
exec(compile(file.read_text(), "templates", "exec"))
print(sorted(name for name in set(sys.modules) - before if name.partition(".")[0] not in sys.stdlib_module_names))
"""
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
