"""Loads the class that a class path or a file names.

pkg.mod:Class     the module is imported
./file.py:Class   the file is loaded as a module of its own and pickled by value: workers need not have it
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from turgo.contract.versions import API_VERSION, remedy_for
from turgo.errors import (
    ApiVersionError,
    ExecutorImportError,
    ExecutorNotInstalledError,
    NotAnExecutorError,
)
from turgo.executor import Executor
from turgo.install import pip_install
from turgo.names import did_you_mean, nearest, reason_of
from turgo.registry.asked import Asked, ClassPath, FilePath


def load_class(target: ClassPath | FilePath, asked: Asked) -> type[Executor]:
    """Import the class of a target; errors quote `asked`.

    Raises ExecutorImportError if it leads nowhere (ExecutorNotInstalledError if into a known package), and
    NotAnExecutorError or ApiVersionError if the class is not fit.
    """
    module = _import(target, asked) if isinstance(target, ClassPath) else _load_file(target.file, asked)
    if not target.attribute:
        there = _executors_in(module)
        hint = f"write {asked.text}:{there[0]}" if there else "and it holds no executor"
        raise asked.error(ExecutorImportError, f"{asked.text!r} names no class{asked.by}; {hint}")
    return check_class(_attribute(module, target.attribute, asked), asked)


def check_class(found: Any, asked: Asked) -> type[Executor]:
    """The class itself, if it is a complete executor. Raises NotAnExecutorError or ApiVersionError."""
    path = asked.text
    if not (isinstance(found, type) and issubclass(found, Executor)):
        kind = "the class" if isinstance(found, type) else f"of type {type(found).__name__}:"
        message = f"{path!r} is {kind} {found!r}, and no subclass of turgo.Executor{asked.by}"
        raise asked.error(NotAnExecutorError, message)
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        message = f"{path!r} is no complete executor: it does not implement {missing}{asked.by}"
        raise asked.error(NotAnExecutorError, message)
    if type(found.api_version) is not int:
        message = (
            f"{path!r} does not fit: its api_version is {found.api_version!r}, no whole number{asked.by}"
        )
        raise asked.error(NotAnExecutorError, message)
    if found.api_version != API_VERSION:
        older = remedy_for(found.api_version, "the package it is from")
        message = (
            f"{path!r} was written for version {found.api_version} of the executor contract, and this "
            f"turgo understands {API_VERSION}{asked.by}: upgrade {older}"
        )
        target = f"{found.__module__}:{found.__qualname__}"
        raise asked.error(ApiVersionError, message, target=target, api_version=found.api_version)
    return found


def _import(target: ClassPath, asked: Asked) -> ModuleType:
    name, path = target.module, asked.text
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        absent = error.name if isinstance(error, ModuleNotFoundError) else None
        if absent is None or not f"{name}.".startswith(f"{absent}."):
            message = f"module {name!r} of {path!r} fails on import{asked.by}: {reason_of(error)}"
            raise asked.error(ExecutorImportError, message) from error
        raise _not_found(absent, target, asked) from None


def _not_found(
    absent: str, target: ClassPath, asked: Asked
) -> ExecutorImportError | ExecutorNotInstalledError:
    """The error for a module that does not exist: install its package, or name the file of that name."""
    from turgo.registry.catalogue import package_of  # late: only what is missing is looked up in it

    if package := package_of(absent):
        install = pip_install(package)
        message = f"{asked.text!r} is not installed{asked.by}. To have it: {install}"
        return asked.error(ExecutorNotInstalledError, message, install=install)
    message = f"there is no module {absent!r}, which {asked.text!r} asks for{asked.by}{_beside_hint(target)}"
    return asked.error(ExecutorImportError, message)


def _beside_hint(target: ClassPath) -> str:
    """How to reach a module that lies in the current folder: as a file, or as a package that stays one."""
    module = Path(*target.module.split("."))
    try:
        there = module.with_suffix(".py").is_file() or (module / "__init__.py").is_file()
    except OSError:
        return ""
    if not there:
        return ""
    if len(module.parts) == 1 and not module.is_dir():
        return f"; for the file beside you write ./{module}.py:{target.attribute}"
    return "; it lies in the current folder, which is searched by `python -m turgo …` and with PYTHONPATH=."


def _load_file(written: Path, asked: Asked) -> ModuleType:
    try:
        file = written.expanduser()
        file = (file if file.is_absolute() else asked.folder / file).resolve()
        there = file.is_file()
    except (OSError, RuntimeError, ValueError) as error:
        # no current folder, or one that may not be entered; ~nobody; a NUL
        reason = getattr(error, "strerror", None) or error
        message = (
            f"the file {written}, which {asked.text!r} asks for, cannot be looked at{asked.by}: {reason}"
        )
        raise asked.error(ExecutorImportError, message) from error
    if not there:
        beside = [each.stem for each in file.parent.glob("*.py")] if file.parent.is_dir() else []
        near = nearest(file.stem, beside)
        hint = did_you_mean(near and f"{near}.py")
        message = f"there is no file {file}, which {asked.text!r} asks for{asked.by}{hint}"
        raise asked.error(ExecutorImportError, message)
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))  # its neighbours are importable, behind all that is installed
    from turgo.registry.source_files import load_source  # late: loads cloudpickle, which a name does not need

    try:
        return load_source(file)
    except (Exception, SystemExit) as error:
        message = f"{file} fails on import{asked.by}: {reason_of(error)}"
        raise asked.error(ExecutorImportError, message) from error


def _attribute(module: ModuleType, attribute: str, asked: Asked) -> Any:
    found: Any = module
    try:
        for part in attribute.split("."):
            found = getattr(found, part)
    except AttributeError:
        place, there = module.__file__ or module.__name__, _executors_in(module)
        listed = f"its executors are {', '.join(there)}" if there else "it holds no executor"
        message = f"{place} has no {attribute!r}, which {asked.text!r} asks for{asked.by}; {listed}"
        message += did_you_mean(nearest(attribute, there))
        raise asked.error(ExecutorImportError, message) from None
    except ImportError as error:  # a module that imports its parts when they are asked for
        message = f"{asked.text!r} fails on import{asked.by}: {reason_of(error)}"
        raise asked.error(ExecutorImportError, message) from error
    return found


def _executors_in(module: ModuleType) -> list[str]:
    """The names of the executors in a module, with those that it imports only when they are asked for."""
    found = []
    for name in dict.fromkeys((*vars(module), *getattr(module, "__all__", ()))):
        with contextlib.suppress(AttributeError, ImportError):  # what is broken is not what was asked for
            value = getattr(module, name)
            if isinstance(value, type) and issubclass(value, Executor) and not inspect.isabstract(value):
                found.append(name)
    return found
