"""What runs on the worker: executes a batch of calls in order and returns what came of each.

Nothing here raises for a failure of a call, and nothing is needed but the standard library (and the templates module,
which needs nothing else either), so an executor may ship this module by value to workers that have no penstock.

A batch is a list of pieces `(step, call, low, high, columns)`. A piece without columns is one call; one with columns
is the calls of elements `low` to `high` of a mapped step. What comes back, the report, is `(stamp, outcomes, logs)`
with one outcome for each piece:

    one call      (True, value, began, ended) | (False, failure, began, ended) | None: not run, as an earlier one failed
    elements      (began, values, ends, failures): `failures` maps an offset to its failure, or to None: not run

A failure is `(state, error, traceback text)`. Times are readings of the worker's monotonic clock, in seconds; the stamp
`(worker, wall, clock)` says what the wall clock read at the start.
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import inspect
import logging
import os
import pickle
import reprlib
import signal
import socket
import threading
import time
import traceback
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial, wraps
from typing import Any, NoReturn

from penstock.flows.templates import CONSTANTS, RESULTS, fill

Call = Callable[..., Any]


class Step:
    """The part of a node that a worker needs."""

    __slots__ = ("args", "id", "kwargs", "plan", "reads", "spread")

    def __init__(self, id: int, plan: int, args: Any, kwargs: Any, reads: Any, spread: Any) -> None:
        self.id = id
        self.plan = plan
        self.args = args
        self.kwargs = kwargs
        self.reads = reads
        self.spread = spread


class Batch:
    """Calls that travel together.

    pieces: see the top of the module; given: values that the calls read, by node; source: where else to read them.
    outcomes: filled in as the calls end, so that an interrupted batch can tell how far it came.
    current: the values of the elements that run now, None while a single call does.
    crossed: whether it came here from another process, so that what it returns has to be packed.
    """

    crossed = False

    def __init__(self, pieces: Sequence[Any], given: dict[int, Any], source: Sequence[Any] = ()) -> None:
        self.pieces = pieces
        self.given = given
        self.source = source
        self.outcomes: list[Any] = []
        self.stamp: Any = None
        self.current: list[Any] | None = None


def execute(batch: Batch) -> Any:
    """Run the calls of a batch one after the other; return the report, packed if the batch crossed processes."""
    batch.stamp = (_worker_name(), time.time(), time.perf_counter())
    with _captured_logs(batch) as logs:
        _run(batch)
    report = (batch.stamp, batch.outcomes, logs.lines)
    return pack(report) if batch.crossed else report


def _run(batch: Batch) -> None:
    local = dict(batch.given)
    source, outcomes, clock = batch.source, batch.outcomes, time.perf_counter
    failed: set[int] = set()
    missing: dict[int, Any] = {}
    for step, call, low, high, columns in batch.pieces:
        if columns is not None:
            outcome = _run_elements(batch, step, call, high - low, columns, local, missing)
            batch.current = None
            local[step.id] = outcome[1]
            if outcome[3]:
                failed.add(step.id)
                missing[step.id] = outcome[3]
            outcomes.append(outcome)
            continue
        if failed and not failed.isdisjoint(step.reads):
            failed.add(step.id)
            outcomes.append(None)
            continue
        began = clock()
        try:
            if step.plan == RESULTS:
                value = call(*[local[id] if id in local else source[id] for id in step.args])
            elif step.plan == CONSTANTS:
                value = call(*step.args, **step.kwargs)
            else:
                args, kwargs = _filled(step, local, source)
                value = call(*args, **kwargs)
        except BaseException as error:
            failed.add(step.id)
            outcomes.append((False, _failure(batch, error), began, clock()))
        else:
            local[step.id] = value
            outcomes.append((True, value, began, clock()))


def _filled(step: Any, local: dict[int, Any], source: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    def value_of(id: int) -> Any:
        return local[id] if id in local else source[id]

    args = [fill(template, value_of) for template in step.args]
    return args, {name: fill(template, value_of) for name, template in step.kwargs.items()}


def _run_elements(
    batch: Batch,
    step: Any,
    call: Call,
    count: int,
    columns: Sequence[Any],
    local: dict[int, Any],
    missing: dict[int, Any],
) -> tuple[float, list[Any], array[float], dict[int, Any]]:
    """Run a mapped step over its columns; a column that is a number is what that step made in this batch."""
    clock = time.perf_counter
    values: list[Any] = []
    batch.current = values
    ends = array("d")
    failures: dict[int, Any] = {}
    spread = [local[column] if type(column) is int else column for column in columns]
    absent = {offset for column in columns if type(column) is int for offset in missing.get(column, ())}
    add, mark = values.append, ends.append
    began = clock()
    if len(step.args) == 1 and not step.kwargs and not absent:
        for element in spread[0]:
            try:
                add(call(element))
            except BaseException as error:
                failures[len(values)] = _failure(batch, error)
                add(None)
            mark(clock())
        return began, values, ends, failures
    for offset, arguments in enumerate(_arguments(step, spread, count, local, batch.source)):
        if offset in absent:
            failures[offset] = None
            add(None)
        else:
            try:
                add(call(*arguments[0], **arguments[1]))
            except BaseException as error:
                failures[offset] = _failure(batch, error)
                add(None)
        mark(clock())
    return began, values, ends, failures


def _arguments(
    step: Any, spread: list[Any], count: int, local: dict[int, Any], source: Sequence[Any]
) -> Iterator[tuple[Sequence[Any], dict[str, Any]]]:
    """The arguments of each element: the spread ones put among those that are the same for all."""
    if not step.kwargs and len(step.spread) == len(step.args):
        yield from ((items, {}) for items in zip(*spread, strict=False))
        return
    whole = {
        place: template
        for place, template in [*enumerate(step.args), *step.kwargs.items()]
        if place not in step.spread
    }

    def value_of(id: int) -> Any:
        return local[id] if id in local else source[id]

    fixed = {place: fill(template, value_of) for place, template in whole.items()}
    for items in zip(*spread, strict=False):
        placed = fixed | dict(zip(step.spread, items, strict=True))
        yield [placed[at] for at in range(len(step.args))], {name: placed[name] for name in step.kwargs}


def _failure(batch: Batch, error: BaseException) -> tuple[str, BaseException, str]:
    """What is told of an error. Ctrl-C in the driver's own main thread is not the call's failure, and goes on."""
    own_thread = threading.current_thread() is threading.main_thread() and not batch.crossed
    if isinstance(error, KeyboardInterrupt) and own_thread:
        raise error
    if isinstance(error, Expired):
        return ("TimedOut", error, "")
    here = _failure.__code__.co_filename
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == here:
        frames = frames.tb_next
    error = error.with_traceback(frames)
    state = "Skipped" if _is_skip(error) else "Failed"
    return (state, error, "".join(traceback.format_exception(error)) if batch.crossed else "")


def _is_skip(error: BaseException) -> bool:
    return any(cls.__name__ == "Skip" and cls.__module__ == "penstock.errors" for cls in type(error).__mro__)


@lru_cache(maxsize=1)
def _host() -> str:
    return socket.gethostname()


def _worker_name() -> str:
    thread = threading.current_thread()
    name = f"{_host()}:{os.getpid()}"
    return name if thread is threading.main_thread() else f"{name}/{thread.name}"


# How a function is called: with a limit of time, on an event loop, or simply so.


class Expired(BaseException):
    """Raised inside a call whose time is up. No Exception, so that `except Exception` in a task lets it through."""


def prepare(fn: Call, timeout: float | None) -> Call:
    """`fn` as it is to be called: an async one runs to its end, one with a timeout (seconds) is stopped by then."""
    if inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(fn, "__call__", None)):  # noqa: B004
        fn = _on_a_loop(fn)
    return fn if timeout is None else _limited(fn, timeout)


def _on_a_loop(fn: Call) -> Call:
    @wraps(fn, assigned=("__name__", "__qualname__"), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(fn(*args, **kwargs))
        return _in_thread(lambda: asyncio.run(fn(*args, **kwargs)), None)

    return call


def _limited(fn: Call, seconds: float) -> Call:
    @wraps(fn, assigned=("__name__", "__qualname__"), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
            with _alarm(seconds):
                return fn(*args, **kwargs)
        return _in_thread(partial(fn, *args, **kwargs), seconds)

    return call


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise Expired in the main thread when the time is up: stops even a call that never returns to Python's loop."""

    def ring(signum: int, frame: Any) -> NoReturn:
        raise Expired(seconds)

    before = signal.signal(signal.SIGALRM, ring)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    started = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 1e-6))


