"""Settles whether distributed finds its dashboard. Runs before schedulers and workers look for it.

Each imports it in a thread as it starts. Of two that start at once, the second continues as if the import had
succeeded, although it failed in the first, as without bokeh, or is not over. So it is imported here, or made known as
absent.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MODULES = ("distributed.dashboard.scheduler", "distributed.dashboard.worker")


@contextmanager
def dashboard_settled() -> Iterator[None]:
    """The modules are imported, or their import fails at once until the end of the block."""
    modules: dict[str, Any] = sys.modules
    absent: list[str] = []
    if importlib.util.find_spec("bokeh") is None:
        absent = [name for name in MODULES if name not in modules]
        modules.update(dict.fromkeys(absent))  # None: such an import fails without a search
    else:
        for name in MODULES:
            importlib.import_module(name)
    try:
        yield
    finally:
        for name in absent:
            if name in modules and modules[name] is None:
                del modules[name]
