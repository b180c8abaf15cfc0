"""Plugins for another version of the contract: what fits is taken, what does not says which side to upgrade."""

from pathlib import Path
from typing import Any

import pytest

from penstock.errors import (
    ApiVersionError,
    BrokenPluginError,
)
from penstock.executor import API_VERSION
from penstock.settings import Origin

OPTION = Origin("option", "--executor")
HOOK = "from penstock.executor import ExecutorSpec\nfrom penstock.hooks import hookimpl\n@hookimpl\n"
FILE = Path(__file__).with_name("own_executors.py").read_text()


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


def test_a_class_of_another_version_than_its_spec_says_is_named_with_its_distribution(
    site: Any, registry: Any
) -> None:
    plugin = f"{HOOK}def penstock_executors(): yield ExecutorSpec(name='mill', target='mill_executor:Old')"
    site.install("old-mill", {"mill.py": plugin, "mill_executor.py": FILE}, {"mill": "mill"})
    with pytest.raises(ApiVersionError, match=r"version 0 of .*: upgrade the package it is from$") as caught:
        registry().resolve("mill", origin=OPTION)
    said = "the plugin of old-mill 1.0 does not fit (asked by option --executor): "
    assert str(caught.value).startswith(said)


FIRST = """
from concurrent.futures import Future
from penstock.executor import Executor
class First(Executor):
    {api_version}
    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_result(fn(*args, **kwargs))
        return future
"""


def first(site: Any, api_version: str) -> None:
    """Install a plugin whose spec is for version 1 of the contract."""
    spec = "ExecutorSpec(name='mill', target='old.mill:First', api_version=1)"
    modules = {
        "old/__init__.py": "",
        "old/plugin.py": f"{HOOK}def penstock_executors(): yield {spec}",
        "old/mill.py": FIRST.format(api_version=api_version),
    }
    site.install("old-mill", modules, {"mill": "old.plugin"})


def test_a_plugin_for_the_version_before_is_made_to_fit(site: Any, registry: Any) -> None:
    first(site, "api_version = 1")
    with registry().get_executor("mill").start() as executor:
        hints = {"task_name": "it does not know of these"}
        assert executor.submit(int, "11", base=2, extra_context=hints).result() == 3


def test_a_class_that_does_not_say_the_version_of_its_spec_is_told_to(site: Any, registry: Any) -> None:
    """Otherwise it would count as one of the installed version, and its calls would fail for no clear reason."""
    first(site, "")
    with pytest.raises(BrokenPluginError, match="write api_version = 1 in the class") as caught:
        registry().resolve("mill", origin=OPTION)
    assert "from old-mill 1.0, does not load (asked by option --executor)" in str(caught.value)
