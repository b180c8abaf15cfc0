"""What an import costs: each test starts a fresh interpreter and looks at what it has loaded."""

from collections.abc import Callable

import pytest

HEAVY = {"dask", "distributed", "numpy", "rich", "click"}
PLUGINS = ["turgo_local", "turgo_local_dask", "turgo_dask"]

IMPORT = "import sys, importlib; importlib.import_module(sys.argv[1]); print(*sys.modules)"

FIRST_RUN = """
import sys
from turgo import flow, get_executor, task
call = task(int)
alone = flow(lambda: call())
assert alone.run(executor=get_executor("local")).result == 0
print(*sys.modules)
"""
FOR_FEW_RUNS = {
    "cloudpickle",  # what leaves this process, and files of flows
    "ctypes",  # calls that exceed their time
    "difflib",  # names that do not exist
    "decimal",  # values that are shown
    "email.parser",  # all fields of metadata, where two of them are needed
    "graphlib",  # graphs that no flow recorded
    "importlib_metadata",  # plugins that stand in no folder
    "hashlib",  # keys of a cache, and names of files
    "json",  # packed code
    "socket",
    "turgo.caching.configured",
    "turgo.caching.keys",
    "turgo.config.toml_lines",  # files of configuration
    "turgo.engine.remote_values.store",
    "turgo.engine.transport.worker_code",
    "turgo.outlines.outline",  # runs that are looked at
    "turgo.registry.catalogue",  # what is not installed
    "urllib.parse",  # a cache that a URL names
}
"""Each takes about a millisecond to load, or several."""

COMMAND = """
import contextlib, io, runpy, sys
sys.argv[0] = "turgo"
shown = io.StringIO()
with contextlib.redirect_stdout(shown):
    try:
        runpy.run_module("turgo", run_name="__main__")
    except SystemExit as end:
        assert end.code in (0, None), (end.code, shown.getvalue())
for name in ("dask", "local", "local_dask"):
    assert name in shown.getvalue(), shown.getvalue()
print(*sys.modules)
"""


def top_level(modules: str) -> set[str]:
    """The packages among the printed names of modules."""
    return {name.partition(".")[0] for name in modules.split()}


def test_importing_turgo_imports_nothing_heavy(fresh_python: Callable[..., str]) -> None:
    """`import turgo` loads neither dask nor rich, click nor importlib_metadata, and no plugin."""
    loaded = top_level(fresh_python(IMPORT, "turgo"))
    assert not loaded & (HEAVY | set(PLUGINS) | {"importlib_metadata"})


def test_a_first_run_loads_nothing_that_only_some_runs_need(fresh_python: Callable[..., str]) -> None:
    """A script that runs one task on `local` has loaded none of what caches, other processes and errors need."""
    assert not FOR_FEW_RUNS & set(fresh_python(FIRST_RUN).split())


def test_the_contract_imports_nothing_heavy(fresh_python: Callable[..., str]) -> None:
    """What an author imports, `turgo.executor` and `turgo.hooks`, loads neither rich nor click."""
    for module in ("turgo.executor", "turgo.hooks"):
        assert not top_level(fresh_python(IMPORT, module)) & HEAVY


@pytest.mark.parametrize("package", PLUGINS)
def test_a_plugin_module_is_light(package: str, fresh_python: Callable[..., str]) -> None:
    """The module that an entry point names imports neither the executor beside it nor its library."""
    modules = fresh_python(IMPORT, f"{package}.plugin").split()
    assert f"{package}.executor" not in modules
    assert not {"dask", "distributed"} & set(modules)


def test_listing_executors_imports_no_executor(fresh_python: Callable[..., str]) -> None:
    """`turgo executors list` shows all three executors and loads no dask and no executor's module."""
    modules = fresh_python(COMMAND, "executors", "list").split()
    assert not [f"{package}.executor" for package in PLUGINS if f"{package}.executor" in modules]
    assert not {"dask", "distributed"} & set(modules)
