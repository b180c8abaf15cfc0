"""What turgo learns of the plugin without importing the executor."""

from __future__ import annotations

import subprocess
import sys

from turgo_local import LocalExecutor
from turgo_local.plugin import turgo_executors


def test_the_spec_says_what_the_executor_is() -> None:
    """Its name, its class, its capabilities and the version of the contract that it keeps."""
    (spec,) = turgo_executors()
    module, _, name = spec.target.partition(":")
    assert (spec.name, module, name) == ("local", LocalExecutor.__module__, LocalExecutor.__name__)
    assert spec.capabilities == LocalExecutor().capabilities
    assert spec.api_version == LocalExecutor.api_version


def test_the_plugin_module_imports_no_executor() -> None:
    """Asking the plugin for its spec costs no import of the executor."""
    code = (
        "import sys, turgo_local.plugin as plugin\n"
        "(spec,) = plugin.turgo_executors()\n"
        "assert spec.summary and 'turgo_local.executor' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
