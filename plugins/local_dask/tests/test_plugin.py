"""What turgo learns of the plugin without importing dask."""

from __future__ import annotations

import subprocess
import sys

from turgo_local_dask import LocalDaskExecutor
from turgo_local_dask.plugin import turgo_executors


def test_the_spec_says_what_the_default_can_do() -> None:
    """The capabilities that are listed without importing dask are those of the executor without options."""
    (spec,) = turgo_executors()
    assert spec.capabilities == LocalDaskExecutor().capabilities


def test_the_plugin_module_imports_no_dask() -> None:
    """Asking the plugin for its spec costs no import of dask."""
    code = (
        "import sys, turgo_local_dask.plugin as plugin\n"
        "(spec,) = plugin.turgo_executors()\n"
        "assert spec.name == 'local_dask'\n"
        "assert 'dask' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
