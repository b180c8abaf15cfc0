"""Names this process and the worker, which is a thread of it. Ends a process that a call forked."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import NoReturn


@lru_cache(maxsize=1)
def _host() -> str:
    if hasattr(os, "uname"):
        return os.uname().nodename  # what socket.gethostname() says, without the time that importing it takes
    import socket

    return socket.gethostname()


def process_name() -> str:
    """`host:pid`."""
    return f"{_host()}:{os.getpid()}"


def is_local(worker: str) -> bool:
    """Whether a worker of that name is a thread of this process."""
    return worker.partition("/")[0] == process_name()


def worker_name() -> str:
    """`host:pid`, and the thread unless it is the main one: `host:pid/thread`."""
    thread = threading.current_thread()
    name = process_name()
    return name if thread is threading.main_thread() else f"{name}/{thread.name}"


def end_forked_child(name: str) -> NoReturn:
    """End this process: a call forked it, and it came back from the call. Only its parent may report that call.

    name: of the task. Nothing is flushed, as what is buffered here is in the parent's buffers as well.
    """
    with suppress(OSError):  # standard error may be closed
        os.write(
            2, f"turgo: a process that {name} had forked came back from that call, and was ended\n".encode()
        )
    os._exit(1)


@lru_cache(maxsize=1)
def halt_in_forked_children(halt: Callable[[], None]) -> None:
    """Call `halt` in each process that is forked from this one, in the thread that forks. Once for each process."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=halt)
