"""Text into values: the type that is declared decides."""

import datetime
import enum
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NewType

import pytest

from turgo.registry.options import convert_text

if TYPE_CHECKING:
    pass


class Colour(enum.Enum):
    RED = "r"
    BLUE = 2


Width = NewType("Width", int)


@pytest.mark.parametrize(
    ("written", "annotation", "value"),
    [
        ("4", int, 4),
        ("4", float, 4.0),
        (".5", float, 0.5),
        ("1e3", float, 1000.0),
        ("4", int | float, 4),
        ("4", str, "4"),
        ('"4"', str, '"4"'),
        ("4", str | int, 4),
        ('"4"', str | int, "4"),
        ("four", str | int, "four"),
        ("true", bool, True),
        ("No", bool, False),
        ("1", bool, True),
        ("1", int | bool, 1),
        ("none", int | None, None),
        ("null", str | None, None),
        ("none", str, "none"),
        ("4", int | None, 4),
        ("[1, 2]", list[int], [1, 2]),
        ("[1, 2]", tuple[int, ...], (1, 2)),
        ("[1, 'a']", tuple[int, str], (1, "a")),
        ("[1, 2]", set[int], {1, 2}),
        ("{a = 1}", dict[str, int], {"a": 1}),
        ("{a = 1}", Mapping[str, Any] | None, {"a": 1}),
        ('["a"]', list[Path], [Path("a")]),
        ("a/b", Path, Path("a/b")),
        ("4", int | Path, 4),
        ("a", str | Path, "a"),
        ("RED", Colour, Colour.RED),
        ("r", Colour, Colour.RED),
        ("2", Colour, Colour.BLUE),
        ("fast", Literal["fast", 2], "fast"),
        ("2", Literal["fast", 2], 2),
        ("2024-05-01", datetime.date, datetime.date(2024, 5, 1)),
        ("2024-05-01T10:00", datetime.datetime, datetime.datetime(2024, 5, 1, 10, 0)),  # noqa: DTZ001
        ("7", Width, 7),
        ("4", Any, 4),
        ("four", Any, "four"),
        ("[1", object, "[1"),
        ("False", Any, False),
        ("TRUE", object, True),
        ("off", Any, False),
        ("Yes", Any, True),
        ("None", Any, None),
        ("null", Any, None),
        ("1", Any, 1),
        ("'yes'", Any, "yes"),
        ("on", bool, True),
        ("OFF", bool | None, False),
        ("no", int | bool, False),
        ("on", str, "on"),
        ("on", int | str, "on"),
        ("", str, ""),
    ],
)
def test_text_becomes_the_value_that_the_type_admits(written: str, annotation: Any, value: object) -> None:
    converted = convert_text(written, annotation)
    assert (converted, type(converted)) == (value, type(value))


@pytest.mark.parametrize(
    ("written", "annotation", "said"),
    [
        ("four", int, "expected int, got 'four'"),
        ("1.5", int, "expected int, got '1.5'"),
        ("true", int, "expected int, got 'true'"),
        ("perhaps", bool, "expected bool"),
        ("none", int, "expected int, got 'none'"),
        ("", int | None, r"expected int \| None, got ''"),
        ("a,b", list[str], r"expected list\[str\], got 'a,b'"),
        ("['a']", list[int], r"expected list\[int\]"),
        ("[1]", dict[str, int], r"expected dict\[str, int\]"),
        ("[1, 2]", tuple[int], r"expected tuple\[int\]"),
        ("slow", Literal["fast", 2], r"expected Literal\['fast', 2\]"),
        ("GREEN", Colour, r"expected .*Colour \(RED, BLUE\), got 'GREEN'"),
        ("tomorrow", datetime.date, "expected datetime.date"),
        ("f", Callable[..., int], r"expected Callable\[\.\.\., int\]"),
        ("1\ny = 2", int, "expected int"),
        ("[" * 5000, list[int], r"expected list\[int\]"),
        ("9" * 5000, int, "expected int"),
        ("0x" + "f" * 5000, list[int], r"expected list\[int\], got '0xf"),
        ("[0x" + "f" * 5000 + "]", dict[str, int], r"expected dict\[str, int\]"),
    ],
)
def test_text_that_the_type_does_not_admit_is_refused_in_a_sentence(
    written: str, annotation: Any, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        convert_text(written, annotation)


def test_plain_types_are_checked_without_loading_the_type_checker() -> None:
    program = (
        "import sys; from turgo.registry.options import check_options\n"
        "class C:\n"
        "    def __init__(self, a: int | None = None, *, b: 'str' = '', c: float = 0.0): ...\n"
        "check_options(C, {'a': 1, 'b': 'x', 'c': 2})\n"
        "assert 'typeguard' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
