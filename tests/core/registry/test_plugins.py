"""Installed plugins: names from metadata alone, one light module at a time, and whose fault a broken one is."""

import sys
from pathlib import Path
from typing import Any

import pytest

from turgo.config.settings import Origin
from turgo.errors import (
    ApiVersionError,
    BrokenPluginError,
    DuplicateExecutorError,
    ExecutorNotInstalledError,
    NotAnExecutorError,
    UnknownExecutorError,
    UsageError,
)
from turgo.executor import API_VERSION
from turgo.registry.resolve import Registry

OPTION = Origin("option", "--executor")
FILE = Path(__file__).with_name("own_executors.py").read_text()


HOOK = "from turgo.executor import ExecutorSpec\nfrom turgo.hooks import hookimpl\n@hookimpl\n"


def test_names_are_read_from_metadata_normalised_and_nothing_is_imported(site: Any, registry: Any) -> None:
    site.install_plugin("turbine")
    site.install("windmills", {}, {"Wind-Mill": "gone.plugin"})
    assert registry().names() == ("turbine", "wind_mill")
    assert "turgo_turbine" not in sys.modules


def test_loading_one_plugin_imports_no_other_and_no_executor(site: Any, registry: Any) -> None:
    site.install_plugin("turbine")
    site.install_plugin("windmill")
    assert registry().spec("turbine").target == "turgo_turbine.executor:TurbineExecutor"
    assert "turgo_turbine.plugin" in sys.modules
    assert "turgo_turbine.executor" not in sys.modules
    assert "turgo_windmill" not in sys.modules


def test_listing_imports_light_modules_and_keeps_the_broken_one_apart(site: Any, registry: Any) -> None:
    site.install_plugin("turbine", version="2.1")
    site.install("broken-mill", {"broken_mill.py": "import no_such_thing"}, {"mill": "broken_mill"})
    site.install_plugin("turbine", distribution="rival", package="rival")
    records = {(record.name, record.distribution): record for record in registry().plugins()}
    mill = records["mill", "broken-mill"]
    assert (mill.spec, mill.broken) == (None, "ModuleNotFoundError: No module named 'no_such_thing'")
    mine, rival = records["turbine", "turgo-turbine"], records["turbine", "rival"]
    assert (mine.version, mine.duplicate, rival.duplicate, mill.duplicate) == ("2.1", True, True, False)
    assert mine.spec is not None
    assert mine.spec.summary == "turns"
    assert "turgo_turbine.executor" not in sys.modules


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


def test_a_profile_with_an_odd_name_leaves_the_error_in_one_line(registry: Any) -> None:
    """A name of a profile may be any text."""
    with pytest.raises(UnknownExecutorError, match=r"there are 'a\\nb', hpc") as caught:
        registry('executors."a\\nb".use = "x.Y"\nexecutors.hpc.use = "x.Y"').resolve("turbin")
    assert len(str(caught.value).splitlines()) == 1


def test_a_known_executor_that_is_absent_comes_with_the_line_that_installs_it(registry: Any) -> None:
    with pytest.raises(ExecutorNotInstalledError) as caught:
        registry().resolve("Local-Dask", origin=OPTION)
    assert str(caught.value) == (
        "executor 'Local-Dask' is not installed (asked by option --executor); none is installed. "
        f"To have it: {sys.executable} -m pip install turgo-local-dask"
    )
    assert caught.value.install == f"{sys.executable} -m pip install turgo-local-dask"
    with pytest.raises(ExecutorNotInstalledError, match="pip install turgo-dask"):
        registry().resolve("turgo-dask/dask")
    with pytest.raises(
        UnknownExecutorError, match=r"did you mean 'dask'\? It is not installed: .* -m pip install turgo-dask"
    ):
        registry().resolve("daks")


