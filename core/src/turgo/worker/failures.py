"""Makes the failure of a call. It comes from what the call raised, or returned that is no value.

Whatever a call raises is its own failure, `SystemExit` and a `KeyboardInterrupt` that it raises itself included;
Ctrl-C in the driver's own process is not, and is raised again.
"""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Iterable
from opcode import opmap
from types import AsyncGeneratorType, CodeType, CoroutineType, GeneratorType, TracebackType
from typing import Any

from turgo.worker.limits.interrupt import Expired
from turgo.worker.outcomes import CallFailure

PASSING = frozenset({GeneratorType, CoroutineType, AsyncGeneratorType})
"""The types of what is no value, but a computation that is still to be made, once and in this process alone."""

NO_CHILDREN = "daemonic processes are not allowed to have children"
"""What multiprocessing says."""

_RAISE = opmap["RAISE_VARARGS"]
_CALLERS = ("turgo", "asyncio")


def failure(batch: Any, error: BaseException) -> CallFailure:
    """The failure that an error of a call is. What cuts the run short, as Ctrl-C, is not one, and is raised again.

    So is the end of the time of a task that runs this flow, and any error whose class says `propagates = True`, as
    that which an executor may raise in a call that it cancels.
    """
    if batch.abandoned or getattr(error, "propagates", False) is True:
        raise error
    if isinstance(error, KeyboardInterrupt) and not batch.crossed and _is_from_outside(error):
        raise error
    state = "TimedOut" if isinstance(error, Expired) else "Skipped" if _is_skip(error) else "Failed"
    if batch.fail_fast and state != "Skipped":
        batch.halt()
    if isinstance(error, Expired):
        return CallFailure(state, error, "")
    if error.args == (NO_CHILDREN,):
        error.add_note(
            "this worker is a daemonic process; the configuration of its cluster can make others "
            "(`worker.daemon: false`), or the task can use threads"
        )
    frames = error.__traceback__
    while frames is not None and _module(frames).partition(".")[0] in _CALLERS:
        frames = frames.tb_next
    error = error.with_traceback(frames)
    return CallFailure(state, error, "".join(traceback.format_exception(error)) if batch.crossed else "")


def not_a_value(name: str, value: Any) -> CallFailure:
    """The failure of a call of the task `name` that returned something of a type in PASSING."""
    kind = type(value).__name__.replace("_", " ")
    if isinstance(value, CoroutineType):
        value.close()  # nobody will await it, which would be warned of
        advice = "await it in the task, or make the task itself `async def`"
    else:
        advice = "its values could be taken only once, and not from elsewhere: return a list"
    article = "an" if kind.startswith("a") else "a"
    return CallFailure("Failed", TypeError(f"{name} returned {article} {kind}; {advice}"), "")


def _module(frames: TracebackType) -> str:
    return str(frames.tb_frame.f_globals.get("__name__"))


def _is_skip(error: BaseException) -> bool:
    return any(cls.__name__ == "Skip" and cls.__module__ == "turgo.errors" for cls in type(error).__mro__)


def _is_from_outside(error: BaseException) -> bool:
    """Whether a KeyboardInterrupt is Ctrl-C, or another signal that a handler makes one of; if in doubt, it is.

    Signals are handled in the main thread, between two steps of whatever runs there. So what a task raises itself is
    distinguished from them by the step that it was raised at, if no handler of a signal raised it.
    """
    if threading.current_thread() is not threading.main_thread():
        return False
    seen: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in seen:
        if isinstance(each, KeyboardInterrupt) and not _raised_by_code(each.__traceback__):
            return True
        seen.append(each)
        each = each.__cause__ or each.__context__
    return False


def _raised_by_code(trace: TracebackType | None) -> bool:
    handlers = set(_codes_of_handlers())
    last = trace
    while trace is not None:
        if trace.tb_frame.f_code in handlers:
            return False
        last, trace = trace, trace.tb_next
    if last is None or _module(last) == "asyncio.runners":  # that is how it reports a signal
        return False
    return last.tb_frame.f_code.co_code[last.tb_lasti] == _RAISE


def _codes_of_handlers() -> Iterable[CodeType]:
    """The code of the functions that handle Ctrl-C and SIGTERM now."""
    for number in (signal.SIGINT, signal.SIGTERM):
        handler: Any = signal.getsignal(number)
        handler = getattr(handler, "__func__", handler)
        code = getattr(handler, "__code__", None)
        if code is not None:
            yield code
