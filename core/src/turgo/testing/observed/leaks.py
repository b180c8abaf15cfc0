"""Finds what is left of an executor. These are processes and threads that were not there before."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HOUSEKEEPING = (
    "multiprocessing.resource_tracker",
    "multiprocessing.forkserver",
    "loky.backend.resource_tracker",
)


@contextmanager
def nothing_left(*, lasting_threads: tuple[str, ...] = (), patience: float) -> Iterator[None]:
    """Raise AssertionError if a child process or a thread that is no daemon is left at the end.

    What is on its way out has `patience` seconds. Threads whose name begins with one of `lasting_threads`
    belong to a library that keeps them for the life of the process. The helpers of multiprocessing, which it
    starts once and keeps, do not count either.
    """
    threads, children = set(_threads()), _children()
    try:
        yield
    finally:
        end = time.monotonic() + patience
        while left := _new_threads(threads, lasting_threads) + _new_children(children):
            if time.monotonic() > end:
                raise AssertionError(f"left behind after {patience:g} s: {'; '.join(left)}")
            time.sleep(0.02)


def _new_threads(before: set[threading.Thread], lasting: tuple[str, ...]) -> list[str]:
    new = [thread.name for thread in _threads() if thread not in before]
    return [f"thread {name!r}" for name in new if not name.startswith(lasting)]


def _new_children(before: dict[int, str]) -> list[str]:
    return [f"process {pid}: {line}" for pid, line in _children().items() if pid not in before]


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if not thread.daemon]


def _children() -> dict[int, str]:
    """Command lines of the child processes that live, by their id."""
    listed = {child.pid: child.name for child in multiprocessing.active_children() if child.pid is not None}
    for file in Path("/proc/self/task").glob("*/children"):  # Linux; elsewhere those of multiprocessing only
        for pid in _read(file).split():
            line = _read(Path("/proc", pid, "cmdline")).replace("\0", " ").strip()
            if _lives(pid) and not any(name in line for name in _HOUSEKEEPING):
                listed[int(pid)] = line or "it has just been started"
    return listed


def _lives(pid: str) -> bool:
    """Whether the process is there and no zombie. Its command line shows neither: a young process has none either."""
    state = _read(Path("/proc", pid, "stat")).rpartition(")")[2].split()[:1]
    return bool(state) and state[0] not in "ZX"


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:  # the process or thread has gone
        return ""
