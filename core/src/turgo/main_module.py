"""Checks whether this process and its script may start other processes. Executors that start processes use it.

A process started by "spawn" or "forkserver" imports the script of its parent. Without the `__main__` guard the script
starts processes there in turn, which Python refuses, and the parent waits or sees its workers die. So the guard is
looked for here, in the source of the script, before the first process is started.
"""

from __future__ import annotations

import ast
import inspect
import sys
import types
from contextvars import ContextVar
from multiprocessing import current_process
from pathlib import Path
from typing import Any

from turgo.errors import ExecutorStartError

ADVICE = """\
{path}, line {line}, starts processes while it is imported. Each of them imports the script again,
so put what it does behind a guard:

    if __name__ == "__main__":
        ...

or use `turgo run`, which needs none."""

STANDARD_INPUT = (
    "this program comes from standard input, from where the processes that it starts cannot import it: put it into a "
    "file, or use an executor that starts no processes: 'local', or one that uses threads"
)

NO_CHILDREN = (
    "this process, a worker of another executor or of a multiprocessing.Pool, may not start processes of its own. Run "
    "the flow here on an executor that starts none: 'local', or one that uses threads"
)

GUARDED_EXPRESSION = (
    "__import__('importlib.util').util.find_spec('turgo') is not None"
    " and __import__('turgo.worker.output.logs', None, None, ['x']).guard_imports() or name"
)
"""Gives the name of a process, in which turgo may be missing until the program has changed `sys.path`."""

_remembered: ContextVar[tuple[str, int] | None] = ContextVar("turgo_script_line", default=None)


class ChildName(str):
    """The name of a process that is started by "spawn".

    It is the first that is unpickled there, before the program is imported: from then on, handlers of logging that an
    import sets up are taken for copies of the parent's, and open no file.
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (GUARDED_EXPRESSION, {"name": str(self)})


def require_guard() -> None:
    """Raise ExecutorStartError if no process can be started here, or could not import the script that runs now."""
    if current_process().daemon:
        raise ExecutorStartError(NO_CHILDREN)
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    if path == "<stdin>":
        raise ExecutorStartError(STANDARD_INPUT)
    executed = _script_line() or _remembered.get()
    if executed is None or path is None or not Path(path).is_file():
        return
    if Path(executed[0]).name != Path(path).name:
        return  # in a child of "spawn": what it was started with, the script itself is imported already
    try:
        tree = ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, SystemError, ValueError):
        return  # no Python source (or another thread parses, on Python 3.11), so nothing that can be said of it
    line = executed[1]
    if not any(_guards(node, line) for node in ast.walk(tree)):
        raise ExecutorStartError(ADVICE.format(path=path, line=line))


def remember_script_line() -> None:
    """Note, in this context, what the script executes now: for a thread that starts processes in its stead."""
    _remembered.set(_script_line() or _remembered.get())


def _script_line() -> tuple[str, int] | None:
    """File and line of the script whose body is executed below us in this thread; None if it is not."""
    frame: types.FrameType | None = inspect.currentframe()
    while frame is not None:
        # In a child that imports it for the first time the script is called `__mp_main__`.
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") in (
            "__main__",
            "__mp_main__",
        ):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return None


def _guards(node: ast.AST, line: int) -> bool:
    """Whether `node` is an `if` that asks for `__name__` and holds `line`."""
    return (
        isinstance(node, ast.If)
        and any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    )
