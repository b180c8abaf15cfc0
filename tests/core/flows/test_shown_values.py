"""How values are shown: short, and without running any code of theirs."""

import dataclasses
import datetime
import enum
import pathlib
import sys
from typing import Any, NamedTuple

import attrs
import pytest

from turgo.flows.shown_values import (
    ARGUMENTS_CHARACTERS,
    VALUE_CHARACTERS,
    Words,
    one_line,
    shortened,
    shown_arguments,
    shown_value,
)


@dataclasses.dataclass
class Station:
    """With a field that its repr leaves out, and one that is named like a password."""

    code: str
    height: float
    cache: Any = dataclasses.field(default=None, repr=False)
    api_key: str = "hush"


@attrs.define
class Gauge:
    """With slots."""

    station: Station
    limits: tuple[int, int]


class Point(NamedTuple):
    """A named tuple."""

    x: int
    y: str


class Colour(enum.Enum):
    """An enumeration."""

    RED = "#f00"


class Loud(str):
    """A text whose methods are its author's."""

    def __repr__(self) -> str:
        raise AssertionError("its repr was called")

    __str__ = __len__ = __getitem__ = __format__ = __iter__ = __repr__  # type: ignore[assignment]


class Liar:
    """Claims to be something else, and fails at every touch."""

    @property
    def __class__(self) -> Any:
        raise AssertionError("it was asked what it is")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"it was asked for {name}")

    def __repr__(self) -> str:
        raise AssertionError("its repr was called")

    __str__ = __repr__


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "None"),
        (True, "True"),
        (-7, "-7"),
        (10**5000, "<int of 16,610 bits>"),
        (1.5, "1.5"),
        ("data/f137.txt", "'data/f137.txt'"),
        ("two\nlines\x1b[31m", r"'two\nlines\x1b[31m'"),
        (Loud("loud"), "'loud'"),
        (pathlib.PurePosixPath("data/f137.txt"), "'data/f137.txt'"),
        (datetime.date(2024, 2, 29), "2024-02-29"),
        (b"abc", "b'abc'"),
        (b"x" * 5000, "<5,000 bytes>"),
        ([], "[]"),
        ([1, 2, 3], "[1, 2, 3]"),
        ([1, [2, [3, [4]]]], "[1, [2, […]]]"),
        (list(range(200)), "[0, 1, 2, … 197 more]"),
        (range(5), "range(0, 5)"),
        ((1,), "(1,)"),
        (set(), "set()"),
        ({"a": 1, "password": "hush"}, "{'a': 1, 'password': …}"),
        (Point(1, "b"), "Point(x=1, y='b')"),
        (Station("K7", 3.5, [1] * 9), "Station(code='K7', height=3.5, api_key=…)"),
        (Gauge(Station("K7", 3.5), (1, 2)), "Gauge(station=Stati…, api_key=…), limits=(1, 2))"),
        (Colour.RED, "Colour.RED"),
        (Station, "<class Station>"),
        (shown_value, "<function shown_value>"),
        (len, "<function len>"),
        (Liar(), "<Liar>"),
        (ValueError("no"), "<ValueError>"),
        (Words("<value of load[3], on a worker>"), "<value of load[3], on a worker>"),
    ],
    ids=lambda value: "",
)
def test_a_value_is_shown_by_what_python_knows_of_it(value: Any, expected: str) -> None:
    """Texts, numbers, collections, records; of any other object its class."""
    assert shown_value(value) == expected


def test_a_long_value_loses_its_middle() -> None:
    """Both ends are seen, the last one better: that is where the names of files differ."""
    path = f"/data/{'very/' * 100}long/f137.txt"
    text = shown_value(path)
    assert text.startswith("'/data/") and text.endswith("/long/f137.txt'") and "…" in text
    assert len(text) <= VALUE_CHARACTERS and len(shown_value([path] * 100)) <= VALUE_CHARACTERS
    assert shortened("abcdefghij", 5) == "a…hij" and shortened("abcde", 5) == "abcde"


def test_a_list_that_holds_itself_and_a_deep_one_are_shown() -> None:
    """The depth is bounded."""
    endless: list[Any] = []
    endless.append(endless)
    assert shown_value(endless) == "[[[…]]]"
    deep: list[Any] = []
    for _ in range(sys.getrecursionlimit() * 2):
        deep = [deep]
    assert shown_value(deep) == "[[[…]]]"


def test_arrays_are_shown_by_their_shape() -> None:
    """And numbers of numpy as numbers."""
    numpy = pytest.importorskip("numpy")
    assert shown_value(numpy.zeros((200, 4))) == "<ndarray 200x4>"
    assert shown_value(numpy.int64(7)) == "7" and shown_value(numpy.float64(1.5)) == "1.5"


def test_arguments_are_shown_by_name_and_those_like_passwords_are_not() -> None:
    """In one bounded line."""
    assert shown_arguments([("path", "a.txt"), ("limit", 3)]) == "path='a.txt', limit=3"
    assert shown_arguments([("db_password", "hush"), ("Token", 1)]) == "db_password=…, Token=…"
    many = shown_arguments([(f"argument_{number}", "x" * 50) for number in range(50)])
    assert len(many) == ARGUMENTS_CHARACTERS and many.startswith("argument_0=")


def test_a_text_of_anybodys_becomes_part_of_one_line() -> None:
    """Line ends, tabs and what steers a terminal are blanks."""
    assert one_line("one\n\ttwo \x1b[31m\u202ethree ") == "one two [31m three"
    assert len(one_line("x" * 10**6)) == 60
