"""Chooses how a run in code shows its progress, if at all.

    progress=True       bars on a terminal, a table in a notebook, else plain lines
    progress=False      nothing
    neither             nothing, unless the configuration says so; then bars or a table, where somebody looks

By the configuration alone nothing is shown where it could disturb: in a pipe, in tests of pytest, in other threads than
the main one and within an event loop, as servers have, in a task of another run, in a process that another one started.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

from turgo.config.settings import Setting
from turgo.observers import screen
from turgo.worker import context


def display(*, unasked: bool) -> object | None:
    """The observer that shows the progress of a run, or None. unasked: whether the configuration alone wants it."""
    if unasked and not _by_itself():
        return None
    where = screen.kind()
    if where == screen.NOTEBOOK:
        from turgo.observers.notebook import NotebookObserver  # late, as the others: one of them is needed

        return NotebookObserver()
    if where == screen.TERMINAL:
        return on_terminal()
    return None if unasked else in_lines()


def on_terminal() -> object:
    """Bars."""
    from turgo.observers.progress import ProgressObserver

    return ProgressObserver()


def in_lines() -> object:
    """Plain lines."""
    from turgo.observers.lines import LinesObserver

    return LinesObserver()


def of_command(configured: Setting) -> object | None:
    """The one of `turgo run`, which shows progress unless the configuration says that it shall not."""
    if configured.origin.kind != "default" and not configured.value:
        return None
    return on_terminal() if screen.kind() == screen.TERMINAL else in_lines()


def _by_itself() -> bool:
    """Whether this is a program that somebody looks at, and not a part of a larger one."""
    multiprocessing: Any = sys.modules.get("multiprocessing.process")
    return (
        threading.current_thread() is threading.main_thread()
        and context.running.get() is None
        and "PYTEST_CURRENT_TEST" not in os.environ
        and (multiprocessing is None or multiprocessing.parent_process() is None)
        and (screen.shell_of_notebook() is not None or not _in_event_loop())
    )


def _in_event_loop() -> bool:
    asyncio: Any = sys.modules.get("asyncio.events")
    return asyncio is not None and asyncio._get_running_loop() is not None
