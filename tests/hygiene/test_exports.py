"""What the packages export, and that each of it is documented."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

import turgo
import turgo.errors
from turgo.flows.policy.options import FlowOptions, Policy

PACKAGES = ["turgo", "turgo_local", "turgo_local_dask", "turgo_dask"]


def public_modules() -> Iterator[str]:
    """Every module of the four packages whose path has no private part (`__main__` counts as one)."""
    for package in PACKAGES:
        yield package
        path = importlib.import_module(package).__path__
        for found in pkgutil.walk_packages(path, prefix=f"{package}."):
            if not any(part.startswith("_") for part in found.name.split(".")):
                yield found.name


@pytest.mark.parametrize("package", PACKAGES)
def test_all_is_sorted_and_whole(package: str) -> None:
    """`__all__` is sorted, without a name twice, and each name of it can be had."""
    module = importlib.import_module(package)
    names = list(module.__all__)
    assert names == sorted(set(names))
    assert all(hasattr(module, name) for name in names)


def test_a_type_checker_reads_the_names_that_a_program_gets(root: Path) -> None:
    """The imports for type checkers, each under its own name, are the names of `__all__` and where they are made."""
    tree = ast.parse((root / "core/src/turgo/__init__.py").read_text(encoding="utf-8"))
    (checked,) = [node for node in tree.body if isinstance(node, ast.If)]
    read = {
        alias.name: node.module
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    assert sorted(read) == turgo.__all__
    for name, module in read.items():
        assert getattr(importlib.import_module(str(module)), name) is getattr(turgo, name)


@pytest.mark.parametrize("name", sorted(set(turgo.__all__) - {"__version__"}))
def test_every_export_is_documented(name: str) -> None:
    """Each name exported at the root has a docstring of its own, not one that its type lends it."""
    exported = getattr(turgo, name)
    if inspect.isclass(exported) or inspect.isfunction(exported):
        assert (exported.__doc__ or "").strip()
    else:
        assert exported.__doc__ is not type(exported).__doc__ or isinstance(exported, int | frozenset | dict)


@pytest.mark.parametrize(("decorator", "options"), [("task", Policy), ("flow", FlowOptions)])
def test_a_decorator_says_what_each_of_its_options_is(decorator: str, options: type) -> None:
    """`help(turgo.task)` and `help(turgo.flow)` have a line for each option that there is."""
    lines = inspect.getdoc(getattr(turgo, decorator)).splitlines()
    for field in attrs.fields(options):
        assert any(line.startswith(f"{field.name}: ") for line in lines), field.name


def test_no_module_hides_an_export() -> None:
    """No module of core has the name of an export of the root: importing it would replace that."""
    modules = {found.name for found in pkgutil.iter_modules(turgo.__path__)}
    assert not modules & set(turgo.__all__)


@pytest.mark.parametrize("module", list(public_modules()))
def test_every_module_is_documented(module: str) -> None:
    """Each public module says in its docstring what it is."""
    assert (importlib.import_module(module).__doc__ or "").strip()


def test_every_error_has_the_one_root_and_a_docstring() -> None:
    """Each exception of turgo.errors derives from TurgoError and tells its remedy in its docstring."""
    classes = inspect.getmembers(turgo.errors, inspect.isclass)
    errors = [found for _, found in classes if found.__module__ == "turgo.errors"]
    assert errors
    for error in errors:
        assert issubclass(error, turgo.errors.TurgoError)
        assert "__doc__" in vars(error) and error.__doc__
