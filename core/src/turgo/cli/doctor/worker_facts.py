"""What a worker says of itself. The text of this module is sent to it: it needs nothing but Python's own library.

`CALL` is what is submitted: `eval` with the text of this module, so that the worker need not have turgo.
"""

from __future__ import annotations

from typing import Any

STAY_SECONDS = 0.1
"""How long each call stays, so that the calls beside it go to other workers."""


def facts(packages: list[str], modules: list[str]) -> dict[str, Any]:
    """Who the worker is, the versions that it has of packages, and which of some modules it does not find."""
    import importlib.metadata
    import importlib.util
    import os
    import platform
    import sys
    import time

    versions: dict[str, str | None] = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except Exception:  # noqa: BLE001  (absent, or damaged)
            versions[package] = None
    missing = []
    for module in modules:
        try:
            found = module in sys.modules or importlib.util.find_spec(module) is not None
        except Exception:  # noqa: BLE001  (foreign code, which may do anything)
            found = False
        if not found:
            missing.append(module)
    time.sleep(STAY_SECONDS)
    return {
        "name": f"{platform.node()}:{os.getpid()}",
        "executable": sys.executable,
        "cpus": os.cpu_count(),
        "versions": versions,
        "missing": missing,
    }
