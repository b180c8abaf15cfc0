"""Options: read from a constructor, converted from text, checked against their types."""

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from turgo.config.settings import Origin, Setting
from turgo.errors import OptionError
from turgo.registry.options import REQUIRED, check_options, option_specs

if TYPE_CHECKING:
    from decimal import Decimal


class Colour(enum.Enum):
    RED = "r"
    BLUE = 2


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
    return Setting((name,), value, Origin("project file", "turgo.toml", f"executors.x.{name}", 4))


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
        "turbine has no option 'baldes' (turgo.toml, line 4, key 'executors.x.baldes'); "
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
        ({"blades": from_file("blades", "3")}, r"expected int, got '3' \(turgo\.toml, line 4, key"),
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


@pytest.mark.parametrize(
    "key", ["turbine_kwargs..a", "turbine_kwargs.", "turbine_kwargs.a..b", "turbine_kwargs.a."]
)
def test_a_key_with_an_empty_part_is_refused(key: str) -> None:
    """Two dots in a row, or one at the end, are a slip and no key of that name."""
    with pytest.raises(OptionError, match=r"is no key of an option .*: write turbine_kwargs\.KEY"):
        check_options(Nested, {key: text(key, "1")})
