"""The light module of the plugin."""

from __future__ import annotations

import subprocess
import sys

from turgo_dask import DaskExecutor
from turgo_dask.plugin import turgo_executors


def test_the_plugin_module_imports_no_dask() -> None:
    """Asking the plugin for its spec costs no import of dask."""
    code = (
        "import sys, turgo_dask.plugin as plugin\n"
        "(spec,) = plugin.turgo_executors()\n"
        "assert spec.name == 'dask'\n"
        "assert not {'dask', 'distributed'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_spec_says_what_the_executor_says() -> None:
    """Capabilities are listed without importing dask, and are those of the class."""
    (spec,) = turgo_executors()
    assert spec.capabilities == DaskExecutor().capabilities
