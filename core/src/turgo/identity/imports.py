"""Finds the files of modules that functions import while they run. They count by their text.

Whether they are loaded by now differs from run to run, so they are not looked at as other modules are. What such a file
imports in turn is read from its text.
"""

from __future__ import annotations

import ast
import dis
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from turgo.registry.source_files import is_installed


def imported_within(fn: FunctionType) -> list[str]:
    """The modules that the code of a function may import, by their whole names; also what may be no module."""
    package = str(fn.__globals__.get("__package__") or "")
    return list(dict.fromkeys(_imported(fn.__code__, package)))


def _imported(code: CodeType, package: str) -> Iterator[str]:
    loaded: list[Any] = [0, None]
    for step in dis.get_instructions(code):
        if step.opname in _CONSTANTS:
            loaded = [loaded[-1], step.argval]
        elif step.opname == "IMPORT_NAME":
            level, names = loaded
            yield from _resolved(str(step.argval), level, names or (), package)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _imported(constant, package)


_CONSTANTS = ("LOAD_CONST", "LOAD_SMALL_INT")
"""What puts the level of an import, and then the names that it takes out of the module, onto the stack."""


def _resolved(name: str, level: int, names: Iterable[str], package: str) -> Iterator[str]:
    try:
        whole = importlib.util.resolve_name("." * level + name, package) if level else name
    except ImportError:
        return
    yield whole
    yield from (f"{whole}.{each}" for each in names)


def sources_of(modules: Iterable[str]) -> list[tuple[Path, str]]:
    """The files of modules that belong to no distribution, with what these import: each with its label."""
    found: dict[str, Path] = {}
    ahead = list(modules)
    while ahead:
        name = ahead.pop()
        file = _file_of(name)
        if file is None or name in found:
            continue
        found[name] = file
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        ahead += [*_imports_in(file, package), *_parents(name)]
    return [(file, f"{name.replace('.', '/')}.py") for name, file in sorted(found.items())]


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _file_of(name: str) -> Path | None:
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top == "turgo":
        return None
    for folder in sys.path:
        base = Path(folder or ".", *name.split("."))
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file():
                return None if is_installed(file.resolve()) else file
    return None


def _imports_in(file: Path, package: str) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _resolved(node.module or "", node.level, [alias.name for alias in node.names], package)
