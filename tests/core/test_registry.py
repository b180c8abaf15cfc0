"""The registry, on distributions that are really installed: what is found, and what is said if it is not."""

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.catalogue import known_executors
from penstock.errors import (
    BrokenPluginError,
    DuplicateExecutorError,
    ExecutorNotInstalledError,
    NotAnExecutorError,
    UnknownExecutorError,
    UsageError,
)
from penstock.registry import Registry, choose_executor, get_executor
from penstock.settings import Origin

OPTION = Origin("option", "--executor")
HOOK = "from penstock.executor import ExecutorSpec\nfrom penstock.hooks import hookimpl\n@hookimpl\n"
FILE = Path(__file__).with_name("own_executors.py").read_text()


def test_names_are_read_from_metadata_normalised_and_nothing_is_imported(site: Any, registry: Any) -> None:
    site.install_plugin("turbine")
    site.install("windmills", {}, {"Wind-Mill": "gone.plugin"})
    assert registry().names() == ("turbine", "wind_mill")
    assert "penstock_turbine" not in sys.modules


def test_a_wheel_that_pip_installed_is_found_and_its_executor_runs(
    site: Any, registry: Any, tmp_path: Path, pip_install: Callable[..., None]
) -> None:
    pip_install(site, tmp_path, "penstock-water-wheel", "water_wheel", "penstock_water_wheel")
    executor = registry().get_executor("Water-Wheel", blades=5)
    with executor.start():
        assert executor.wait(executor.map(abs, [-1, -2])) == [1, 2]
    assert executor.blades == 5


def test_loading_one_plugin_imports_no_other_and_no_executor(site: Any, registry: Any) -> None:
    site.install_plugin("turbine")
    site.install_plugin("windmill")
    assert registry().spec("turbine").target == "penstock_turbine.executor:TurbineExecutor"
    assert "penstock_turbine.plugin" in sys.modules
    assert "penstock_turbine.executor" not in sys.modules
    assert "penstock_windmill" not in sys.modules


def test_listing_imports_light_modules_and_keeps_the_broken_one_apart(site: Any, registry: Any) -> None:
    site.install_plugin("turbine", version="2.1")
    site.install("broken-mill", {"broken_mill.py": "import no_such_thing"}, {"mill": "broken_mill"})
    site.install_plugin("turbine", distribution="rival", package="rival")
    records = {(record.name, record.distribution): record for record in registry().plugins()}
    mill = records["mill", "broken-mill"]
    assert (mill.spec, mill.broken) == (None, "ModuleNotFoundError: No module named 'no_such_thing'")
    mine, rival = records["turbine", "penstock-turbine"], records["turbine", "rival"]
    assert (mine.version, mine.duplicate, rival.duplicate, mill.duplicate) == ("2.1", True, True, False)
    assert mine.spec is not None
    assert mine.spec.summary == "turns"
    assert "penstock_turbine.executor" not in sys.modules


def test_an_unknown_name_says_what_was_asked_where_what_exists_and_what_was_meant(
    site: Any, registry: Any
) -> None:
    site.install_plugin("turbine")
    site.install_plugin("windmill")
    with pytest.raises(UnknownExecutorError) as caught:
        registry('executors.hpc.use = "turbine"').resolve("turbin", origin=OPTION)
    assert str(caught.value) == (
        "there is no executor 'turbin' (asked by option --executor); there are hpc, turbine, windmill; "
        "did you mean 'turbine'?"
    )
    assert isinstance(caught.value, UsageError)
    assert (caught.value.asked, caught.value.origin, caught.value.nearest) == (
        "turbin",
        "option --executor",
        "turbine",
    )
    assert caught.value.known == ("hpc", "turbine", "windmill")


