"""Wraps the function of a task: a coroutine gets an event loop, a timeout a limit, `log_prints` a captured stdout."""

from __future__ import annotations

import contextvars
import inspect
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial, wraps
from typing import Any

from turgo.worker.context import running
from turgo.worker.limits.alarm import alarmed, can_be_alarmed
from turgo.worker.limits.descendants import (
    descendants,
    end_processes,
    started_by_thread,
    ticks_since_boot,
)
from turgo.worker.limits.interrupt import INTERRUPT_REPEAT_SECONDS, Expired, Interrupt
from turgo.worker.output.prints import printing_to_log

Call = Callable[..., Any]

logger = logging.getLogger("turgo")

KILL_WAIT_SECONDS = 30.0
"""Seconds that a call whose time is up is waited for, where the executor is about to kill it."""

STAND_IN = "turgo_stand_in"
"""An attribute of a worker's thread, for an executor whose library keeps state by thread.

A function whose context manager is entered in a thread that runs a call in the place of this one.
"""

PURSUIT_TIMES = 2
"""How often a call is interrupted again that was left in its thread."""


def prepare(fn: Call, timeout: float | None, log_prints: bool = False) -> Call:
    """`fn` as it is to be called: an async one runs to its end, one with a timeout (seconds) is stopped by then.

    log_prints: whether what it prints becomes lines of its log.
    """
    if inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(fn, "__call__", None)):  # noqa: B004
        fn = _on_a_loop(fn)
    if log_prints:
        fn = printing_to_log(fn)
    return fn if timeout is None else _limited(fn, timeout)


def _on_a_loop(fn: Call) -> Call:
    import asyncio  # 15 ms, and few tasks are async

    def run(args: Any, kwargs: Any) -> Any:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            try:
                return runner.run(fn(*args, **kwargs))
            except Expired:
                for left in asyncio.all_tasks(loop):
                    left._log_destroy_pending = False  # type: ignore[attr-defined]  # whoever absorbs its end is known
                raise

    @wraps(fn, assigned=("__name__", "__qualname__"), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        if (
            asyncio._get_running_loop() is None
        ):  # no error that is caught: it would be the context of the task's
            return run(args, kwargs)
        return _in_thread(lambda: run(args, kwargs), None)

    return call


def _limited(fn: Call, seconds: float) -> Call:
    @wraps(fn, assigned=("__name__", "__qualname__"), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        if not can_be_alarmed():
            return _in_thread(partial(fn, *args, **kwargs), seconds)
        began, threads = ticks_since_boot(), threading.enumerate()
        try:
            return alarmed(partial(fn, *args, **kwargs), seconds)
        except Expired as expired:
            if not expired.propagates and _killed_if_late():
                _end_what_it_started(began, threads)
            raise

    return call


def _end_what_it_started(began: int, threads: list[threading.Thread]) -> None:
    """After a call whose time is up: kill the processes it has started, wait for its threads.

    A thread cannot be killed. If one does not end, the executor kills this process, as it does if the call does not.
    began: when the call began, in ticks; threads: those that there were then.
    """
    end_processes(each for each in descendants(os.getpid()) if each.started >= began)
    until = time.monotonic() + KILL_WAIT_SECONDS
    for thread in threading.enumerate():
        if thread not in threads and not thread.daemon:
            thread.join(max(0.0, until - time.monotonic()))


def _killed_if_late() -> bool:
    """Whether this process is the executor's, which would kill it for the sake of a call that does not stop."""
    where = running.get()
    return where is not None and where().batch.killed_if_late


def own_context() -> tuple[contextvars.Context, bool]:
    """A context for a call that may be left behind, and whether the executor kills it if it does not stop.

    In it the call stays the call that it is, whichever one runs here meanwhile.
    """
    context, where = contextvars.copy_context(), running.get()
    if where is None:
        return context, False
    here = where()
    context.run(running.set, lambda: here)
    return context, here.batch.killed_if_late


def _in_thread(call: Callable[[], Any], seconds: float | None) -> Any:
    """Call in a thread of its own and wait for `seconds`; a call that takes longer is interrupted and left.

    Where the executor kills a call that does not stop, it is not left: this thread stays with it until then.
    """
    outcome: list[tuple[bool, Any]] = []
    context, killed = own_context()
    interrupt = Interrupt(seconds)
    stand_in = getattr(threading.current_thread(), STAND_IN, nullcontext)

    def body() -> None:
        with suppress(Expired):  # which may come late
            try:
                with stand_in(), interrupt:
                    value = context.run(call)
                outcome.append((True, value))
            except BaseException as error:
                outcome.append((False, error))

    thread = threading.Thread(target=body, name=f"{threading.current_thread().name}-call", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        started = started_by_thread(thread.native_id) if killed else []
        raise_in(thread, interrupt.kind)
        if killed:
            thread.join(INTERRUPT_REPEAT_SECONDS)
            end_processes(started)  # whoever waits for one of them waits in C code
            _pursue(thread, interrupt.kind)
            thread.join(KILL_WAIT_SECONDS)
        else:
            pursuit = partial(_pursue_and_tell, thread, interrupt.kind, context)
            threading.Thread(target=pursuit, name=f"{thread.name}-pursuit", daemon=True).start()
        raise Expired(seconds, propagates=False)
    succeeded, value = outcome[0]
    if not succeeded:
        raise value
    return value


def raise_in(thread: threading.Thread, kind: type[Expired]) -> None:
    """Let the interpreter raise an error of this class in the thread, once it executes Python code again."""
    import ctypes  # late: it takes as long to import as a small run, and few calls exceed their time

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(kind))


def _pursue(thread: threading.Thread, kind: type[Expired]) -> bool:
    """Interrupt a call again until it ends, some times. Returns whether it has ended."""
    for _ in range(PURSUIT_TIMES):
        thread.join(INTERRUPT_REPEAT_SECONDS)
        if not thread.is_alive():
            return True
        raise_in(thread, kind)
    return False


def _pursue_and_tell(thread: threading.Thread, kind: type[Expired], context: contextvars.Context) -> None:
    """The same; a warning names the call that does not stop."""
    if not _pursue(thread, kind):
        where = context.get(running)
        name = thread.name if where is None else where().task_context().task
        logger.warning(
            "%s does not stop: it runs on in the thread %s, outside of Python code", name, thread.name
        )
