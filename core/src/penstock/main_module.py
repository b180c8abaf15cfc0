"""For executors that start processes: may this process do so, and is the script that it runs ready for that?

A process started by "spawn" or "forkserver" imports the script of its parent. Without the `__main__` guard the script
starts processes there in turn, which Python refuses, and the parent waits or sees its workers die. So the guard is
looked for here, in the source of the script, before the first process is started.
"""

from __future__ import annotations

import ast
import inspect
import sys
import types
from multiprocessing import current_process
from pathlib import Path

from penstock.errors import ExecutorStartError

ADVICE = """\
{path}, line {line}, starts processes while it is imported. Each of them imports the script again,
so put what it does behind a guard:

    if __name__ == "__main__":
        ...

or use `penstock run`, which needs none."""

NO_CHILDREN = (
    "this process, a worker of another executor, may not start processes of its own. Run a flow inside a task on "
    "an executor that starts none: 'local', or one that uses threads"
)


def require_guard() -> None:
    """Raise ExecutorStartError if no process can be started here, or could not import the script that runs now."""
    if current_process().daemon:
        raise ExecutorStartError(NO_CHILDREN)
    frame = _frame_of_script()
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    if frame is None or path is None or not Path(path).is_file():
        return
    if Path(frame.f_code.co_filename).name != Path(path).name:
        return  # in a child of "spawn": what it was started with, the script itself is imported already
    try:
        tree = ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, SystemError, ValueError):
        return  # no Python source (or another thread parses, on Python 3.11), so nothing that can be said of it
    if not any(_guards(node, frame.f_lineno) for node in ast.walk(tree)):
        raise ExecutorStartError(ADVICE.format(path=path, line=frame.f_lineno))


def _frame_of_script() -> types.FrameType | None:
    """The frame that executes the body of the script, if it is below us in this thread."""
    frame = inspect.currentframe()
    while frame is not None:
        # In a child that imports it for the first time the script is called `__mp_main__`.
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") in (
            "__main__",
            "__mp_main__",
        ):
            return frame
        frame = frame.f_back
    return None


def _guards(node: ast.AST, line: int) -> bool:
    """Whether `node` is an `if` that asks for `__name__` and holds `line`."""
    return (
        isinstance(node, ast.If)
        and any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    )
