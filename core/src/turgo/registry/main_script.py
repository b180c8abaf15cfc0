"""Gives a script the module name that importing its file gives.

    python flow.py          `__main__` ─┐
    python -m pkg.flow      `__main__` ─┼─>  its classes and functions are those of `flow`, or `pkg.flow`
    turgo run flow.py       `flow`     ─┘

What a script pickles is then found by any program that can import the file, on workers and in child processes alike.
A notebook and `python -c` have no file; what they define stays in `__main__`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from turgo.registry.source_files import import_name, is_taken
from turgo.worker.code.import_folders import add_import_folder

MAIN = "__main__"

_DESCRIPTORS = (property, classmethod, staticmethod, functools.cached_property)


def is_of_main(fn: Any) -> bool:
    """Whether the script that runs has defined a function."""
    module = getattr(fn, "__module__", None)
    return module == MAIN or (module in sys.modules and sys.modules[module] is sys.modules.get(MAIN))


def name_main() -> str | None:
    """The module name of the script that runs; None if it has none. All that it has defined so far is of that module.

    It is looked through each time, as a script may define more from one run to the next.
    """
    main = sys.modules.get(MAIN)
    found = None if main is None else _importable(main)
    if main is None or found is None:
        return None
    name, folder = found
    if sys.modules.get(name) is not main:
        sys.modules[name] = main
        add_import_folder(folder)
    seen: set[int] = set()
    for value in list(vars(main).values()):
        _rename(value, name, seen)
    return name


def _importable(main: ModuleType) -> tuple[str, str] | None:
    """The name that its file is imported by, and the folder that has to be on the path for that."""
    path = getattr(main, "__file__", None)
    if not isinstance(path, str) or not path.endswith(".py") or not Path(path).is_file():
        return None
    file = Path(path).resolve()
    name, folder = import_name(file)
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name), str(file.parents[spec.name.count(".")])
    known = sys.modules.get(name)
    return None if known is not main and is_taken(name, file, folder) else (name, str(folder))


def _rename(value: Any, name: str, seen: set[int]) -> None:
    """Change the module of a class or function of the script, and of those within it."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, (type, FunctionType)) or "__module__" in getattr(value, "__dict__", ()):
        if getattr(value, "__module__", None) != MAIN:
            return
        with suppress(AttributeError, TypeError):  # of a class that lets nothing be set
            value.__module__ = name
    elif not isinstance(value, _DESCRIPTORS):
        return
    for part in _parts(value):
        _rename(part, name, seen)


def _parts(value: Any) -> Iterator[Any]:
    """The functions and classes that a value is made of."""
    if isinstance(value, type):
        yield from list(vars(value).values())
        return
    known = getattr(value, "__dict__", {})
    for attribute in ("__wrapped__", "__func__", "fn", "func", "fget", "fset", "fdel"):
        if attribute in known or isinstance(value, _DESCRIPTORS):
            yield getattr(value, attribute, None)
    registry = known.get("registry")  # of a generic function
    if isinstance(registry, Mapping):
        yield from list(registry.values())
