"""Refuses a run that the file of a flow begins while it is loaded: whoever loads the file runs the flow, or does not.

So `turgo run` runs a flow once, and `turgo graph`, `--help` and a shell that completes run none.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType

from turgo.errors import FlowFileError

_loaded: ContextVar[str | None] = ContextVar("turgo_loaded_file", default=None)


@contextmanager
def without_runs(target: str) -> Iterator[None]:
    """Inside, `check_not_loaded` refuses. target: the file or module, as it was named."""
    token = _loaded.set(target)
    try:
        yield
    finally:
        _loaded.reset(token)


def check_not_loaded(flow: str) -> None:
    """Raise FlowFileError if a file is loaded here whose code has just called the flow of that name."""
    target = _loaded.get()
    if target is not None:
        raise FlowFileError(
            f"{_place(target)} runs the flow {flow} while the file is loaded, before `turgo` does what it was "
            'asked to. What the file does as a program belongs behind a guard:\n\n    if __name__ == "__main__": …',
            path=target,
        )


def _place(target: str) -> str:
    """File and line of the module whose body is executed innermost, if any is."""
    frame: FrameType | None = inspect.currentframe()
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return target if frame is None else f"{frame.f_code.co_filename}, line {frame.f_lineno},"
