"""Options: read from a constructor, converted from text, checked against their types."""

import datetime
import enum
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NewType

import pytest

from penstock.errors import OptionError
from penstock.options import REQUIRED, check_options, convert_text, option_specs
from penstock.settings import Origin, Setting

if TYPE_CHECKING:
    from decimal import Decimal


class Colour(enum.Enum):
    RED = "r"
    BLUE = 2


Width = NewType("Width", int)


class Turbine:
    """Turns.

    Options:
        blades: how many it has,
            all of one length
        speed (float): turns a second
    """

    def __init__(
        self,
        blades: int = 3,
        *,
        speed: float | None = None,
        colour: Colour = Colour.RED,
        where: Path | None = None,
        kwargs: dict[str, Any] | None = None,
        sizes: tuple[int, ...] = (),
        price: "Decimal | None" = None,
    ) -> None:
        """`where` -- the place"""


class Open(Turbine):
    """Takes more.

    more: whatever is known to the library behind
    """

    def __init__(self, blades: int, **more: int) -> None:
        super().__init__(blades)


class Bare:
    pass


def text(name: str, value: str) -> Setting:
    return Setting((name,), value, Origin("option", f"-o {name}"), text=True)


def from_file(name: str, value: object) -> Setting:
    return Setting((name,), value, Origin("project file", "penstock.toml", f"executors.x.{name}", 4))


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
        ("GREEN", Colour, "expected .*Colour, got 'GREEN'"),
        ("tomorrow", datetime.date, "expected datetime.date"),
        ("f", Callable[..., int], r"expected Callable\[\.\.\., int\]"),
        ("1\ny = 2", int, "expected int"),
    ],
)
def test_text_that_the_type_does_not_admit_is_refused_in_a_sentence(
    written: str, annotation: Any, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        convert_text(written, annotation)


def test_options_are_read_from_the_signature_and_their_meaning_from_the_docstring() -> None:
    specs = {spec.name: spec for spec in option_specs(Turbine)}
    assert list(specs) == ["blades", "speed", "colour", "where", "kwargs", "sizes", "price"]
    assert (specs["blades"].type, specs["blades"].default) == ("int", 3)
    assert specs["blades"].meaning == "how many it has, all of one length"
    assert (specs["speed"].type, specs["speed"].meaning) == ("float | None", "turns a second")
    assert specs["where"].meaning == "the place"
    assert specs["colour"].meaning == ""


def test_a_type_that_only_the_type_checker_can_name_is_not_checked() -> None:
    assert check_options(Turbine, {"price": "dear"}) == {"price": "dear"}


def test_a_class_that_takes_further_names_says_so_and_gets_them() -> None:
    *_, more = option_specs(Open)
    assert (more.name, more.kind, more.meaning) == (
        "more",
        "others",
        "whatever is known to the library behind",
    )
    assert option_specs(Open)[0].default is REQUIRED
    assert check_options(Open, {"blades": 2, "width": text("width", "7"), "a.b": 1}) == {
        "blades": 2,
        "width": 7,
        "a.b": 1,
    }


def test_a_class_without_constructor_has_no_options() -> None:
    assert option_specs(Bare) == []
    with pytest.raises(OptionError, match="Bare has no option 'x'; it has none"):
        check_options(Bare, {"x": 1})


def test_text_is_converted_a_file_is_fitted_and_code_is_only_checked() -> None:
    checked = check_options(
        Turbine,
        {
            "blades": text("blades", "5"),
            "speed": from_file("speed", 2),
            "colour": from_file("colour", "BLUE"),
            "where": from_file("where", "a/b"),
            "sizes": from_file("sizes", [1, 2]),
            "kwargs": {"a": 1},
        },
    )
    assert checked == {
        "blades": 5,
        "speed": 2.0,
        "colour": Colour.BLUE,
        "where": Path("a/b"),
        "sizes": (1, 2),
        "kwargs": {"a": 1},
    }
    with pytest.raises(OptionError, match=r"'where' of Turbine: expected Path \| None, got 'a'"):
        check_options(Turbine, {"where": "a"})


def test_an_unknown_option_is_named_with_its_place_and_the_nearest_one() -> None:
    with pytest.raises(OptionError) as caught:
        check_options(Turbine, {"baldes": from_file("baldes", 4)}, executor="turbine")
    assert str(caught.value) == (
        "turbine has no option 'baldes' (penstock.toml, line 4, key 'executors.x.baldes'); "
        "it has blades, speed, colour, where, kwargs, sizes, price; did you mean 'blades'?"
    )
    assert (caught.value.option, caught.value.executor, caught.value.nearest) == (
        "baldes",
        "turbine",
        "blades",
    )


class Nested:
    """Options that are mappings.

    turbine_kwargs: what the turbine is made with (`blades`, `pitch` …).
    label: a text with `blades`, which has no keys.
    """

    def __init__(self, turbine_kwargs: dict[str, Any] | None = None, label: str = "") -> None: ...


@pytest.mark.parametrize(
    ("option", "near"), [("pitch", "turbine_kwargs.pitch"), ("lable", "label"), ("x", None)]
)
def test_an_unknown_option_that_is_a_key_of_a_mapping_is_told_with_its_path(
    option: str, near: str | None
) -> None:
    """Where the docstring of the executor names it as one."""
    with pytest.raises(OptionError) as caught:
        check_options(Nested, {option: 1})
    assert caught.value.nearest == near
    assert str(caught.value).endswith(f"did you mean {near!r}?" if near else "turbine_kwargs, label")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"blades": "three"}, r"option 'blades' of turbine: expected int, got 'three'$"),
        ({"blades": True}, r"expected int, got True$"),
        ({"blades": text("blades", "three")}, r"expected int, got 'three' \(option -o blades\)"),
        ({"blades": from_file("blades", "3")}, r"expected int, got '3' \(penstock\.toml, line 4, key"),
        ({"kwargs": {1: 2}}, r"expected dict\[str, Any\] \| None, got \{1: 2\}"),
        ({"sizes": (1, "a")}, r"expected tuple\[int, \.\.\.\]"),
    ],
)
def test_an_ill_typed_option_is_named_with_type_value_and_place(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        check_options(Turbine, given, executor="turbine")


def test_an_option_that_is_needed_and_missing_is_named() -> None:
    with pytest.raises(OptionError, match=r"Open needs the option 'blades' \(int\)"):
        check_options(Open, {})


def test_a_name_with_dots_sets_one_key_in_a_mapping() -> None:
    given = {"kwargs.a.b": text("kwargs.a.b", "2"), "kwargs": from_file("kwargs", {"c": 1, "a": {"d": 3}})}
    assert check_options(Turbine, given) == {"kwargs": {"c": 1, "a": {"b": 2, "d": 3}}}
    with pytest.raises(OptionError, match="'blades' of Turbine is 4, no mapping: 'a' cannot be set in it"):
        check_options(Turbine, {"blades": 4, "blades.a": text("blades.a", "1")})
    with pytest.raises(OptionError, match="did you mean 'kwargs'"):
        check_options(Turbine, {"kwarg.a": text("kwarg.a", "1")})


def test_plain_types_are_checked_without_loading_the_type_checker() -> None:
    program = (
        "import sys; from penstock.options import check_options\n"
        "class C:\n"
        "    def __init__(self, a: int | None = None, *, b: 'str' = '', c: float = 0.0): ...\n"
        "check_options(C, {'a': 1, 'b': 'x', 'c': 2})\n"
        "assert 'typeguard' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
