"""Flow files: `FILE` or `FILE:FLOW`, and the flow that it names."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

from penstock.errors import FlowFileError, PenstockError
from penstock.flows.definition import FlowDefinition
from penstock.names import did_you_mean, nearest
from penstock.sources import load_source, locate


def load_flow(target: str) -> FlowDefinition[..., Any]:
    """The flow that `FILE` or `FILE:FLOW` names. The folder of the file becomes importable, as for a script.

    Raises FlowFileError if the file is not there or fails, if it holds no flow of that name, or several and none was
    named.
    """
    path, name = _split(target)
    flows = _flows_in(path)
    if name:
        return _named(flows, name, path)
    if len(flows) == 1:
        return next(iter(flows.values()))
    if not flows:
        raise FlowFileError(f"{path} holds no flow: a function decorated with @flow", path=path)
    choices = ", ".join(f"{path}:{each}" for each in flows)
    raise FlowFileError(f"{path} holds {len(flows)} flows; say which one: {choices}", path=path)


def _split(target: str) -> tuple[str, str]:
    path, colon, name = target.rpartition(":")
    return (path, name) if colon and name.isidentifier() and path else (target, "")


def _flows_in(path: str) -> dict[str, FlowDefinition[..., Any]]:
    """The flows that a file defines itself, by the names that it gives them."""
    file = Path(path)
    if file.is_dir():
        raise FlowFileError(f"{path} is a folder; name the file of a flow in it", path=path)
    if not file.is_file():
        near = nearest(file.name, [each.name for each in file.parent.glob("*.py")])
        hint = f"; did you mean {file.with_name(near)}?" if near else ""
        raise FlowFileError(f"there is no file {path}{hint}", path=path)
    if file.suffix != ".py":
        raise FlowFileError(f"{path} is no Python file: its name must end in .py", path=path)
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = load_source(file)
    except PenstockError as error:
        locate(error, str(file.resolve()))
        raise
    except (Exception, SystemExit) as error:
        raise FlowFileError(f"{path} fails on import:\n{_traceback(error, file)}", path=path) from error
    found = {name: value for name, value in vars(module).items() if isinstance(value, FlowDefinition)}
    own = {name: flow for name, flow in found.items() if flow.fn.__module__ == module.__name__}
    return own or found


def _named(flows: dict[str, FlowDefinition[..., Any]], name: str, path: str) -> FlowDefinition[..., Any]:
    if name in flows:
        return flows[name]
    hint = did_you_mean(nearest(name, flows))
    listed = f"it holds {', '.join(flows)}" if flows else "it holds no flow at all"
    raise FlowFileError(f"{path} has no flow {name!r}: {listed}{hint}", path=path)


def _traceback(error: BaseException, file: Path) -> str:
    """The traceback from the first frame in the file on; what led there is not the user's."""
    frames = error.__traceback__
    while frames is not None and Path(frames.tb_frame.f_code.co_filename) != file.resolve():
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames)).rstrip()
