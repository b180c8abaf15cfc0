"""Loads the flow that a target names: `FILE` or `FILE:FLOW`, or a module in the place of the file."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from turgo.errors import FlowFileError, TurgoError
from turgo.flows.files.load_guard import without_runs
from turgo.flows.flow import FlowDefinition
from turgo.hidden_modules import add_hidden_modules
from turgo.names import did_you_mean, nearest
from turgo.registry.source_files import import_name, load_flow_file, locate
from turgo.worker.code.import_folders import add_import_folder


def load_flow(target: str) -> FlowDefinition[..., Any]:
    """The flow that `FILE`, `FILE:FLOW`, `pkg.mod` or `pkg.mod:FLOW` names.

    The folder of the file becomes importable, as for a script; for a module the current one, as for `python -m`.
    Raises FlowFileError if there is no such file or module, it fails, or runs a flow as it is loaded; if it holds no
    flow of that name, or several and none was named.
    """
    path, name = _split(target)
    try:
        if b"\0" in os.fsencode(path):
            raise ValueError("no name holds a NUL")
        there = Path(path).is_file()
    except (OSError, ValueError) as error:  # its name is too long, or can be none
        raise FlowFileError(f"{path!r} can be no file: {error}", path=path) from error
    with without_runs(path):
        module = _imported(path) if _is_module_name(path) and not there else _loaded(path)
    found = {each: value for each, value in vars(module).items() if isinstance(value, FlowDefinition)}
    if name:
        return _named(found, name, path)
    flows = {each: flow for each, flow in found.items() if flow.fn.__module__ == module.__name__} or found
    if len(flows) == 1:
        return next(iter(flows.values()))
    if not flows:
        raise FlowFileError(
            f"{path} holds no flow: a function decorated with @flow{_of_a_class(module)}", path=path
        )
    choices = ", ".join(f"{path}:{each}" for each in flows)
    raise FlowFileError(f"{path} holds {len(flows)} flows; say which one: {choices}", path=path)


def _of_a_class(module: ModuleType) -> str:
    """The hint for a flow that stands in a class, which needs an instance; "" if there is none."""
    for name, value in vars(module).items():
        if isinstance(value, type) and value.__module__ == module.__name__:
            for each, part in vars(value).items():
                if isinstance(part, FlowDefinition):
                    return f". {name}.{each} is one of a class; name that of an instance: {each} = {name}(…).{each}"
    return ""


def _split(target: str) -> tuple[str, str]:
    path, colon, name = target.rpartition(":")
    return (path, name) if colon and name.isidentifier() and path else (target, "")


def _is_module_name(path: str) -> bool:
    """Whether it is a name as `python -m` takes it: `census.py` is a file, be it there or not."""
    return all(map(str.isidentifier, path.split("."))) and not path.endswith(".py")


def _imported(name: str) -> ModuleType:
    """The module of that name; the current folder is one of those that it is looked for in."""
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    add_import_folder(here)
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None:
            return importlib.import_module(name)
    except TurgoError as error:
        locate(error, _file_of(name))
        raise
    except (Exception, SystemExit) as error:
        if not (isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}.")):
            raise _failed(error, name, _file_of(name)) from error
    if Path(name).is_dir():
        raise FlowFileError(f"{name} is a folder; name the file of a flow in it", path=name)
    near = nearest(f"{name}.py", [each.name for each in Path().glob("*.py")])
    hint = f"; did you mean {near}?" if near else ""
    raise FlowFileError(f"there is no file {name}, and no module of that name{hint}", path=name)


def _file_of(name: str) -> str | None:
    """The file of the innermost module of that name that Python knows of."""
    for parent in (name, *(name.rsplit(".", count)[0] for count in range(1, name.count(".") + 1))):
        with suppress(Exception, SystemExit):  # a package that fails as it is looked into
            spec = importlib.util.find_spec(parent)
            if spec is not None:
                return spec.origin
    return None


def _loaded(path: str) -> ModuleType:
    """The module of a flow file."""
    file = Path(path)
    if file.is_dir():
        raise FlowFileError(f"{path} is a folder; name the file of a flow in it", path=path)
    if not file.is_file():
        near = nearest(file.name, [each.name for each in file.parent.glob("*.py")])
        hint = f"; did you mean {file.with_name(near)}?" if near else ""
        raise FlowFileError(f"there is no file {path}{hint}", path=path)
    if file.suffix != ".py":
        raise FlowFileError(f"{path} is no Python file: its name must end in .py", path=path)
    if import_name(file.resolve())[0] == "turgo":
        raise FlowFileError(
            f"{path} hides turgo itself from processes that are started here: rename it", path=path
        )
    try:
        return load_flow_file(file)
    except TurgoError as error:
        locate(error, str(file.resolve()))
        raise
    except (Exception, SystemExit) as error:
        raise _failed(error, path, str(file.resolve())) from error


def _named(flows: dict[str, FlowDefinition[..., Any]], name: str, path: str) -> FlowDefinition[..., Any]:
    if name in flows:
        return flows[name]
    hint = did_you_mean(nearest(name, flows))
    listed = f"it holds {', '.join(flows)}" if flows else "it holds no flow at all"
    raise FlowFileError(f"{path} has no flow {name!r}: {listed}{hint}", path=path)


def _failed(error: BaseException, path: str, file: str | None) -> FlowFileError:
    """The error with the traceback from the first frame in the file on; what led there is not the user's."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != file:
        frames = frames.tb_next
    add_hidden_modules(error)
    text = "".join(traceback.format_exception(type(error), error, frames)).rstrip()
    return FlowFileError(f"{path} fails on import:\n{text}", path=path)