def test_two_distributions_with_one_name_are_both_named_and_either_can_be_picked(
    site: Any, registry: Any
) -> None:
    site.install_plugin("turbine")
    site.install_plugin("turbine", distribution="Rival.Turbines", package="rival")
    with pytest.raises(DuplicateExecutorError) as caught:
        registry().resolve("turbine", origin=OPTION)
    assert sorted(caught.value.distributions) == ["Rival.Turbines", "turgo-turbine"]
    assert "ask for " in str(caught.value)
    assert "turgo-turbine/turbine" in str(caught.value)
    assert "turgo_turbine.plugin" not in sys.modules
    assert registry().resolve("Turgo_Turbine/turbine").cls.__module__ == "turgo_turbine.executor"
    picked = registry('[executors.turbine]\nuse = "rival-turbines/turbine"\nblades = 7').resolve("turbine")
    assert picked.cls.__module__ == "rival.executor"
    assert picked.build().blades == 7
    with pytest.raises(UnknownExecutorError, match=r"did you mean 'turgo-turbine/turbine'\?"):
        registry().resolve("turgo-turbin/turbine")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing'"),
        ("def (", r"SyntaxError: invalid syntax \(mill\.py, line 1\)"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (
            "def turgo_executors(): return []",
            "mill does not implement the hook turgo_executors under @hookimpl",
        ),
        (
            HOOK + "def turgo_executors(): yield ExecutorSpec(name='other', target='a:B')",
            r"mill was to describe an executor 'mill' and describes 'other'",
        ),
        (HOOK + "def turgo_executors(): yield 3", "yields 3, which is no ExecutorSpec"),
        (HOOK + "def turgo_executors(): yield 1 / 0", "ZeroDivisionError: division by zero"),
        (HOOK + "def turgo_executors(wrong): yield", "PluginValidationError"),
        (
            HOOK + "def turgo_executors(): yield ExecutorSpec(name='mill', target='a:B', api_version='2')",
            "TypeError: api_version must be a whole number, not '2'",
        ),
        (
            HOOK
            + "def turgo_executors(): yield ExecutorSpec(name='mill', target='a:B', capabilities='parallel')",
            "TypeError: capabilities must be a set of names, not the text 'parallel'",
        ),
        (
            HOOK + "def turgo_executors(): yield ExecutorSpec(name=3, target='a:B')",
            "TypeError: .*name.* must be",
        ),
        (
            HOOK + "def turgo_executors():\n"
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
            "the plugin of broken-mill 1.0 is wrong.*no subclass of turgo.Executor",
        ),
    ],
)
def test_a_target_that_leads_to_no_executor_is_the_fault_of_its_distribution(
    site: Any, registry: Any, target: str, source: str, error: type[Exception], said: str
) -> None:
    plugin = f"{HOOK}def turgo_executors(): yield ExecutorSpec(name='mill', target={target!r})"
    site.install("broken-mill", {"mill.py": plugin, "mill_executor.py": source}, {"mill": "mill"})
    with pytest.raises(error, match=said):
        registry().resolve("mill", origin=OPTION)


def test_the_same_distribution_seen_twice_on_the_path_is_no_duplicate(
    site: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install_plugin("turbine")
    monkeypatch.syspath_prepend(str(site.folder / ".." / "site"))
    registry = Registry()
    assert registry.resolve("turbine").cls.__name__ == "TurbineExecutor"


@pytest.mark.parametrize(("version", "upgrade"), [(API_VERSION + 1, "turgo"), (0, "turgo-turbine")])
def test_another_version_of_the_contract_says_which_side_to_upgrade(
    site: Any, registry: Any, version: int, upgrade: str
) -> None:
    site.install_plugin("turbine", more=f"api_version={version}")
    with pytest.raises(ApiVersionError, match=f"version {version} of .*pip install --upgrade {upgrade}$"):
        registry().resolve("turbine")
    (record,) = registry().plugins()
    assert record.spec is None
    assert "pip install --upgrade" in record.broken


def test_a_class_of_another_version_than_its_spec_says_is_named_with_its_distribution(
    site: Any, registry: Any
) -> None:
    plugin = f"{HOOK}def turgo_executors(): yield ExecutorSpec(name='mill', target='mill_executor:Old')"
    site.install("old-mill", {"mill.py": plugin, "mill_executor.py": FILE}, {"mill": "mill"})
    with pytest.raises(ApiVersionError, match=r"version 0 of .*: upgrade the package it is from$") as caught:
        registry().resolve("mill", origin=OPTION)
    said = "the plugin of old-mill 1.0 does not fit (asked by option --executor): "
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("name", ["a.b", "a/b", "a:b"])
def test_a_plugin_of_a_name_that_nobody_can_ask_for_is_broken(site: Any, registry: Any, name: str) -> None:
    """The list says so, with the distribution, instead of a name that leads elsewhere."""
    site.install_plugin("turbine")
    site.install("odd", {"odd.py": ""}, {name: "odd"})
    record = next(each for each in registry().plugins() if each.distribution == "odd")
    assert record.spec is None
    assert "nobody can ask for that name: it holds" in record.broken
    assert registry().resolve("turbine").spec is not None
