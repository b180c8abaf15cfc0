"""Loading a Python file by its path: a flow file, or a file that holds an executor.

A file is loaded once for each path, under a name of its own, so that `json.py` hides nothing. What it defines is
pickled by value, as workers do not have the file.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType

import cloudpickle

PREFIX = "penstock_file_"
"""How the names of such modules begin."""


def load_source(file: Path) -> ModuleType:
    """The module of a file that exists and ends in `.py`. Raises whatever the file raises on import."""
    file = file.resolve()
    name = f"{PREFIX}{file.stem}_{hashlib.sha256(os.fsencode(file)).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None  # a file that ends in .py has a loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    cloudpickle.register_pickle_by_value(module)  # before it is executed, as it may run a flow itself
    try:
        spec.loader.exec_module(module)
    except BaseException:
        cloudpickle.unregister_pickle_by_value(module)
        del sys.modules[name]
        raise
    return module


def locate(error: Exception, file: str | None) -> None:
    """Put the last line of `file` that an error came through before its message; leave the error if there is none."""
    lines = [
        line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file
    ]
    if lines:
        error.args = (f"{file}, line {lines[-1]}: {error}",)
