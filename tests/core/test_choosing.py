"""Which executor is meant: by name, mapping, instance or class, through profiles, and with which options."""

from pathlib import Path
from typing import Any

import pytest

from penstock.errors import (
    ConfigError,
    ExecutorLookupError,
    NotAnExecutorError,
    OptionError,
)
from penstock.executor import Executor

FILE = Path(__file__).with_name("own_executors.py").read_text()


@pytest.mark.parametrize("asked", [3, "", " ", b"dask", {}, {"use": 3}, {"address": "x"}, object()])
def test_what_names_no_executor_is_refused_and_nothing_is_fallen_back_to(registry: Any, asked: Any) -> None:
    with pytest.raises(ExecutorLookupError):
        registry().get_executor(asked)


def test_a_mapping_is_a_name_with_options(site: Any, registry: Any) -> None:
    site.install_plugin("turbine")
    executor = registry("[executors.turbine]\nblades = 5\nspeed = 2").get_executor(
        {"use": "turbine", "blades": 7}, name="east"
    )
    assert (executor.blades, executor.speed, executor.name) == (7, 2.0, "east")


def test_an_instance_and_a_class_pass_through(registry: Any, project: Path) -> None:
    (project / "mine.py").write_text(FILE)
    cls = registry().resolve("./mine.py:Mine").cls
    assert registry().get_executor(cls, size=4).size == 4
    instance = cls()
    assert registry().get_executor(instance) is instance
    with pytest.raises(OptionError, match="size cannot be set: the executor is made already"):
        registry().get_executor(instance, size=4)
    with pytest.raises(NotAnExecutorError):
        registry().get_executor(dict)
    with pytest.raises(NotAnExecutorError):
        registry().get_executor(Executor)


def test_profiles_that_use_profiles_merge_and_the_nearer_one_wins(site: Any, registry: Any) -> None:
    site.install_plugin("turbine")
    config = """
        [executors.big]
        use = "Hpc"
        blades = 9
        kwargs = { b = 2 }
        [executors.hpc]
        use = "turbine"
        blades = 7
        speed = 1.5
        kwargs = { a = 1, b = 1 }
        [executors.turbine]
        name = "default"
    """
    executor = registry(config).get_executor("big")
    assert (executor.blades, executor.speed, executor.name) == (9, 1.5, "default")
    assert executor.kwargs == {"a": 1, "b": 2}
    resolved = registry(config).resolve("big")
    assert resolved.name == "big"
    assert str(resolved.options["speed"].origin) == "penstock.toml, line 9, key 'executors.hpc.speed'"


def test_profiles_in_a_circle_are_an_error(registry: Any) -> None:
    with pytest.raises(ConfigError, match="in a circle: a -> b -> a"):
        registry('executors.a.use = "b"\nexecutors.b.use = "a"').get_executor("a")


def test_the_debug_of_the_configuration_reaches_an_executor_that_has_the_option(
    site: Any, registry: Any
) -> None:
    site.install_plugin("turbine")
    assert registry().get_executor("turbine").debug is None
    assert registry("debug = true").get_executor("turbine").debug is True
    assert registry("debug = true\nexecutors.turbine.debug = false").get_executor("turbine").debug is False


def test_precedence_goes_from_the_argument_down_to_the_default(site: Any, registry: Any) -> None:
    for name in ("a", "b", "c", "d", "local"):
        site.install_plugin(name)
    everything = registry('executor = "d"', PENSTOCK_EXECUTOR="c")
    assert everything.choose(argument="a", option="b", flow_default="d").name == "a"
    chosen = everything.choose(option="b", flow_default="d")
    assert (chosen.name, str(chosen.origin)) == ("b", "option --executor")
    assert everything.choose(flow_default="a").name == "c"
    chosen = registry('executor = "d"').choose(flow_default="a")
    assert (chosen.name, str(chosen.origin)) == ("a", "@flow(executor=…)")
    assert registry('executor = "d"').choose().name == "d"
    assert registry().choose().name == "local"


def test_options_have_the_same_precedence_each_for_itself(site: Any, registry: Any) -> None:
    site.install_plugin("turbine")
    made = registry(
        "[executors.turbine]\nblades = 1\nspeed = 1\nname = 'file'\nsite = 'file'",
        PENSTOCK_EXECUTORS__TURBINE__NAME="variable",
        PENSTOCK_EXECUTORS__TURBINE__SPEED="2",
    )
    flow_default = {"use": "turbine", "name": "flow", "site": Path("flow")}
    executor: Any = made.choose(flow_default=flow_default).executor
    assert (executor.blades, executor.speed) == (1, 2.0)
    assert (executor.name, executor.site) == ("variable", Path("flow"))
    executor = made.choose(
        flow_default=flow_default,
        option_options={"speed": "3", "blades": "3", "kwargs.a.b": "4"},
        argument_options={"blades": 4},
    ).executor
    assert (executor.blades, executor.speed, executor.kwargs) == (4, 3.0, {"a": {"b": 4}})
    executor = made.choose(
        option="turbine", option_options={"kwargs.a": "4"}, argument_options={"kwargs": {"c": 1}}
    ).executor
    assert executor.kwargs == {"c": 1}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bladse": "4"}, r"turbine has no option 'bladse' \(option -o bladse\); .*did you mean 'blades'\?"),
        ({"blades": "four"}, r"option 'blades' of turbine: expected int, got 'four' \(option -o blades\)"),
        (
            {"blades": "13"},
            r"turbine refuses its options \(blades=13\): ValueError: thirteen blades bring bad luck",
        ),
    ],
)
def test_a_wrong_option_is_found_before_anything_starts(
    site: Any, registry: Any, options: dict[str, str], said: str
) -> None:
    site.install_plugin("turbine")
    with pytest.raises(OptionError, match=said):
        registry().choose(option="turbine", option_options=options)
