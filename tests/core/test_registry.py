"""The registry, on distributions that are really installed: what is found, and what is said if it is not."""

import importlib.metadata
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from penstock.catalogue import known_executors
from penstock.config import Config
from penstock.errors import (
    ApiVersionError,
    BrokenPluginError,
    ConfigError,
    DuplicateExecutorError,
    ExecutorImportError,
    ExecutorLookupError,
    ExecutorNotInstalledError,
    NotAnExecutorError,
    OptionError,
    UnknownExecutorError,
    UsageError,
)
from penstock.executor import API_VERSION, Executor
from penstock.registry import Registry, choose_executor, get_executor
from penstock.settings import Origin

OPTION = Origin("option", "--executor")
HOOK = "from penstock.executor import ExecutorSpec\nfrom penstock.hooks import hookimpl\n@hookimpl\n"
FILE = """
from penstock.executor import Executor
def double(x): return 2 * x
class Mine(Executor):
    def __init__(self, *, size: int = 1): self.size = size
    def submit(self, fn, /, *args, extra_context=None, **kwargs): return None
class Half(Executor):
    pass
class Old(Mine):
    api_version = 0
class Other: pass
one = Mine()
"""


@pytest.fixture
def registry(site: Any, configure: Callable[..., Config]) -> Callable[..., Registry]:
    """Make a registry that sees the site's distributions and no others, with a configuration."""
    return lambda text="", **variables: Registry(configure(text, **variables), site.entry_points)


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


@pytest.mark.parametrize(("version", "upgrade"), [(API_VERSION + 1, "penstock"), (0, "penstock-turbine")])
def test_another_version_of_the_contract_says_which_side_to_upgrade(
    site: Any, registry: Any, version: int, upgrade: str
) -> None:
    site.install_plugin("turbine", more=f"api_version={version}")
    with pytest.raises(ApiVersionError, match=f"version {version} of .*pip install --upgrade {upgrade}$"):
        registry().resolve("turbine")
    (record,) = registry().plugins()
    assert record.spec is None
    assert "pip install --upgrade" in record.broken


@pytest.mark.parametrize(
    "path", ["mills.wind.Mine", "mills.wind:Mine", "./files/mine.py:Mine", "files/mine.py:Mine"]
)
def test_a_class_path_leads_to_its_class(site: Any, registry: Any, project: Path, path: str) -> None:
    site.install("mills", {"mills/__init__.py": "", "mills/wind.py": FILE}, {})
    (project / "files").mkdir()
    (project / "files" / "mine.py").write_text(FILE)
    resolved = registry().resolve(path)
    assert (resolved.cls.__name__, resolved.spec, resolved.name) == ("Mine", None, path)
    assert registry().get_executor(path, size=3).size == 3


def test_executors_that_a_module_imports_late_are_known_to_the_message(site: Any, registry: Any) -> None:
    late = """
        __all__ = ["Mine", "Gone"]
        def __getattr__(name):
            import mine_there
            return getattr(mine_there, name)
    """
    site.install("mine", {"mine.py": late, "mine_there.py": FILE}, {})
    assert registry().resolve("mine.Mine").cls.__module__ == "mine_there"
    with pytest.raises(ExecutorImportError, match=r"its executors are Mine; did you mean 'Mine'\?"):
        registry().resolve("mine:Mien")


def test_a_class_path_into_a_known_package_that_is_absent_comes_with_the_line_that_installs_it(
    registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "penstock_dask", None)  # so it is not found, installed or not
    with pytest.raises(ExecutorNotInstalledError, match=r"To have it: pip install penstock-dask$"):
        registry().resolve("penstock_dask.DaskExecutor")


def test_a_file_is_loaded_once_and_its_functions_travel_by_value(registry: Any, project: Path) -> None:
    (project / "mine.py").write_text(FILE)
    cls = registry().resolve("./mine.py:Mine").cls
    assert registry().resolve(f"{project}/mine.py:Mine").cls is cls
    carried = cloudpickle.dumps(sys.modules[cls.__module__].double)
    program = f"import pickle; assert pickle.loads({carried!r})(2) == 4"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
    assert pickle.loads(pickle.dumps(cls(size=2))).size == 2


def test_a_file_in_a_configuration_is_relative_to_that_file(
    registry: Any, project: Path, monkeypatch: Any
) -> None:
    (project / "mine.py").write_text(FILE)
    (project / "below").mkdir()
    made = registry('executor = "./mine.py:Mine"')
    monkeypatch.chdir(project / "below")
    assert type(made.get_executor()).__name__ == "Mine"


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("mills.wnd.Mine", ExecutorImportError, "no module 'mills.wnd', which 'mills.wnd.Mine' asks for"),
        ("gone.wind:Mine", ExecutorImportError, "there is no module 'gone', "),
        ("mills.bad.Mine", ExecutorImportError, "'mills.bad' .* fails on import.*No module named 'nothing'"),
        (
            "mills.wind.Mien",
            ExecutorImportError,
            r"has no 'Mien', .*; its executors are Mine, Old; did you mean 'Mine'\?",
        ),
        ("mills.wind.one", NotAnExecutorError, "is of type Mine: .*no subclass of penstock.Executor"),
        ("mills.wind.Other", NotAnExecutorError, "is the class .*no subclass of penstock.Executor"),
        ("mills.wind.Half", NotAnExecutorError, "it does not implement submit"),
        ("mills.wind.Old", ApiVersionError, "upgrade the package it is from"),
        ("mine.Mine", ExecutorImportError, r"for the file beside you write \./mine\.py:Mine"),
        ("./mien.py:Mine", ExecutorImportError, r"there is no file .*mien\.py.*did you mean 'mine\.py'\?"),
        ("./mine.py", ExecutorImportError, r"names no class.*; write \./mine\.py:Mine"),
        ("./mine.py:Mien", ExecutorImportError, "did you mean 'Mine'"),
        ("./bad.py:Mine", ExecutorImportError, r"bad\.py fails on import.*ZeroDivisionError"),
        ("./mine", ExecutorImportError, "names no class|no file"),
        ("a..b", ExecutorImportError, "is no class path"),
        ("mine.", ExecutorImportError, "is no class path"),
        (":Mine", ExecutorImportError, "is no class path"),
        ("./mine.py:", ExecutorImportError, "is no class path"),
        ("tcp://host:8786", ExecutorImportError, "is no class path"),
    ],
)
def test_a_class_path_that_leads_nowhere_says_what_is_missing(
    site: Any, registry: Any, project: Path, path: str, error: type[Exception], said: str
) -> None:
    modules = {"mills/__init__.py": "", "mills/wind.py": FILE, "mills/bad.py": "import nothing"}
    site.install("mills", modules, {})
    (project / "mine.py").write_text(FILE)
    (project / "bad.py").write_text("1 / 0")
    with pytest.raises(error, match=said) as caught:
        registry().resolve(path, origin=OPTION)
    assert "option --executor" in str(caught.value)


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
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30, cwd=project, env=environ)


def test_the_same_distribution_seen_twice_on_the_path_is_no_duplicate(
    site: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install_plugin("turbine")
    monkeypatch.syspath_prepend(str(site.folder / ".." / "site"))
    registry = Registry(entry_points=importlib.metadata.entry_points)
    assert registry.resolve("turbine").cls.__name__ == "TurbineExecutor"