def _in_thread(call: Callable[[], Any], seconds: float | None) -> Any:
    """Call in a thread of its own and wait for `seconds`; a call that takes longer is asked to stop and left."""
    outcome: list[tuple[bool, Any]] = []
    context = contextvars.copy_context()

    def body() -> None:
        try:
            outcome.append((True, context.run(call)))
        except BaseException as error:
            outcome.append((False, error))

    thread = threading.Thread(target=body, name=f"{threading.current_thread().name}-call", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Expired)
        )
        raise Expired(seconds)
    succeeded, value = outcome[0]
    if not succeeded:
        raise value
    return value


# What the calls log.


class _Capture(logging.Handler):
    """Keeps the records of this thread, with the call that they belong to."""

    def __init__(self, batch: Batch, speaks: bool) -> None:
        super().__init__()
        self.batch = batch
        self.speaks = speaks
        self.thread = threading.get_ident()
        self.lines: list[tuple[int, int | None, str, int, str, float, bool]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self.thread:
            return
        batch = self.batch
        self.lines.append(
            (
                len(batch.outcomes),
                None if batch.current is None else len(batch.current),
                record.name,
                record.levelno,
                record.getMessage(),
                record.created,
                batch.crossed,
            )
        )
        if self.speaks and logging.lastResort and record.levelno >= logging.lastResort.level:
            logging.lastResort.handle(record)


@contextmanager
def _captured_logs(batch: Batch) -> Iterator[_Capture]:
    """Capture what is logged. Our handler must not silence Python's handler of last resort where that would speak."""
    root = logging.getLogger()
    handler = _Capture(batch, speaks=not root.handlers and not batch.crossed)
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)