@pytest.mark.parametrize(
    ("text", "variables", "place"),
    [
        ('\nexecutor = "turbin"', {}, "penstock.toml, line 2, key 'executor'"),
        ("", {"PENSTOCK_EXECUTOR": "turbin"}, "variable PENSTOCK_EXECUTOR"),
        (
            'executor = "hpc"\n[executors.hpc]\nuse = "turbin"',
            {},
            "penstock.toml, line 3, key 'executors.hpc.use'",
        ),
        (
            'executor = "hpc"',
            {"PENSTOCK_EXECUTORS__HPC__USE": "turbin"},
            "variable PENSTOCK_EXECUTORS__HPC__USE",
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


def test_a_known_executor_that_is_absent_comes_with_the_line_that_installs_it(registry: Any) -> None:
    with pytest.raises(ExecutorNotInstalledError) as caught:
        registry().resolve("Local-Dask", origin=OPTION)
    assert str(caught.value) == (
        "executor 'Local-Dask' is not installed (asked by option --executor); none is installed. "
        "To have it: pip install penstock-local-dask"
    )
    assert caught.value.install == "pip install penstock-local-dask"
    with pytest.raises(ExecutorNotInstalledError, match="pip install penstock-dask"):
        registry().resolve("penstock-dask/dask")
    with pytest.raises(
        UnknownExecutorError, match=r"did you mean 'dask'\? It is not installed: pip install penstock-dask"
    ):
        registry().resolve("daks")


def test_the_catalogue_is_complete_and_normalised() -> None:
    known = known_executors()
    assert {"local", "local_dask", "dask"} <= set(known)
    for name, entry in known.items():
        assert entry.name == name
        assert entry.package
        assert entry.summary


def test_two_distributions_with_one_name_are_both_named_and_either_can_be_picked(
    site: Any, registry: Any
) -> None:
    site.install_plugin("turbine")
    site.install_plugin("turbine", distribution="Rival.Turbines", package="rival")
    with pytest.raises(DuplicateExecutorError) as caught:
        registry().resolve("turbine", origin=OPTION)
    assert sorted(caught.value.distributions) == ["Rival.Turbines", "penstock-turbine"]
    assert "ask for " in str(caught.value)
    assert "penstock-turbine/turbine" in str(caught.value)
    assert "penstock_turbine.plugin" not in sys.modules
    assert registry().resolve("Penstock_Turbine/turbine").cls.__module__ == "penstock_turbine.executor"
    picked = registry('[executors.turbine]\nuse = "rival-turbines/turbine"\nblades = 7').resolve("turbine")
    assert picked.cls.__module__ == "rival.executor"
    assert picked.build().blades == 7
    with pytest.raises(UnknownExecutorError, match=r"did you mean 'penstock-turbine/turbine'\?"):
        registry().resolve("penstock-turbin/turbine")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing'"),
        ("def (", r"SyntaxError: invalid syntax \(mill\.py, line 1\)"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (
            "def penstock_executors(): return []",
            "mill does not implement the hook penstock_executors under @hookimpl",
        ),
        (
            HOOK + "def penstock_executors(): yield ExecutorSpec(name='other', target='a:B')",
            r"mill was to describe an executor 'mill' and describes 'other'",
        ),
        (HOOK + "def penstock_executors(): yield 3", "yields 3, which is no ExecutorSpec"),
        (HOOK + "def penstock_executors(): yield 1 / 0", "ZeroDivisionError: division by zero"),
        (HOOK + "def penstock_executors(wrong): yield", "PluginValidationError"),
        (
            HOOK + "def penstock_executors():\n"
            " yield ExecutorSpec(name='mill', target='a:B', capabilities={'flies'})",
            r"ValueError: unknown capabilities \['flies'\]",
        ),
    ],
)
def test_a_plugin_that_does_not_load_is_named_with_its_distribution_and_the_reason(
    site: Any, registry: Any, source: str, reason: str
) -> None:
    site.install("broken-mill", {"mill.py": source}, {"mill": "mill"})
    with pytest.raises(BrokenPluginError, match=reason) as caught:
        registry().resolve("mill", origin=OPTION)
    said = "the plugin of executor 'mill', from broken-mill 1.0, does not load (asked by option --executor): "
    assert str(caught.value).startswith(said)
    assert caught.value.distribution == "broken-mill"


@pytest.mark.parametrize(
    ("target", "source", "error", "said"),
    [
        (
            "mill_executor:Mill",
            "import no_such_thing",
            BrokenPluginError,
            "from broken-mill 1.0, .*No module named 'no_such_thing'.*pip install --upgrade broken-mill",
        ),
        ("gone.executor:Mill", "", BrokenPluginError, "there is no module 'gone'"),
        ("mill_executor:Mill", "", BrokenPluginError, "has no 'Mill'.*; it holds no executor"),
        ("mill executor", "", BrokenPluginError, "'mill executor' is no class path"),
        (
            "mill_executor:Mill",
            "class Mill: pass",
            NotAnExecutorError,
            "the plugin of broken-mill 1.0 is wrong.*no subclass of penstock.Executor",
        ),
    ],
)
def test_a_target_that_leads_to_no_executor_is_the_fault_of_its_distribution(
    site: Any, registry: Any, target: str, source: str, error: type[Exception], said: str
) -> None:
    plugin = f"{HOOK}def penstock_executors(): yield ExecutorSpec(name='mill', target={target!r})"
    site.install("broken-mill", {"mill.py": plugin, "mill_executor.py": source}, {"mill": "mill"})
    with pytest.raises(error, match=said):
        registry().resolve("mill", origin=OPTION)


def test_without_a_configuration_the_one_of_the_current_folder_holds(project: Path) -> None:
    (project / "mine.py").write_text(FILE)
    (project / "penstock.toml").write_text('[executors.own]\nuse = "./mine.py:Mine"\nsize = 6')
    executor: Any = get_executor("own")
    assert executor.size == 6
    assert choose_executor(option="own", option_options={"size": "7"}).executor.size == 7  # type: ignore[attr-defined]


def test_a_failed_lookup_is_cheap_it_loads_no_executor_and_no_front_end(site: Any, project: Path) -> None:
    site.install_plugin("turbine")
    program = (
        "import sys\n"
        "from penstock.registry import get_executor\n"
        "from penstock.errors import UnknownExecutorError\n"
        "try: get_executor('turbin')\n"
        "except UnknownExecutorError as error: assert error.nearest == 'turbine', error\n"
        "else: raise SystemExit('found')\n"
        "heavy = {'dask', 'click', 'rich', 'typeguard', 'penstock_turbine'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    path = os.pathsep.join([str(site.folder), os.environ.get("PYTHONPATH", "")])
    environ = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, cwd=project, env=environ)


def test_the_same_distribution_seen_twice_on_the_path_is_no_duplicate(
    site: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install_plugin("turbine")
    monkeypatch.syspath_prepend(str(site.folder / ".." / "site"))
    registry = Registry(entry_points=importlib.metadata.entry_points)
    assert registry.resolve("turbine").cls.__name__ == "TurbineExecutor"
