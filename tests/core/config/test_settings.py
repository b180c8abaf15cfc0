"""Settings: a value, its origin as a reader looks for it, and options over options."""

import pytest

from turgo.config.settings import Origin, Setting, overlay


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        (Origin("argument", "executor"), "argument executor"),
        (Origin("option", "--executor"), "option --executor"),
        (Origin("variable", "TURGO_DEBUG"), "variable TURGO_DEBUG"),
        (Origin("flow", "@flow(executor=…)"), "@flow(executor=…)"),
        (Origin("project file", "turgo.toml", "debug", 3), "turgo.toml, line 3, key 'debug'"),
        (Origin("user file", "turgo.toml"), "turgo.toml"),
        (Origin("default", "turgo"), "the default"),
    ],
)
def test_an_origin_prints_as_the_place_to_look_at(origin: Origin, shown: str) -> None:
    """Each kind is shown as a reader finds it: a parameter, an option, a variable, a line of a file."""
    assert str(origin) == shown


def test_an_origin_of_no_known_kind_is_refused() -> None:
    """The kinds are the order of precedence, so there is no other one."""
    with pytest.raises(ValueError, match="kind"):
        Origin("rumour", "somewhere")


def test_options_lie_over_options_key_by_key() -> None:
    """A mapping over a mapping keeps the keys below it; any other value replaces what is below."""
    low, high = Origin("user file", "low"), Origin("project file", "high")
    below = {"kwargs": Setting(("kwargs",), {"a": 1, "b": {"c": 2}}, low), "size": Setting(("size",), 1, low)}
    above = {"kwargs": Setting(("kwargs",), {"b": {"d": 3}}, high), "name": Setting(("name",), "x", high)}
    merged = overlay(below, above)
    assert merged["kwargs"].value == {"a": 1, "b": {"c": 2, "d": 3}}
    assert merged["kwargs"].origin == high
    assert (merged["size"].value, merged["name"].value) == (1, "x")
    assert below["kwargs"].value == {"a": 1, "b": {"c": 2}}