# Between processes: what is sent is bytes, made here or by the driver, so no executor's own pickling can fail on it.


@lru_cache(maxsize=256)
def load_call(blob: bytes) -> Call:
    """The prepared function of a task, unpickled once for each worker process."""
    fn, timeout = pickle.loads(blob)
    return prepare(fn, timeout)


def unpack(blob: bytes) -> Batch:
    """The batch that the driver packed."""
    steps, calls, given = pickle.loads(blob)
    pieces = [
        (Step(*parts), load_call(calls[number]), low, high, columns)
        for parts, number, low, high, columns in steps
    ]
    batch = Batch(pieces, given)
    batch.crossed = True
    return batch


def pack(report: Any) -> bytes:
    """The report as bytes. A value or error that cannot be pickled becomes the failure of its own call."""
    stamp, outcomes, lines = report
    outcomes = [_with_packed_errors(outcome) for outcome in outcomes]
    try:
        return _dumps((stamp, outcomes, lines))
    except Exception:
        return _dumps((stamp, [_with_sound_values(outcome) for outcome in outcomes], lines))


def _dumps(value: Any) -> bytes:
    try:
        return pickle.dumps(value, protocol=5)
    except Exception:
        import cloudpickle  # workers of every kind have it, but a batch without odd values can do without

        return cloudpickle.dumps(value, protocol=5)  # type: ignore[no-any-return]


def _with_packed_errors(outcome: Any) -> Any:
    if outcome is None:
        return None
    if len(outcome) == 4 and outcome[0] is False:
        return (False, _packed_error(outcome[1]), *outcome[2:])
    if outcome[0] is not True and outcome[3]:
        failures = {at: failure and _packed_error(failure) for at, failure in outcome[3].items()}
        return (*outcome[:3], failures)
    return outcome


def _packed_error(failure: tuple[str, BaseException, str]) -> tuple[str, Any, str]:
    """The error as bytes if it survives the way there and back, else the name of its type and its message."""
    state, error, text = failure
    try:
        blob = _dumps(error)
        pickle.loads(blob)
    except Exception:
        return (state, (f"{type(error).__module__}.{type(error).__qualname__}", _message(error)), text)
    return (state, blob, text)


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as odd:
        return f"<its message cannot be shown: {odd!r}>"


def _with_sound_values(outcome: Any) -> Any:
    if outcome is None or outcome[0] is False:
        return outcome
    if outcome[0] is True:
        problem = _problem_of(outcome[1])
        return outcome if problem is None else (False, problem, *outcome[2:])
    began, values, ends, failures = outcome
    for offset, value in enumerate(values):
        problem = _problem_of(value)
        if problem is not None:
            failures[offset] = problem
            values[offset] = None
    return (began, values, ends, failures)


def _problem_of(value: Any) -> Any:
    """The failure of a call whose value cannot be pickled, or None."""
    try:
        _dumps(value)
    except Exception as error:
        message = f"the value {reprlib.repr(value)} cannot be sent back: {culprit(value)} cannot be pickled ({error})"
        return ("Failed", ("penstock.errors.ValueNotPortableError", message), "")
    return None


def culprit(value: Any, name: str = "it", depth: int = 4) -> str:
    """The innermost part of `value` that cannot be pickled, as a path: `it.connection.lock`."""
    parts: Any = ()
    if isinstance(value, dict):
        parts = [(f"{name}[{key!r}]", item) for key, item in value.items()]
    elif isinstance(value, (list, tuple, set, frozenset)):
        parts = [(f"{name}[{at}]", item) for at, item in enumerate(value)]
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        parts = [(f"{name}.{key}", item) for key, item in vars(value).items()]
    for path, part in parts if depth else ():
        try:
            _dumps(part)
        except Exception:
            return culprit(part, path, depth - 1)
    return f"{name} (a {type(value).__name__})"
