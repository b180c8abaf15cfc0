"""The public names: what the packages export, and what the public modules of core define."""

import ast
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import turgo

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ("turgo_local", "turgo_local_dask", "turgo_dask")


def doors() -> list[str]:
    """The public modules of core, by the one list of them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {each["id"]: each for each in project["tool"]["importlinter"]["contracts"]}
    return list(contracts["public-doors"]["doors"])


def public_names() -> Iterator[str]:
    """Each with its module before it: `turgo.task`, `turgo.futures.is_future`. What the root has too is the root's."""
    yield from (f"turgo.{name}" for name in turgo.__all__ if name != "__version__")
    for module in (*doors(), *PLUGINS):
        home = import_module(module)
        for name in getattr(home, "__all__", None) or defined(module):
            if name != "__version__" and getattr(turgo, name, None) is not getattr(home, name):
                yield f"{module}.{name}"


def defined(module: str) -> list[str]:
    """The classes and functions of a module without `__all__`, and what it imports under its own name to hand it on."""
    source = Path(str(import_module(module).__file__)).read_text(encoding="utf-8")
    names: list[str] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.ImportFrom):
            names += [alias.name for alias in node.names if alias.asname == alias.name]
    return [name for name in names if not name.startswith("_")]
