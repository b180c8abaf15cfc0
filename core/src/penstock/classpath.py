"""A class path into the class: `pkg.mod.Class`, `pkg.mod:Class`, `./file.py:Class`.

A file is loaded under a name of its own and travels by value: workers need not have it.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

from penstock.catalogue import package_of
from penstock.errors import (
    ApiVersionError,
    ExecutorImportError,
    ExecutorNotInstalledError,
    NotAnExecutorError,
)
from penstock.executor import Executor
from penstock.names import did_you_mean, nearest
from penstock.plugins import asked_at, reason_of
from penstock.sources import load_source
from penstock.versions import API_VERSION, OLDEST_API_VERSION, remedy_for


def is_class_path(asked: str) -> bool:
    """Whether a string is a class path. Otherwise it is a name, or `distribution/name`."""
    if ":" in asked or ".py" in asked or asked.startswith((".", "/", "~")) or asked.count("/") > 1:
        return True
    return "." in asked and "/" not in asked


def load_class(path: str, *, origin: str | None = None, folder: Path | None = None) -> type[Executor]:
    """Import what a class path names.

    `folder` is what a file is relative to (default: the current one); `origin` goes into the error. Raises
    ExecutorImportError if it leads nowhere (ExecutorNotInstalledError if into a known package), and
    NotAnExecutorError or ApiVersionError if what is there is not fit.
    """
    place, attribute = _split(path, origin)
    if place.endswith(".py") or "/" in place:
        module = _load_file(path, (folder or Path.cwd()) / Path(place).expanduser(), origin)
    else:
        module = _import(path, place, attribute, origin)
    if not attribute:
        there = _executors_in(module)
        hint = f"write {place}:{there[0]}" if there else "and it holds no executor"
        raise ExecutorImportError(
            f"{path!r} names no class{asked_at(origin)}; {hint}", asked=path, origin=origin
        )
    return check_class(_attribute(module, path, attribute, origin), path, origin)


def check_class(found: Any, path: str, origin: str | None = None) -> type[Executor]:
    """The class itself, if it is a complete executor. Raises NotAnExecutorError or ApiVersionError."""
    if not (isinstance(found, type) and issubclass(found, Executor)):
        kind = "the class" if isinstance(found, type) else f"of type {type(found).__name__}:"
        raise NotAnExecutorError(
            f"{path!r} is {kind} {found!r}, and no subclass of penstock.Executor{asked_at(origin)}",
            asked=path,
            origin=origin,
        )
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise NotAnExecutorError(
            f"{path!r} is no complete executor: it does not implement {missing}{asked_at(origin)}",
            asked=path,
            origin=origin,
        )
    older = remedy_for(found.api_version, "the package it is from")
    if older:
        raise ApiVersionError(
            f"{path!r} was written for version {found.api_version} of the executor contract, and this "
            f"penstock understands {OLDEST_API_VERSION} to {API_VERSION}{asked_at(origin)}: upgrade {older}",
            asked=path,
            origin=origin,
        )
    return found


def _split(path: str, origin: str | None) -> tuple[str, str]:
    """Where to look, and for which attribute; that is empty for a file alone."""
    place, colon, attribute = path.rpartition(":")
    if not colon and (path.endswith(".py") or "/" in path):
        return path, ""
    if not colon:
        place, _, attribute = path.rpartition(".")
    is_file = place.endswith(".py") or "/" in place
    words = [*attribute.split("."), *([] if is_file else place.split("."))]
    if not place or not all(word.isidentifier() for word in words):
        raise ExecutorImportError(
            f"{path!r} is no class path{asked_at(origin)}: "
            "write pkg.mod.Class, pkg.mod:Class or ./file.py:Class",
            asked=path,
            origin=origin,
        )
    return place, attribute


def _import(path: str, name: str, attribute: str, origin: str | None) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        absent = error.name if isinstance(error, ModuleNotFoundError) else None
        if absent is None or not f"{name}.".startswith(f"{absent}."):
            message = f"module {name!r} of {path!r} fails on import{asked_at(origin)}: {reason_of(error)}"
            raise ExecutorImportError(message, asked=path, origin=origin) from error
        if package := package_of(absent):
            install = f"pip install {package}"
            message = f"{path!r} is not installed{asked_at(origin)}. To have it: {install}"
            raise ExecutorNotInstalledError(message, asked=path, install=install, origin=origin) from None
        beside = Path(*name.split(".")).with_suffix(".py")
        hint = f"; for the file beside you write ./{beside}:{attribute}" if beside.is_file() else ""
        message = f"there is no module {absent!r}, which {path!r} asks for{asked_at(origin)}{hint}"
        raise ExecutorImportError(message, asked=path, origin=origin) from None


def _load_file(path: str, file: Path, origin: str | None) -> ModuleType:
    file = file.resolve()
    if not file.is_file():
        beside = [each.stem for each in file.parent.glob("*.py")] if file.parent.is_dir() else []
        near = nearest(file.stem, beside)
        hint = did_you_mean(near and f"{near}.py")
        raise ExecutorImportError(
            f"there is no file {file}, which {path!r} asks for{asked_at(origin)}{hint}",
            asked=path,
            origin=origin,
        )
    try:
        return load_source(file)
    except (Exception, SystemExit) as error:
        raise ExecutorImportError(
            f"{file} fails on import{asked_at(origin)}: {reason_of(error)}", asked=path, origin=origin
        ) from error


def _attribute(module: ModuleType, path: str, attribute: str, origin: str | None) -> Any:
    found: Any = module
    try:
        for part in attribute.split("."):
            found = getattr(found, part)
    except AttributeError:
        place, there = module.__file__ or module.__name__, _executors_in(module)
        listed = f"its executors are {', '.join(there)}" if there else "it holds no executor"
        raise ExecutorImportError(
            f"{place} has no {attribute!r}, which {path!r} asks for{asked_at(origin)}; "
            f"{listed}{did_you_mean(nearest(attribute, there))}",
            asked=path,
            origin=origin,
        ) from None
    except ImportError as error:  # a module that imports its parts when they are asked for
        message = f"{path!r} fails on import{asked_at(origin)}: {reason_of(error)}"
        raise ExecutorImportError(message, asked=path, origin=origin) from error
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
