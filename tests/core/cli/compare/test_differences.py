"""Where two results differ, in the words of whoever reads them."""

import math
from fractions import Fraction
from typing import Any

import attrs
import pytest

from turgo.cli.compare.differences import differences


class Plain:
    """Has no `==` of its own."""

    def __init__(self, **facts: Any) -> None:
        self.__dict__.update(facts)


@attrs.define
class Odd:
    """Cannot be compared."""

    name: str = "odd"

    def __eq__(self, other: object) -> bool:
        raise ValueError("undecided")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": [1, 2.5, None]}, {"a": [1, 2.5, None]}),
        (math.nan, math.nan),
        ([math.nan, "x"], [math.nan, "x"]),
        ({1, 2}, {2, 1}),
        (Plain(x=[1], y=Plain(z=2)), Plain(x=[1], y=Plain(z=2))),
        (Fraction(1, 2), Fraction(2, 4)),
        ((), ()),
    ],
)
def test_what_is_equal_differs_nowhere(one: Any, other: Any) -> None:
    """NaN and NaN too, and objects with the same attributes."""
    assert differences(one, other) == []


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ({"mean": [1, 2]}, {"mean": [1, 3]}, "result['mean'][1] is 2 and 3"),
        ([1, 2], [1], "result has 2 elements and 1"),
        ([1], (1,), "result is [1], a list, and (1,), a tuple"),
        (True, 1, "result is True, a bool, and 1, a int"),
        ({"a": 1}, {"b": 1}, "result['a'] is in one of them alone"),
        (0.1 + 0.2, 0.3, "result is 0.30000000000000004 and 0.3 (in the last digits)"),
        (1.0, 2.0, "result is 1.0 and 2.0"),
        ({1, 2}, {1}, "result does not hold 2 in both"),
        (Plain(x=1), Plain(x=2), "vars(result)['x'] is 1 and 2"),
        (Odd(), Odd(), "result cannot be compared: ValueError: undecided"),
        ("oak", "ash", "result is 'oak' and 'ash'"),
    ],
)
def test_what_differs_is_named_by_its_place(one: Any, other: Any, said: str) -> None:
    """As one would write it."""
    assert differences(one, other)[0] == said


def test_few_differences_are_named_of_many() -> None:
    """Three say enough."""
    assert len(differences(list(range(1000)), list(range(1, 1001)))) == 3


def test_what_holds_itself_is_compared_all_the_same() -> None:
    """Without an end it would not be."""
    one: list[Any] = [1]
    other: list[Any] = [1]
    one.append(one)
    other.append(other)
    assert differences(one, other) == []
