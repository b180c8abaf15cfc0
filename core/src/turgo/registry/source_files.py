"""Loads a Python file by its path. It may be a flow file, or a file that holds an executor.

A flow file is a module under its own stem, `pkg.flow` within a package, as an import of it would make it, with its
folder on the path. Only where that name is another module's, as that of `json.py`, and for a file that holds an
executor, the name is one of its own, which hides nothing. A file is loaded once for each path.
"""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import importlib.util
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType

from turgo.worker.code.import_folders import add_import_folder

PREFIX = "turgo_file_"
"""How names of its own begin."""

MAIN = "__main__"
INSTALLED = ("site-packages", "dist-packages")
OURS = ("turgo",)


def is_installed_name(name: str) -> bool:
    """Whether a module belongs to Python, to turgo, or to what is installed: not to anybody's flow."""
    top = name.partition(".")[0]
    if top in OURS or (top in sys.stdlib_module_names and top != MAIN):
        return True
    path = getattr(sys.modules.get(top), "__file__", None)
    return isinstance(path, str) and is_installed(Path(path))


def is_installed(file: Path) -> bool:
    """Whether a file lies where distributions, or Python itself, are installed."""
    return any(part in INSTALLED for part in file.parts) or file.is_relative_to(_standard_library())


@functools.lru_cache(maxsize=1)
def _standard_library() -> Path:
    import sysconfig  # late: most scripts lie in no folder that is asked about

    return Path(sysconfig.get_path("stdlib"))


def load_flow_file(file: Path) -> ModuleType:
    """The module of a flow file, and its folder on the path. Raises whatever the file raises on import."""
    file = file.resolve()
    name, folder = import_name(file)
    taken = is_taken(name, file, folder)
    if str(folder) not in sys.path and not _is_of_others(name):
        sys.path.insert(0, str(folder))
    add_import_folder(str(folder))  # behind all others, if it is not there yet
    if taken:
        return load_source(file)
    if name in sys.modules:
        return sys.modules[name]
    package, _, child = name.rpartition(".")
    if package:
        importlib.import_module(package)
    module = _executed(name, file)
    if package:
        setattr(sys.modules[package], child, module)
    return module


def _is_of_others(name: str) -> bool:
    """Whether a module of that name is what turgo, dask or their workers may import, who are not to get the file.

    A package that is also installed is taken from where the file lies, as by `python -m`.
    """
    top, dot, _ = name.partition(".")
    if top in OURS or top in sys.stdlib_module_names:
        return True
    if dot:
        return False
    found = importlib.machinery.PathFinder.find_spec(top)
    return found is not None and found.origin is not None and is_installed(Path(found.origin))


def import_name(file: Path) -> tuple[str, Path]:
    """The name that a file is imported by, with the packages that it lies in, and the folder that they lie in."""
    parts, folder = [file.stem], file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts), folder


def is_taken(name: str, file: Path, folder: Path) -> bool:
    """Whether another module has that name: of the standard library, one that is loaded, or one that is installed."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or not name.replace("-", "_").replace(".", "_").isidentifier():
        return True
    known = sys.modules.get(name)
    if known is not None:
        path = getattr(known, "__file__", None)
        return path is None or Path(path).resolve() != file
    elsewhere = [each for each in sys.path if Path(each or ".").resolve() != folder]
    found = importlib.machinery.PathFinder.find_spec(top, elsewhere)
    return found is not None and found.loader is not None


def load_source(file: Path) -> ModuleType:
    """The module of a file that exists and ends in `.py`. Raises whatever the file raises on import."""
    import hashlib  # late, as cloudpickle below: others only want to know how such names begin

    file = file.resolve()
    name = f"{PREFIX}{file.stem}_{hashlib.sha256(os.fsencode(file)).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    return _executed(name, file, by_value=True)


def _executed(name: str, file: Path, by_value: bool = False) -> ModuleType:
    """The module of a file, executed under a name. by_value: whether every pickler is to ship its code."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None  # a file that ends in .py has a loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    if by_value:
        import cloudpickle

        cloudpickle.register_pickle_by_value(module)  # before it is executed, as it may run a flow itself
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if by_value:
            cloudpickle.unregister_pickle_by_value(module)
        sys.modules.pop(name, None)
        raise
    return module


def locate(error: Exception, file: str | None) -> None:
    """Put the last line of `file` that an error came through before its message, if there is one and it lacks it."""
    lines = [
        line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file
    ]
    if lines and not str(error).startswith(f"{file}, line "):
        error.args = (f"{file}, line {lines[-1]}: {error}",)
