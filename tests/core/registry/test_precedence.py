"""Which executor is meant: by name, mapping, instance or class, through profiles, and with which options."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from turgo.errors import (
    ExecutorLookupError,
    NotAnExecutorError,
    OptionError,
)
from turgo.executor import Executor
from turgo.registry.precedence import choose_executor, get_executor

FILE = Path(__file__).with_name("own_executors.py").read_text()


@pytest.mark.parametrize("asked", [3, "", " ", b"dask", {}, {"use": 3}, {"address": "x"}, object()])
def test_what_names_no_executor_is_refused_and_nothing_is_fallen_back_to(registry: Any, asked: Any) -> None:
    with pytest.raises(ExecutorLookupError):
        registry().get_executor(asked)


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


def test_precedence_goes_from_the_argument_down_to_the_default(site: Any, registry: Any) -> None:
    for name in ("a", "b", "c", "d", "local"):
        site.install_plugin(name)
    everything = registry('executor = "d"', TURGO_EXECUTOR="c")
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
        TURGO_EXECUTORS__TURBINE__NAME="variable",
        TURGO_EXECUTORS__TURBINE__SPEED="2",
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


def test_without_a_configuration_the_one_of_the_current_folder_holds(project: Path) -> None:
    (project / "mine.py").write_text(FILE)
    (project / "turgo.toml").write_text('[executors.own]\nuse = "./mine.py:Mine"\nsize = 6')
    executor: Any = get_executor("own")
    assert executor.size == 6
    assert choose_executor(option="own", option_options={"size": "7"}).executor.size == 7  # type: ignore[attr-defined]


def test_a_failed_lookup_is_cheap_it_loads_no_executor_and_no_front_end(site: Any, project: Path) -> None:
    site.install_plugin("turbine")
    program = (
        "import sys\n"
        "from turgo.registry.precedence import get_executor\n"
        "from turgo.errors import UnknownExecutorError\n"
        "try: get_executor('turbin')\n"
        "except UnknownExecutorError as error: assert error.nearest == 'turbine', error\n"
        "else: raise SystemExit('found')\n"
        "heavy = {'dask', 'click', 'rich', 'typeguard', 'turgo_turbine'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    path = os.pathsep.join([str(site.folder), os.environ.get("PYTHONPATH", "")])
    environ = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, cwd=project, env=environ)
