"""The registry, on distributions that are really installed: what is found, and what is said if it is not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turgo.errors import (
    BrokenPluginError,
    ConfigError,
    NotAnExecutorError,
    UnknownExecutorError,
    UntrustedCodeError,
)


def test_a_wheel_that_pip_installed_is_found_and_its_executor_runs(
    site: Any, registry: Any, tmp_path: Path, pip_install: Callable[..., None]
) -> None:
    pip_install(site, tmp_path, "turgo-water-wheel", "water_wheel", "turgo_water_wheel")
    executor = registry().get_executor("Water-Wheel", blades=5)
    with executor.start():
        assert executor.wait(executor.map(abs, [-1, -2])) == [1, 2]
    assert executor.blades == 5


@pytest.mark.parametrize(
    ("text", "variables", "place"),
    [
        ('\nexecutor = "turbin"', {}, "turgo.toml, line 2, key 'executor'"),
        ("", {"TURGO_EXECUTOR": "turbin"}, "variable TURGO_EXECUTOR"),
        (
            'executor = "hpc"\n[executors.hpc]\nuse = "turbin"',
            {},
            "turgo.toml, line 3, key 'executors.hpc.use'",
        ),
        (
            'executor = "hpc"',
            {"TURGO_EXECUTORS__HPC__USE": "turbin"},
            "variable TURGO_EXECUTORS__HPC__USE",
        ),
    ],
)
def test_an_unknown_name_says_where_it_was_set(
    site: Any, registry: Any, text: str, variables: dict[str, str], place: str
) -> None:
    site.install_plugin("turbine")
    with pytest.raises(UnknownExecutorError) as caught:
        registry(text, **variables).get_executor()
    assert f"there is no executor 'turbin' (asked by {place}); " in str(caught.value)


@pytest.mark.parametrize("line", ['us = "turbine"', 'use = "hpc"'])
def test_a_profile_that_stands_for_nothing_is_said_to_need_a_use(registry: Any, line: str) -> None:
    """It has no `use`, or one that is its own name, and there is no plugin of that name."""
    with pytest.raises(
        UnknownExecutorError,
        match=r"no executor 'hpc'.*\(profile 'hpc', .*line 2.* names no other executor in its key 'use'\)",
    ):
        registry(f"[executors.hpc]\n{line}").get_executor("hpc")


def test_a_mapping_is_a_name_with_options(site: Any, registry: Any) -> None:
    site.install_plugin("turbine")
    executor = registry("[executors.turbine]\nblades = 5\nspeed = 2").get_executor(
        {"use": "turbine", "blades": 7}, name="east"
    )
    assert (executor.blades, executor.speed, executor.name) == (7, 2.0, "east")


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
    assert str(resolved.options["speed"].origin) == "turgo.toml, line 9, key 'executors.hpc.speed'"


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


ODD = """
from turgo import Executor

class Odd(Executor):
    {body}

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        raise NotImplementedError
"""


def odd(site: Any, body: str) -> None:
    """Install a plugin whose class does something that no executor should."""
    plugin = (
        "from turgo.executor import ExecutorSpec\nfrom turgo.hooks import hookimpl\n@hookimpl\n"
        "def turgo_executors(): yield ExecutorSpec(name='odd', target='odd_executor:Odd')"
    )
    site.install("odd-mills", {"odd.py": plugin, "odd_executor.py": ODD.format(body=body)}, {"odd": "odd"})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def __init__(self): 1 / 0", "cannot be made: ZeroDivisionError: division by zero"),
        ("def __init__(self): raise SystemExit(3)", "cannot be made: SystemExit: 3"),
        ("def __init__(self): raise RuntimeError", "cannot be made: RuntimeError"),
        ("capabilities = 'parallel'", "cannot be made: its capabilities are 'parallel', and no set of names"),
        ("capabilities = property(lambda self: 1 / 0)", "cannot be made: ZeroDivisionError"),
    ],
)
def test_what_a_plugin_does_when_it_is_made_is_a_sentence_with_its_distribution(
    site: Any, registry: Any, body: str, said: str
) -> None:
    """Whatever it raises, and whatever it says that it can do."""
    odd(site, body)
    with pytest.raises(BrokenPluginError) as caught:
        registry().get_executor("odd")
    assert str(caught.value).startswith(f"the executor 'odd', from odd-mills 1.0, {said}")
    assert caught.value.distribution == "odd-mills 1.0"


def test_a_class_whose_version_is_no_number_is_a_sentence(site: Any, registry: Any) -> None:
    """It is neither older nor newer than what is understood."""
    odd(site, "api_version = '2'")
    with pytest.raises(
        NotAnExecutorError, match=r"odd-mills 1\.0 is wrong.*api_version is '2', no whole number"
    ):
        registry().resolve("odd")


MINE = """
from turgo.executor import Executor

class Mine(Executor):
    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        raise NotImplementedError
"""


@pytest.mark.parametrize(
    "text",
    [
        'executor = "./mine.py:Mine"',
        'executor = "mine"\n[executors.mine]\nuse = "./mine.py:Mine"',
    ],
)
def test_code_that_a_file_of_others_names_is_not_run(registry: Any, project: Path, text: str) -> None:
    """A name of an installed executor is data; whoever names the file, or the class, trusts it."""
    (project / "mine.py").write_text(MINE)
    mine = registry(text)
    file = project / "turgo.toml"
    file.chmod(0o666)
    doubtful = registry(text)
    with pytest.raises(UntrustedCodeError, match=r"turgo.toml, line \d.* everybody may write to it"):
        doubtful.resolve(doubtful.config.executor.value, origin=doubtful.config.executor.origin)
    assert doubtful.resolve("./mine.py:Mine").cls.__name__ == "Mine"
    trusting = registry(text, TURGO_CONFIG=str(file))
    for each in (mine, trusting):
        assert (
            each.resolve(each.config.executor.value, origin=each.config.executor.origin).cls.__name__
            == "Mine"
        )
