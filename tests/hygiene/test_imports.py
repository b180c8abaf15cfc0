"""What an import costs: each test starts a fresh interpreter and looks at what it has loaded."""

from collections.abc import Callable

import pytest

HEAVY = {"dask", "distributed", "numpy", "rich", "click"}
PLUGINS = ["penstock_local", "penstock_local_dask", "penstock_dask"]

IMPORT = "import sys, importlib; importlib.import_module(sys.argv[1]); print(*sys.modules)"

COMMAND = """
import contextlib, io, runpy, sys
sys.argv[0] = "penstock"
shown = io.StringIO()
with contextlib.redirect_stdout(shown):
    try:
        runpy.run_module("penstock", run_name="__main__")
    except SystemExit as end:
        assert end.code in (0, None), (end.code, shown.getvalue())
for name in ("dask", "local", "local_dask"):
    assert name in shown.getvalue(), shown.getvalue()
print(*sys.modules)
"""


def top_level(modules: str) -> set[str]:
    """The packages among the printed names of modules."""
    return {name.partition(".")[0] for name in modules.split()}


def test_importing_penstock_imports_nothing_heavy(fresh_python: Callable[..., str]) -> None:
    """`import penstock` loads neither dask nor rich nor click, and no plugin."""
    loaded = top_level(fresh_python(IMPORT, "penstock"))
    assert not loaded & (HEAVY | set(PLUGINS))


def test_the_contract_imports_nothing_heavy(fresh_python: Callable[..., str]) -> None:
    """What an author imports, `penstock.executor` and `penstock.hooks`, loads neither rich nor click."""
    for module in ("penstock.executor", "penstock.hooks"):
        assert not top_level(fresh_python(IMPORT, module)) & HEAVY


@pytest.mark.parametrize("package", PLUGINS)
def test_a_plugin_module_is_light(package: str, fresh_python: Callable[..., str]) -> None:
    """The module that an entry point names imports neither the executor beside it nor its library."""
    modules = fresh_python(IMPORT, f"{package}.plugin").split()
    assert f"{package}.executor" not in modules
    assert not {"dask", "distributed"} & set(modules)


def test_listing_executors_imports_no_executor(fresh_python: Callable[..., str]) -> None:
    """`penstock executors list` shows all three executors and loads no dask and no executor's module."""
    modules = fresh_python(COMMAND, "executors", "list").split()
    assert not [f"{package}.executor" for package in PLUGINS if f"{package}.executor" in modules]
    assert not {"dask", "distributed"} & set(modules)
